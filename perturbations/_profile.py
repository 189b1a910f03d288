"""Temporal profiles: when in the clip an appearance perturbation acts."""

from dataclasses import dataclass, replace
from typing import Literal

import torch
from jaxtyping import UInt8
from torch import Tensor

from perturbations._combine import STEPS, member, parameters_of
from perturbations._contract import ClipShape, Params, Perturbation
from perturbations._levels import along
from perturbations._random import Draws

Profile = Literal["constant", "ramp", "burst", "apex"]
SHARE = 0.25
"""The part of the clip that a burst lasts and that an apex spans."""
_STREAM = 99


@dataclass(frozen=True, slots=True)
class _Course:
    """A perturbation whose severity changes over the frames: each frame shows it at one of several stages.

    All stages are drawn with one key, so that a mask stays where it is and a direction is kept while severity grows.
    """

    base: Perturbation
    profile: Profile

    def draw(self, level: float, key: int, shape: ClipShape) -> Params:
        """The stage of every frame (0: clean), how many there are, and the parameters of each."""
        severity = along(level, self.base.levels, STEPS)
        stages = [*(step for step in STEPS if step < severity), severity] if self.profile == "ramp" else [severity]
        params = {"stage": self._stages(severity, key, shape.frames, stages), "host_stages": torch.tensor(len(stages))}
        for place, stage in enumerate(stages):
            drawn = self.base.draw(self.base.level(stage), key, shape)
            params.update({f"{place + 1}.{name}": value for name, value in drawn.items()})
        return params

    def apply(self, pixels: UInt8[Tensor, "b t c h w"], params: Params) -> UInt8[Tensor, "b t c h w"]:
        """Every frame taken from its stage."""
        stages, spoilt = params["stage"][:, :, None, None, None], pixels
        for place in range(1, params["host_stages"].tolist()[0] + 1):
            spoilt = torch.where(stages == place, self.base.apply(pixels, parameters_of(place, params)), spoilt)
        return spoilt

    def _stages(self, severity: float, key: int, frames: int, stages: list[float]) -> Tensor:
        if self.profile == "ramp":
            # beyond a whole severity the next one begins in the last frame and spreads, so that no fraction leaps
            share = (severity + 1) / max(frames - 1, 1)
            reached = [share * max(moment, 2 - frames) + 1e-9 for moment in range(frames)]
            return torch.tensor([min(int(now), len(stages)) for now in reached])
        run = max(1, round(SHARE * frames))
        start = Draws(key, _STREAM).integer(frames - run + 1) if self.profile == "burst" else (frames - run) // 2
        return torch.tensor([int(start <= moment < start + run) for moment in range(frames)])


def profiled(name: str, profile: Profile) -> Perturbation:
    """An appearance perturbation that acts along a temporal profile.

    Args:
        name: the perturbation's file.
        profile: ``constant`` (all frames, the perturbation itself), ``ramp`` (the clip itself, then the documented
            severities up to its own, each for an equal part of the clip), ``burst`` (a quarter of the clip, anywhere),
            ``apex`` (its middle quarter).
    """
    base = member(name)
    if profile == "constant":
        return base
    course = _Course(base, profile)
    return replace(
        base,
        title=f"{base.title}, {profile}",
        family="temporal_profile",
        granularity="frame",
        draw=course.draw,
        apply=course.apply,
        keyed=base.keyed or profile == "burst",
        made_of=(name,),
    )
