"""Training augmentation on the model's device: one draw per clip, the same for all its frames.

Draws are made here, keyed by seed, epoch and clip; kornia's functions apply them with a clip's own numbers. (Its
augmentation classes draw from the global generator, in a way that depends on the shape of the batch.)
"""

from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Float
from kornia.enhance import (
    adjust_brightness_accumulative,
    adjust_contrast_with_mean_subtraction,
    adjust_hue,
    adjust_saturation_with_gray_subtraction,
)
from kornia.geometry.transform import rotate, warp_affine
from torch import Tensor

from harness.seeds import derive
from harness.train.augment_recipes import Draw, Step, draw, recipe_of

ADJUST = (
    adjust_brightness_accumulative,
    adjust_contrast_with_mean_subtraction,
    adjust_saturation_with_gray_subtraction,
    adjust_hue,
)
"""Multiplies the values; moves them from each frame's mean grey; moves them from each pixel's grey; turns the hue."""

NEUTRAL = (1.0, 1.0, 1.0, 0.0)
"""Numbers with which these do nothing."""


def augment(
    clips: Float[Tensor, "b t c h w"], names: Sequence[str], seed: int, epoch: int, clip_ids: Sequence[str]
) -> Float[Tensor, "b t c h w"]:
    """Clips in [0, 1] after one draw each of a recipe; draws are keyed by seed, epoch and clip, not by batch.

    Args:
        clips: colour clips; they are left as they are.
        names: of a published recipe, or of parts, as in ``clip.augment``.
        seed: the trial's.
        epoch: counted from 1.
        clip_ids: one per clip.
    """
    recipe = recipe_of(tuple(names))
    if not recipe.steps:
        return clips
    generators = (np.random.default_rng(derive(seed, "augment", epoch, clip_id)) for clip_id in clip_ids)
    draws = [draw(recipe, generator) for generator in generators]
    if clips.device.type != "cpu":
        return _applied(clips, recipe.steps, draws)
    # A clip at a time fits the processor's cache, which nearly halves the time of a batch.
    singles = zip(clips.split(1), draws, strict=True)
    return torch.cat([_applied(clip, recipe.steps, [one]) for clip, one in singles])


def _applied(
    clips: Float[Tensor, "b t c h w"], steps: Sequence[Step], draws: Sequence[Draw]
) -> Float[Tensor, "b t c h w"]:
    """Every step of a recipe in turn; a flip after a crop is done by the crop."""
    for step, before in zip(steps, [None, *steps], strict=False):
        if step == "crop":
            clips = _cropped(clips, draws, flips="flip" in steps)
        elif step == "flip" and before != "crop":
            mirrored = torch.tensor([one.mirrored for one in draws], device=clips.device)
            clips = torch.where(mirrored.view(-1, 1, 1, 1, 1), clips.flip(-1), clips)
        elif step == "color":
            clips = _colored(clips, draws)
        elif step == "rotate":
            clips = _rotated(clips, draws)
    return clips


def _cropped(clips: Float[Tensor, "b t c h w"], draws: Sequence[Draw], *, flips: bool) -> Float[Tensor, "b t c h w"]:
    """Each clip's window stretched to the whole frame, bilinearly; the border's pixels go on beyond it."""
    height, width = clips.shape[-2:]
    matrices = np.zeros((len(draws), 2, 3))
    for matrix, one in zip(matrices, draws, strict=True):
        window = one.window
        # Pixels have their centres half a pixel inside: the left edge of pixel 0 is at -0.5.
        matrix[0] = 1 / window.width, 0, (0.5 - window.left * width) / window.width - 0.5
        matrix[1] = 0, 1 / window.height, (0.5 - window.top * height) / window.height - 0.5
        if flips and one.mirrored:
            matrix[0] = -matrix[0, 0], 0, width - 1 - matrix[0, 2]
    flat = clips.flatten(1, 2)
    affine = torch.from_numpy(matrices).to(flat)
    out: Tensor = warp_affine(flat, affine, (height, width), padding_mode="border", align_corners=False)
    return out.view(clips.shape)


def _rotated(clips: Float[Tensor, "b t c h w"], draws: Sequence[Draw]) -> Float[Tensor, "b t c h w"]:
    """Each clip turned about its centre; what comes in at the corners is black."""
    flat = clips.flatten(1, 2)
    angles = torch.tensor([one.angle for one in draws]).to(flat)
    turned: Tensor = rotate(flat, angles, mode="nearest")
    return turned.view(clips.shape)


def _colored(clips: Float[Tensor, "b t c h w"], draws: Sequence[Draw]) -> Float[Tensor, "b t c h w"]:
    """Colours of each clip adjusted by its numbers in its order; clips with the same next step go together."""
    for place in range(len(ADJUST)):
        for index, adjust in enumerate(ADJUST):
            rows = [
                i for i, one in enumerate(draws) if one.order[place] == index and one.factors[index] != NEUTRAL[index]
            ]
            if not rows:
                continue
            numbers = torch.tensor([draws[i].factors[index] for i in rows]).to(clips).view(-1, 1, 1, 1, 1)
            if adjust is adjust_hue:
                numbers = 2 * torch.pi * numbers
            if len(rows) == len(draws):
                clips = adjust(clips, numbers)
            else:
                chosen = torch.tensor(rows, device=clips.device)
                clips = clips.index_copy(0, chosen, adjust(clips[chosen], numbers))
    return clips
