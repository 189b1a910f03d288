"""Temporal samplers by name: which frames of a clip a network sees.

Every rule is a function of the clip's length, of the number of frames wanted and of ``key`` alone. Names that end in
``_random`` draw (from a generator seeded by ``key`` and nothing else); all others ignore the key. Frames are counted
from 0; T is the clip's number of frames, n the number wanted.

Clips shorter than n (what each rule does when T < n):

=================== =================================================================================
segment_*           segments narrower than a frame: frames repeat in order, evenly over the clip
former_dfer*        frames 0 and 1 alternate (T < n / 2 + 2 for the fixed rule, T <= n / 2 for the drawn one)
m3dfel_random       clamped to the last frame
linspace            the clip is repeated from its start until it has n frames
stride_window*      the last frame is held
dense_multi_view    the last frame is held
=================== =================================================================================
"""

from collections.abc import Callable

import numpy as np
from jaxtyping import Int

from harness.errors import HarnessError, unknown

Rule = Callable[[int, int, np.random.Generator], np.ndarray[tuple[int, ...], np.dtype[np.int64]]]

STRIDE = 4
"""Frames between two samples of ``stride_window``: MAE-DFER samples 16 frames from 64 (Sun et al., ACM MM 2023)."""

TEMPORAL_VIEWS = 2
"""Views of ``dense_multi_view``: MAE-DFER averages two temporal views (of two crops each) at test time."""


def segment_center(num_frames: int, wanted: int, _: np.random.Generator) -> Int[np.ndarray, " t"]:
    """The centre of each of n equal segments, floor((k + 1/2) T / n): the test rule of IAL and DFER-CLIP."""
    return (2 * np.arange(wanted) + 1) * num_frames // (2 * wanted)


def segment_random(num_frames: int, wanted: int, generator: np.random.Generator) -> Int[np.ndarray, " t"]:
    """One frame drawn evenly from each of n equal segments (temporal segment networks, Wang et al., ECCV 2016).

    Segment k runs from floor(k T / n) up to floor((k + 1) T / n), so every frame can be drawn; the field's loaders
    use segments of floor(T / n) frames, which never reach the last T mod n frames.
    """
    borders = np.arange(wanted + 1) * num_frames // wanted
    widths = np.maximum(np.diff(borders), 1)
    return borders[:-1] + (generator.random(wanted) * widths).astype(np.int64)


def former_dfer(num_frames: int, wanted: int, _: np.random.Generator) -> Int[np.ndarray, " t"]:
    """Two consecutive frames from the centre of each of n / 2 segments: Former-DFER's test rule (ACM MM 2021).

    With tick = 2 (T - 1) / n a segment starts at floor(tick / 2 + tick k) if T > n / 2 + 1, else at frame 0.
    """
    segments = _pairs(wanted)
    if num_frames > segments + 1:
        starts = (2 * np.arange(segments) + 1) * (num_frames - 1) // (2 * segments)
    else:
        starts = np.zeros(segments, dtype=np.int64)
    return _consecutive(starts, num_frames)


def former_dfer_random(num_frames: int, wanted: int, generator: np.random.Generator) -> Int[np.ndarray, " t"]:
    """Two consecutive frames from a random place in each of n / 2 segments: Former-DFER's training rule.

    A segment has a = floor(2 (T - 1) / n) possible starts; with a = 0 every segment starts at frame 0.
    """
    segments = _pairs(wanted)
    width = (num_frames - 1) // segments
    starts = np.arange(segments) * width + (generator.random(segments) * width).astype(np.int64)
    return _consecutive(starts, num_frames)


