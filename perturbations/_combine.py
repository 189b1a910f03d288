"""Several perturbations in a fixed order, each at its own severity."""

import importlib
from collections.abc import Mapping, Sequence
from functools import cache

import torch
from jaxtyping import UInt8
from torch import Tensor

from perturbations._contract import ClipShape, Params, Perturbation
from perturbations._levels import along
from perturbations._random import Draws

STEPS = (1.0, 2.0, 3.0, 4.0, 5.0)
PACES = ("clip", "coherent", "frame")
"""Granularities from the slowest to the fastest."""


@cache
def member(name: str) -> Perturbation:
    """A perturbation of this package by its file's name."""
    found: Perturbation = getattr(importlib.import_module(f"perturbations.{name}"), name)
    return found


class Combination:
    """Draws and applies member perturbations one after the other.

    Args:
        severities: for each member, in the order of application, its severities at the combination's 1 to 5;
            one of 0 leaves the member out, and so does what lies between 0 and 1 at fractions.
    """

    def __init__(self, severities: Mapping[str, Sequence[int | float]]) -> None:
        self.severities = {name: tuple(steps) for name, steps in severities.items()}
        self.members = [member(name) for name in self.severities]

    def draw(self, level: float, key: int, shape: ClipShape) -> Params:
        """Which members act, by their places in the order, and under its place the parameters of each."""
        severities = [along(level, STEPS, steps) for steps in self.severities.values()]
        acting = [place for place, severity in enumerate(severities) if severity >= 1]
        params: Params = {"host_acting": torch.tensor(acting, dtype=torch.int64)}
        for place in acting:
            one = self.members[place]
            drawn = one.draw(one.level(severities[place]), Draws(key, place).word() >> 1, shape)
            params.update({f"{place}.{part}": value for part, value in drawn.items()})
        return params

    def apply(self, pixels: UInt8[Tensor, "b t c h w"], params: Params) -> UInt8[Tensor, "b t c h w"]:
        """The members' effects; the pixels are quantised to 8 bits between them, as between two devices."""
        for place in params["host_acting"].tolist()[0]:
            pixels = self.members[place].apply(pixels, parameters_of(place, params))
        return pixels


def parameters_of(place: int, params: Params) -> Params:
    """The parameters that lie under a place, by their own names; none where nothing is drawn."""
    prefix = f"{place}."
    return {name.removeprefix(prefix): value for name, value in params.items() if name.startswith(prefix)}


def combination(title: str, severities: Mapping[str, Sequence[int | float]], source: str) -> Perturbation:
    """A combined shift as a perturbation of its own.

    Its granularity is that of its fastest member, and it destroys the order of frames if any of them does.
    """
    combined = Combination(severities)
    members = combined.members
    return Perturbation(
        title=title,
        family="combined",
        unit="severities of " + ", ".join(f"{name} {_written(steps)}" for name, steps in combined.severities.items()),
        levels=STEPS,
        granularity=max((each.granularity for each in members), key=PACES.index),
        label_preserving="order" if any(each.label_preserving == "order" for each in members) else "yes",
        source=source,
        draw=combined.draw,
        apply=combined.apply,
        keyed=any(each.keyed for each in members),
        on_host=any(each.on_host for each in members),
        made_of=tuple(combined.severities),
    )


def _written(steps: Sequence[int | float]) -> str:
    return "/".join(f"{step:g}" for step in steps)
