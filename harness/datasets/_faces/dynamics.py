"""How a face moves over a clip: the expression's onset, apex and offset, and everything that carries no label."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from harness.datasets._faces.action_units import UNITS

FRAMES_PER_SECOND = 25

Track = Float[np.ndarray, " t"]
"""One value per frame."""


class Phases(NamedTuple):
    """Frames at which an expression begins to rise, is fully shown, begins to fall, and is gone.

    A clip is cut from a longer scene: an expression may still be held at its end (``end`` lies beyond the last
    frame), or have begun before its start (``onset`` is negative).
    """

    onset: int
    apex: int
    offset: int
    end: int


def draw_phases(num_frames: int, generator: np.random.Generator) -> Phases:
    """When an expression rises and falls within a clip of so many frames.

    One clip in ten opens on the expression and shows it fade, three hold it to the end, six show it come and go, with
    the apex anywhere in the clip: any one frame, the middle one included, often misses it. Rise and fall take between a
    twelfth and a quarter of the clip, but 3 to 24 frames.
    """
    course = generator.choice(("fade", "hold", "whole"), p=(0.1, 0.3, 0.6))
    rise, fall = (int(np.clip(num_frames * share, 3, 24)) for share in generator.uniform(0.08, 0.24, 2))
    if course == "fade":
        offset = round(num_frames * generator.uniform(0.2, 0.5))
        return Phases(-rise, 0, offset, offset + fall)
    if course == "hold":
        # within the clip: of clips of 11 frames some would end before their apex
        onset = min(round(num_frames * generator.uniform(0.15, 0.7)), num_frames - 1 - rise)
        return Phases(onset, onset + rise, num_frames, num_frames + fall)
    held = max(2, round(num_frames * generator.uniform(0.12, 0.32)))
    onset = round(generator.uniform(0.06 * num_frames, max(0.94 * num_frames - rise - held - 0.5 * fall, 1)))
    return Phases(onset, onset + rise, onset + rise + held, onset + rise + held + fall)


def envelope(num_frames: int, phases: Phases) -> Track:
    """An expression's strength over time: 0, a smooth rise, 1, a smooth fall, 0."""
    frames = np.arange(num_frames, dtype=np.float32)
    rising = _smooth((frames - phases.onset) / max(phases.apex - phases.onset, 1))
    falling = _smooth((frames - phases.offset) / max(phases.end - phases.offset, 1))
    strength: Track = rising * (1 - falling)
    return strength


def express(
    num_frames: int, phases: Phases, strengths: Float[np.ndarray, " a"], generator: np.random.Generator
) -> Float[np.ndarray, "t a"]:
    """Activation of every action unit: each follows the envelope up to two frames early or late, and trembles."""
    activation = np.zeros((num_frames, len(UNITS)), dtype=np.float32)
    for unit, strength in enumerate(strengths):
        if strength > 0:
            delay = int(generator.integers(-2, 3))
            shifted = Phases(*(frame + delay for frame in phases))
            tremble = 1 + 0.08 * drift(num_frames, 0.8, generator)
            activation[:, unit] = strength * envelope(num_frames, shifted) * tremble
    return activation


def drift(num_frames: int, hertz: float, generator: np.random.Generator) -> Track:
    """A smooth wandering track of unit variance: three sine waves of about the given frequency."""
    seconds = np.arange(num_frames) / FRAMES_PER_SECOND
    frequencies = hertz * generator.uniform(0.4, 1.6, (3, 1))
    phases = generator.uniform(0, 2 * np.pi, (3, 1))
    waves = np.sin(2 * np.pi * frequencies * seconds + phases)
    track: Track = (waves.sum(axis=0) * np.sqrt(2 / 3)).astype(np.float32)
    return track


