"""One clip from its role to the camera's frames."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float, UInt8

from harness.datasets._faces.action_units import Deformation, deform
from harness.datasets._faces.capture import draw_backdrop, expose, light_up
from harness.datasets._faces.cast import Role
from harness.datasets._faces.creases import draw_creases
from harness.datasets._faces.dynamics import (
    HeadMotion,
    Track,
    blink,
    drift,
    express,
    flash,
    look,
    move_head,
    speak,
)
from harness.datasets._faces.expressions import draw_strengths
from harness.datasets._faces.eyes import EyeState, draw_eyes
from harness.datasets._faces.field import SPAN, head_field, place_portrait
from harness.datasets._faces.identities import Identity
from harness.datasets._faces.mouth import draw_mouth
from harness.datasets._faces.portrait import Portrait, paint_portrait
from harness.datasets._faces.shapes import Canvas
from harness.datasets._faces.styles import Style
from harness.seeds import derive

CHUNK_PIXELS = 2**17
"""Pixels rendered together: few enough to stay in a processor's cache."""


class Movement(NamedTuple):
    """Everything that changes over a clip, frame by frame."""

    pose: Deformation
    eyes: EyeState
    head: HeadMotion
    exposure: Track

    def part(self, frames: slice) -> "Movement":
        """Some of the frames."""
        return Movement(
            Deformation(*(column[frames] for column in self.pose)),
            EyeState(*(column[frames] for column in self.eyes)),
            HeadMotion(*(track[frames] for track in self.head)),
            self.exposure[frames],
        )


def render_clip(role: Role, identity: Identity, style: Style, side: int) -> UInt8[np.ndarray, "t r w"]:
    """The clip's frames as planar YUV 4:2:0 (luma above both chromas), ``side`` pixels square."""
    movement = draw_movement(role, identity)
    generator = _generator(role.seed, "camera")
    backdrop = draw_backdrop(style, side, generator)
    portrait = paint_portrait(identity, 2 * SPAN / side)
    step = max(1, CHUNK_PIXELS // side**2)
    chunks = []
    for start in range(0, role.num_frames, step):
        part = movement.part(slice(start, start + step))
        canvas = draw_scene(backdrop, portrait, identity, part)
        light_up(canvas, style, part.exposure)
        chunks.append(expose(canvas, style, generator))
    return np.concatenate(chunks)


def draw_movement(role: Role, identity: Identity) -> Movement:
    """Expression, talk, blinks, gaze and head motion, each drawn from its own generator."""
    frames = role.num_frames
    activation = _expression(role, identity)
    if role.speaking:
        activation = activation + speak(frames, _generator(role.seed, "speech"))
    fidget = _generator(role.seed, "fidget")
    for _ in range(int(fidget.poisson(frames / 120))):
        activation = activation + flash(frames, fidget)
    gaze = look(frames, _generator(role.seed, "gaze"))
    closed = blink(frames, _generator(role.seed, "blink"))
    light = _generator(role.seed, "light")
    return Movement(
        pose=deform(activation, identity.rest),
        eyes=EyeState(*(track.reshape(-1, 1, 1) for track in (closed, gaze.right, gaze.down))),
        head=move_head(frames, _generator(role.seed, "head")),
        exposure=np.float32(light.uniform(0.88, 1.12)) * (1 + 0.02 * drift(frames, 0.4, light)),
    )


def draw_scene(
    backdrop: Float[np.ndarray, "3 h w"], portrait: Portrait, identity: Identity, movement: Movement
) -> Canvas:
    """Frames as red, green and blue planes "3 t h w" from 0 to 1, evenly lit."""
    frames = len(movement.exposure)
    canvas = np.repeat(backdrop[:, np.newaxis], frames, axis=1)
    field = head_field(backdrop.shape[-1], movement.head)
    place_portrait(canvas, field, portrait, movement.pose.jaw)
    draw_creases(canvas, field, identity, movement.pose)
    draw_mouth(canvas, field, identity, movement.pose)
    draw_eyes(canvas, field, identity, movement.pose, movement.eyes)
    return canvas


def _expression(role: Role, identity: Identity) -> Float[np.ndarray, "t a"]:
    """Activation of the action units by the clip's expression and the one blended into it."""
    generator = _generator(role.seed, "expression")
    strengths = role.peak * draw_strengths(role.expression, identity.habits, generator)
    if role.blend:
        strengths = strengths + role.blend_peak * draw_strengths(role.blend, identity.habits, generator)
    return express(role.num_frames, role.phases, np.clip(strengths, 0, 1).astype(np.float32), generator)


def _generator(*purpose: str | int) -> np.random.Generator:
    """The generator for a purpose."""
    return np.random.Generator(np.random.PCG64(derive(*purpose)))
