"""Plasma: fractal fields by midpoint displacement on a grid of diamonds and squares, fed with keyed draws.

Means of four 24-bit fractions and displacements by powers of the roughness are taken elementwise and in one order, so
the field is the same on every device.
"""

import torch
from jaxtyping import Float32, Int64
from torch import Tensor

from perturbations._random import uniform


def plasma(
    keys: Int64[Tensor, " b"], height: int, width: int, roughness: Float32[Tensor, " b"]
) -> Float32[Tensor, "b h w"]:
    """A fractal field for each key, scaled to fill 0..1 (Fournier, Fussell and Carpenter 1982).

    As in ImageNet-C, corners start equal, and the grid is the next power of two. Otherwise than there, the grid does
    not close on itself, and the part that is seen is scaled, not the whole grid.

    Args:
        keys: one for each field.
        height: in pixels.
        width: in pixels.
        roughness: the factor on the random displacement from one octave to the next, for each field.
    """
    factor = roughness[:, None, None]
    side = 1 << max(1, (max(height, width) - 2).bit_length())
    # every point of the grid but its corners is displaced once, by its own draw
    field = uniform(keys, 1, (side + 1, side + 1)).sub_(0.5)
    field[:, ::side, ::side] = 0
    step, spread = side, torch.ones_like(factor)
    while step > 1:
        _displace_squares(field, step, spread)
        _displace_diamonds(field, step, spread)
        step, spread = step // 2, spread * factor
    field = field[:, :height, :width]
    low = field.amin((1, 2), keepdim=True)
    return (field - low) / (field.amax((1, 2), keepdim=True) - low).clamp(min=1e-6)


def _displace_squares(field: Float32[Tensor, "b u u"], step: int, spread: Float32[Tensor, "b 1 1"]) -> None:
    """The centre of each square becomes the mean of its corners and its displacement."""
    corners = field[:, ::step, ::step]
    pairs = corners[:, 1:] + corners[:, :-1]
    centres = field[:, step // 2 :: step, step // 2 :: step]
    centres.mul_(spread).add_((pairs[:, :, 1:] + pairs[:, :, :-1]).mul_(0.25))


def _displace_diamonds(field: Float32[Tensor, "b u u"], step: int, spread: Float32[Tensor, "b 1 1"]) -> None:
    """The middle of each side becomes the mean of the side's ends and the centres beside it, and its displacement.

    At the border, where there is one centre, that one counts twice.
    """
    corners, centres = field[:, ::step, ::step], field[:, step // 2 :: step, step // 2 :: step]
    for turned, ends, beside in (
        (field[:, ::step, step // 2 :: step], corners, centres),
        (field[:, step // 2 :: step, ::step].transpose(1, 2), corners.transpose(1, 2), centres.transpose(1, 2)),
    ):
        around = torch.cat([beside[:, :1], beside, beside[:, -1:]], 1)
        mean = (ends[:, :, 1:] + ends[:, :, :-1]).add_(around[:, 1:]).add_(around[:, :-1]).mul_(0.25)
        turned.mul_(spread).add_(mean)