def m3dfel_random(num_frames: int, wanted: int, generator: np.random.Generator) -> Int[np.ndarray, " t"]:
    """floor(T k / n) + floor(n u) clamped to T - 1: M3DFEL as released, in training and in test (CVPR 2023).

    The jitter of up to n - 1 frames is wider than a segment for T < n squared, so frames come out of order.
    """
    jitter = (generator.random(wanted) * wanted).astype(np.int64)
    indices: np.ndarray = np.minimum(np.arange(wanted) * num_frames // wanted + jitter, num_frames - 1)
    return indices


def linspace(num_frames: int, wanted: int, _: np.random.Generator) -> Int[np.ndarray, " t"]:
    """floor(k (T - 1) / (n - 1)), first and last frame included: the test rule of DFEW's authors (ACM MM 2020)."""
    length = num_frames * -(-wanted // num_frames)
    indices: np.ndarray = np.arange(wanted) * (length - 1) // max(wanted - 1, 1) % num_frames
    return indices


def stride_window(num_frames: int, wanted: int, _: np.random.Generator) -> Int[np.ndarray, " t"]:
    """Every fourth frame of a window of 4 n frames in the middle of the clip."""
    return _window(num_frames, wanted, max(num_frames - STRIDE * wanted, 0) // 2)


def stride_window_random(num_frames: int, wanted: int, generator: np.random.Generator) -> Int[np.ndarray, " t"]:
    """Every fourth frame of a window of 4 n frames at a random place: MAE-DFER's training window (ACM MM 2023).

    The released loader spreads n samples evenly over the 4 n frames, ends included (a stride of 4.27 for n = 16).
    """
    return _window(num_frames, wanted, int(generator.integers(max(num_frames - STRIDE * wanted, 0) + 1)))


RULES: dict[str, Rule] = {
    rule.__name__: rule
    for rule in (
        segment_center,
        segment_random,
        former_dfer,
        former_dfer_random,
        m3dfel_random,
        linspace,
        stride_window,
        stride_window_random,
    )
}

SAMPLERS: tuple[str, ...] = tuple(sorted(RULES))
"""Names that :func:`sample` accepts."""

VIEW_SAMPLERS: tuple[str, ...] = tuple(sorted([*RULES, "dense_multi_view"]))
"""Names that :func:`sample_views` accepts."""


def is_random(name: str) -> bool:
    """Whether a sampler's frames depend on the key."""
    return name.endswith("_random")


def sample(name: str, num_frames: int, wanted: int, key: int) -> Int[np.ndarray, " t"]:
    """The indices of the ``wanted`` frames that a sampler takes from a clip, each in 0 .. num_frames - 1.

    Args:
        name: one of ``SAMPLERS``.
        num_frames: length of the clip, at least 1.
        wanted: number of indices to return, at least 1.
        key: seed of this draw, from what it is for (seed, epoch, clip id); samplers that do not draw ignore it.

    Raises:
        HarnessError: for an unknown sampler, an empty clip, or a number of frames that the rule cannot give.
    """
    if name not in RULES:
        raise unknown("sampler", name, RULES)
    _check_lengths(name, num_frames, wanted)
    return RULES[name](num_frames, wanted, np.random.Generator(np.random.PCG64(key))).astype(np.int64)


def sample_views(name: str, num_frames: int, wanted: int, key: int) -> Int[np.ndarray, "v t"]:
    """The indices of every view of a clip whose predictions are averaged: one row per view.

    ``dense_multi_view`` takes every fourth frame of the whole clip and gives the first and the last n of them: the
    temporal views of MAE-DFER's test rule (its spatial views are crops, which are not this function's). Every other
    sampler gives one row, that of :func:`sample`.

    Raises:
        HarnessError: as :func:`sample`.
    """
    if name not in VIEW_SAMPLERS:
        raise unknown("sampler", name, VIEW_SAMPLERS)
    if name != "dense_multi_view":
        return sample(name, num_frames, wanted, key)[None]
    _check_lengths(name, num_frames, wanted)
    last = max(-(-num_frames // STRIDE) - wanted, 0)
    starts = [STRIDE * (view * last // (TEMPORAL_VIEWS - 1)) for view in range(TEMPORAL_VIEWS)]
    return np.stack([_window(num_frames, wanted, start, (num_frames - 1) // STRIDE * STRIDE) for start in starts])


def _check_lengths(name: str, num_frames: int, wanted: int) -> None:
    if num_frames < 1 or wanted < 1:
        raise HarnessError(
            f"Sampler {name} was asked for {wanted} frames of a clip of {num_frames}; both must be >= 1."
        )


def _window(num_frames: int, wanted: int, start: int, last: int | None = None) -> Int[np.ndarray, " t"]:
    """Every fourth frame from a start on, holding ``last`` (by default the clip's last frame)."""
    return np.minimum(start + STRIDE * np.arange(wanted), num_frames - 1 if last is None else last)


def _pairs(wanted: int) -> int:
    if wanted % 2:
        raise HarnessError(f"former_dfer takes pairs of consecutive frames, so it cannot give {wanted} frames.")
    return wanted // 2


def _consecutive(starts: Int[np.ndarray, " s"], num_frames: int) -> Int[np.ndarray, " t"]:
    return np.minimum(starts[:, None] + np.arange(2), num_frames - 1).reshape(-1)