def speak(num_frames: int, generator: np.random.Generator) -> Float[np.ndarray, "t a"]:
    """Action units 25 and 26 of somebody who talks in bursts, 3 to 5 syllables a second."""
    rate, loudness = generator.uniform(3.0, 5.0), generator.uniform(0.15, 0.4)
    seconds = np.arange(num_frames) / FRAMES_PER_SECOND
    wobble = 0.6 * drift(num_frames, 0.7, generator)
    syllables = 0.5 - 0.5 * np.cos(2 * np.pi * rate * seconds + wobble)
    bursts = _smooth(0.8 + 1.2 * drift(num_frames, 0.5, generator))
    level = loudness * syllables * bursts * (0.75 + 0.25 * drift(num_frames, 1.5, generator))
    return _only({25: np.maximum(level, 0) * 0.7, 26: np.maximum(level, 0)}, num_frames)


def flash(num_frames: int, generator: np.random.Generator) -> Float[np.ndarray, "t a"]:
    """A movement that accompanies talk and means nothing here: brows up, brows down, or a polite trace of a smile."""
    units = ((1, 2), (4,), (12,))[generator.integers(3)]
    start, strength = int(generator.integers(num_frames)), generator.uniform(0.15, 0.4)
    brief = envelope(num_frames, Phases(start, start + 4, start + 8, start + 13))
    return _only(dict.fromkeys(units, strength * brief), num_frames)


def blink(num_frames: int, generator: np.random.Generator) -> Track:
    """How far the lids are closed, 0 to 1: a blink every one to five seconds, a third of a second long."""
    closed = np.zeros(num_frames, dtype=np.float32)
    frame = int(generator.uniform(0, 3) * FRAMES_PER_SECOND)
    while frame < num_frames:
        closed = np.maximum(closed, envelope(num_frames, Phases(frame, frame + 3, frame + 4, frame + 8)))
        frame += int(generator.uniform(1, 5) * FRAMES_PER_SECOND)
    return closed


class Gaze(NamedTuple):
    """Where the eyes look, from -1 to 1."""

    right: Track
    down: Track


def look(num_frames: int, generator: np.random.Generator) -> Gaze:
    """Fixations of half a second to three seconds, joined by jumps."""
    right, down = np.zeros(num_frames, dtype=np.float32), np.zeros(num_frames, dtype=np.float32)
    frame = 0
    while frame < num_frames:
        right[frame:], down[frame:] = np.clip(generator.normal(0, (0.4, 0.2)), -1, 1)
        frame += int(generator.uniform(0.5, 3) * FRAMES_PER_SECOND)
    return Gaze(right, down)


class HeadMotion(NamedTuple):
    """The head in front of the camera: shifts in head units, roll in radians, scale, and turns as parallax."""

    right: Track
    down: Track
    roll: Track
    scale: Track
    yaw: Track
    pitch: Track


def move_head(num_frames: int, generator: np.random.Generator) -> HeadMotion:
    """A posture for the clip and a slow sway around it, some clips livelier than others: what alignment leaves over."""
    postures = generator.standard_normal(6) * (0.02, 0.015, 0.025, 0.02, 0.03, 0.025)
    sway = np.array((0.012, 0.01, 0.018, 0.008, 0.024, 0.018)) * generator.uniform(0.3, 1.4)
    tracks = [p + s * drift(num_frames, 0.45, generator) for p, s in zip(postures, sway, strict=True)]
    tracks[3] = 1 + tracks[3]
    return HeadMotion(*(track.astype(np.float32) for track in tracks))


def _only(tracks: dict[int, Track], num_frames: int) -> Float[np.ndarray, "t a"]:
    """An activation matrix with the given units and no others."""
    activation = np.zeros((num_frames, len(UNITS)), dtype=np.float32)
    for unit, track in tracks.items():
        activation[:, UNITS.index(unit)] = track
    return activation


def _smooth(x: Track) -> Track:
    """Smooth step (cubic) from 0 at 0 to 1 at 1."""
    t = np.clip(x, 0, 1)
    step: Track = t * t * (3 - 2 * t)
    return step
