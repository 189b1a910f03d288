"""Temporal profiles: when in the clip an appearance perturbation acts."""

from dataclasses import dataclass, replace
from typing import Literal, get_args

import torch
from jaxtyping import UInt8
from torch import Tensor

from perturbations._combine import STEPS, parameters_of
from perturbations._contract import ClipShape, Params, Perturbation
from perturbations._levels import along
from perturbations._random import Draws
from perturbations._suite import load

Profile = Literal["constant", "ramp", "burst", "apex"]
SHARE = 0.25
"""The part of the clip that a burst lasts and that an apex spans, if no other is asked for."""
TEMPORAL = ("temporal_loss", "temporal_rate", "temporal_order", "temporal_profile")
"""Families that choose frames; ``temporal_light`` changes the picture of each."""
_STREAM = 99


@dataclass(frozen=True, slots=True)
class _Course:
    """A perturbation whose severity changes over the frames: each frame shows it at one of several stages.

    All stages are drawn with one key, so that a mask stays where it is and a direction is kept while severity grows.
    """

    base: Perturbation
    profile: Profile
    share: float

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
        run = max(1, round(self.share * frames))
        start = Draws(key, _STREAM).integer(frames - run + 1) if self.profile == "burst" else (frames - run) // 2
        return torch.tensor([int(start <= moment < start + run) for moment in range(frames)])


def profiled(name: str, profile: Profile, share: float = SHARE) -> Perturbation:
    """An appearance perturbation that acts along a temporal profile.

    Args:
        name: the perturbation's file, or a suite's variant of one (``imagenet_c.fog``).
        profile: ``constant`` (all frames, the perturbation itself), ``ramp`` (the clip itself, then the documented
            severities up to its own, each for an equal part of the clip), ``burst`` (a run of frames, anywhere),
            ``apex`` (those in the middle).
        share: of the clip that a burst or an apex lasts, above 0 and up to 1; at least one frame.

    Raises:
        ValueError: for an unknown perturbation or profile, a share out of range, or a perturbation that moves frames in
            time, or has a profile already: the frames of two stages of it are no clip.
    """
    if profile not in get_args(Profile):
        raise ValueError(f"No profile named '{profile}'. Known: {', '.join(get_args(Profile))}.")
    if not 0 < share <= 1:
        raise ValueError(f"a {profile} lasts a share of the clip above 0 and up to 1, not {share:g}")
    base = load(name)
    if profile == "constant":
        return base
    moves = _not_of_the_picture(name)
    if moves is not None:
        raise ValueError(f"'{name}' has no {profile}: {moves} acts on time and not on the picture of each frame")
    course = _Course(base, profile, share)
    return replace(
        base,
        title=f"{base.title}, {profile}"
        + ("" if share == SHARE or profile == "ramp" else f" of {share:g} of the clip"),
        family="temporal_profile",
        granularity="coherent" if profile == "ramp" and base.granularity == "clip" else base.granularity,
        draw=course.draw,
        apply=course.apply,
        keyed=base.keyed or profile == "burst",
        made_of=(name,),
    )


def _not_of_the_picture(name: str) -> str | None:
    """A perturbation, or the first of those that it is made of, whose place in time matters; none of the picture's."""
    part = load(name)
    if part.family in TEMPORAL or part.label_preserving == "order":
        return name
    return next((found for inner in part.made_of if (found := _not_of_the_picture(inner))), None)
