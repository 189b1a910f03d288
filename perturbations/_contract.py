"""What a perturbation file exports."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, NamedTuple

from jaxtyping import UInt8
from torch import Tensor


class Landmarks(NamedTuple):
    """Five points of a clip's face, each (right, down) in fractions of the frame; left and right are the viewer's."""

    left_eye: tuple[float, float]
    right_eye: tuple[float, float]
    nose: tuple[float, float]
    left_mouth: tuple[float, float]
    right_mouth: tuple[float, float]


class ClipShape(NamedTuple):
    """Frames, height and width of a clip to be perturbed; where its face is, if that is known."""

    frames: int
    height: int
    width: int
    landmarks: Landmarks | None = None


Params = dict[str, Tensor]
"""Per-clip parameters; every tensor of a batch has the clip as its first axis.

They follow the pixels to their device, but for those whose names begin with ``host_``: what must be known before work
can be launched (sizes, counts, which donor), so that no device is ever waited for.
"""


class SecondParameter(NamedTuple):
    """A magnitude that a published table may give a perturbation beside its level.

    Attributes:
        unit: what it measures.
        draw: as the perturbation's own, but for the second magnitude after the level.
    """

    unit: str
    draw: Callable[[float, float, int, ClipShape], Params]


@dataclass(frozen=True, slots=True, kw_only=True)
class Perturbation:
    """A perturbation as a plugin: ``perturbations/fog.py`` exports ``fog = Perturbation(...)``.

    What it does to a clip is seen in ``docs/images/perturbations/fog.webp``, which the gallery draws.

    ``draw(level, key, shape)`` makes the parameters of one clip from integers only, cheaply, on the CPU.
    ``apply(pixels, params)`` perturbs a batch on its own device with per-clip parameters; it never sees the key's
    origin, never mutates its input, never touches a global generator.

    Attributes:
        title: the name people know it by.
        family: the group it is averaged in (illumination, noise, blur, temporal_loss, temporal_order, ...).
        unit: what the five levels measure, relative to image size and clip length where they are lengths.
        levels: the magnitudes at severities 1 to 5.
        granularity: what a random draw is for. ``clip``: one serves the whole clip, which frames it spoils included,
            and those are spoilt alike. ``frame``: every frame has draws of its own, independent of other frames', even
            where a loss shows until later. ``coherent``: the draw moves smoothly, so that neighbouring frames are
            spoilt more alike than distant ones. What draws nothing says ``clip``.
        label_preserving: ``yes``, or ``order`` if it destroys the order of frames (reported apart from robustness).
        source: where the levels come from.
        whole_batch: the CPU, too, is given all clips at once, because the work is a pass over bytes or takes clips one
            by one itself; others get them one by one there, which keeps their wider values in cache. Results do not
            depend on it.
        keyed: a draw depends on the clip's key; if not, one draw serves all clips of a shape.
        on_host: it goes through a codec on the CPU, wherever its clips are, so that who evaluates on another device
            can have it done there meanwhile.
        made_of: the names of the perturbations that it contains: a combination's members, or the one that a profile or
            a suite's levels are given to.
        second: a further magnitude, if published tables give it one; the perturbation itself holds it fixed.
    """

    title: str
    family: str
    unit: str
    levels: tuple[float, float, float, float, float]
    granularity: Literal["clip", "frame", "coherent"]
    label_preserving: Literal["yes", "order"]
    source: str
    draw: Callable[[float, int, ClipShape], Params]
    apply: Callable[[UInt8[Tensor, "b t c h w"], Params], UInt8[Tensor, "b t c h w"]]
    whole_batch: bool = False
    keyed: bool = True
    on_host: bool = False
    made_of: tuple[str, ...] = ()
    second: SecondParameter | None = None

    def level(self, severity: int | float) -> float:
        """The magnitude at a severity from 1 to 5; fractions interpolate linearly between documented levels."""
        if not 1 <= severity <= 5:
            raise ValueError(f"severity {severity} is outside 1..5; severity 0 is the clip itself")
        below = min(int(severity), 4)
        return self.levels[below - 1] + (severity - below) * (self.levels[below] - self.levels[below - 1])
