"""The cast list: which clip shows whom, expressing what, when, how strongly, filmed how, in which fold.

Everything about a set but its pixels. Each decision is drawn from a generator named for it, so that no clip depends
on the order in which clips are drawn.
"""

from dataclasses import dataclass
from itertools import cycle

import numpy as np
from jaxtyping import Int

from harness.datasets._faces.dynamics import Phases, draw_phases
from harness.datasets._faces.expressions import CLASSES, DFEW_COUNTS
from harness.datasets._faces.styles import STYLES
from harness.seeds import derive

NUM_FOLDS = 5

LENGTH_QUANTILES = ((0.0, 11), (0.05, 33), (0.25, 48), (0.5, 70), (0.75, 95), (0.95, 155), (1.0, 240))
"""Frames per clip: minimum and quantiles counted from DFEW's lists; its longest clip, 847 frames, is cut to 240."""

AMBIGUOUS = 0.15
"""The share of clips with a weak expression; DFEW keeps clips on which 3 of 10 annotators disagree."""

BLENDED = 0.08
"""The share of clips that show a second expression, weaker than the one that names the clip."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How much to draw: clips, side length in pixels, people, and the fewest clips of a class."""

    clips: int
    side: int
    identities: int
    floor: int = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Role:
    """One clip's part.

    Attributes:
        number: counts from 1; names the file.
        expression: class name.
        fold: in whose test list the clip is, 1 to 5.
        identity: name of the person.
        style: name of the capture style.
        num_frames: at 25 frames per second.
        phases: onset, apex, offset and end of the expression.
        peak: intensity at the apex, 0 to 1; 0 for Neutral.
        blend: the second expression's class name, empty for none.
        blend_peak: its intensity.
        speaking: whether the person talks.
        seed: what the clip's movements and noise are drawn from.
    """

    number: int
    expression: str
    fold: int
    identity: str
    style: str
    num_frames: int
    phases: Phases
    peak: float
    blend: str
    blend_peak: float
    speaking: bool
    seed: int

    @property
    def clip_id(self) -> str:
        """Five digits, as DFEW names its files."""
        return f"{self.number:05d}"


def draw_cast(size: Size, seed: int) -> tuple[Role, ...]:
    """All clips of a set, numbered fold by fold and person by person.

    DFEW's folds follow from its clip numbers (within each class five contiguous blocks) and so roughly follow films;
    here they follow people by the same rule, and no person is in two folds.
    """
    parts = [part for fold in range(1, NUM_FOLDS + 1) for part in _fold_parts(size, seed, fold)]
    lengths = draw_lengths(len(parts), _generator(seed, "lengths"))
    styles = _generator(seed, "styles").permutation([i % len(STYLES) for i in range(len(parts))])
    return tuple(
        _draw_role(number, part, int(lengths[number - 1]), STYLES[styles[number - 1]].name, seed)
        for number, part in enumerate(parts, start=1)
    )


def class_counts(size: Size) -> tuple[int, ...]:
    """Clips per class: in DFEW's proportions, but no class below the floor; the largest remainders round up."""
    shares = np.array(DFEW_COUNTS, dtype=np.float64)
    counts = np.zeros(len(shares), dtype=np.int64)
    free = np.ones(len(shares), dtype=bool)
    while True:
        ideal = shares * (size.clips - counts[~free].sum()) / shares[free].sum()
        rare = free & (ideal < size.floor)
        if not rare.any():
            break
        counts[rare], free[rare] = size.floor, False
    counts[free] = np.floor(ideal[free])
    order = np.argsort(np.where(free, counts - ideal, np.inf), kind="stable")
    counts[order[: size.clips - counts.sum()]] += 1
    return tuple(int(count) for count in counts)


def draw_lengths(count: int, generator: np.random.Generator) -> Int[np.ndarray, " n"]:
    """Frames per clip in random order, their distribution DFEW's however few clips there are."""
    shares, frames = zip(*LENGTH_QUANTILES, strict=True)
    levels = (generator.permutation(count) + generator.random(count)) / count
    lengths: Int[np.ndarray, " n"] = np.floor(np.interp(levels, shares, frames)).astype(np.int64)
    return lengths


def identity_names(size: Size, fold: int) -> tuple[str, ...]:
    """The people of a fold."""
    return tuple(f"person-{number:03d}" for number in range(1, size.identities + 1) if number % NUM_FOLDS == fold - 1)


def _fold_parts(size: Size, seed: int, fold: int) -> list[tuple[int, str, str]]:
    """(fold, identity, expression) of a fold's clips, ordered by identity; everyone gets about equally many."""
    expressions = [
        name
        for name, count in zip(CLASSES, class_counts(size), strict=True)
        for _ in range(count // NUM_FOLDS + (fold <= count % NUM_FOLDS))
    ]
    shuffled = _generator(seed, "deal", fold).permutation(expressions)
    dealt = zip(cycle(identity_names(size, fold)), map(str, shuffled), strict=False)
    return [(fold, identity, expression) for identity, expression in sorted(dealt, key=lambda part: part[0])]


def _draw_role(number: int, part: tuple[int, str, str], num_frames: int, style: str, seed: int) -> Role:
    """One clip's role: its timing, and how clearly it shows what it is named for."""
    fold, identity, expression = part
    clip_seed = derive(seed, "clip", number)
    generator = _generator(clip_seed, "role")
    weak = generator.random() < AMBIGUOUS
    peak = generator.uniform(0.25, 0.5) if weak else generator.uniform(0.7, 1.0)
    blend, blend_share = "", 0.0
    if generator.random() < BLENDED:
        others = [name for name in CLASSES if name not in (expression, "Neutral")]
        blend, blend_share = str(generator.choice(others)), generator.uniform(0.3, 0.65)
    if expression == "Neutral":
        peak, blend_peak = 0.0, 0.35 * blend_share
    else:
        blend_peak = peak * blend_share
    return Role(
        number=number,
        expression=expression,
        fold=fold,
        identity=identity,
        style=style,
        num_frames=num_frames,
        phases=draw_phases(num_frames, generator),
        peak=round(float(peak), 3),
        blend=blend,
        blend_peak=round(float(blend_peak), 3),
        speaking=bool(generator.random() < 0.5),
        seed=clip_seed,
    )


def _generator(*purpose: str | int) -> np.random.Generator:
    """The generator for a purpose."""
    return np.random.Generator(np.random.PCG64(derive(*purpose)))
