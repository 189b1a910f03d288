"""From 8-bit pixels to float values on the same scale, and back."""

import torch
from jaxtyping import Float32, Shaped, UInt8
from torch import Tensor

WHOLE = 1.5 * 2**23
"""A float32 of this size counts in steps of one, and its low bits are zero."""


def scalar(value: float) -> Tensor:
    """A float32 parameter of one clip."""
    return torch.tensor(value, dtype=torch.float32)


def per_clip(values: Shaped[Tensor, " b"]) -> Shaped[Tensor, "b 1 1 1 1"]:
    """One value for each clip, ready to broadcast over frames, channels and pixels."""
    return values.view(-1, 1, 1, 1, 1)


def to_pixels(values: Float32[Tensor, "*s"]) -> UInt8[Tensor, "*s"]:
    """Values on the scale 0..255, clamped and rounded (half to even); the values are overwritten."""
    return within_pixels(values.clamp_(0, 255))


def within_pixels(values: Float32[Tensor, "*s"]) -> UInt8[Tensor, "*s"]:
    """``to_pixels`` of values that cannot lie outside 0..255."""
    # the sum has no room for fractions, so it is rounded, and its low byte is the value: two vectorised passes
    return values.add_(WHOLE).view(torch.int32).to(torch.uint8)
