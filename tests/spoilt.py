"""Clips for tests of what perturbations do, and one of them done."""

import torch

from perturbations._apply import perturb
from perturbations._contract import ClipShape
from perturbations._probe import moving_clip
from perturbations._suite import load

SHAPE = ClipShape(frames=8, height=56, width=64)
CLIP = moving_clip(SHAPE, key=5)[None]
FLAT = torch.full((1, 16, 3, 64, 64), 100, dtype=torch.uint8)


def spoilt(name, severity=3, clip=CLIP, key=11):
    """Clips under a perturbation, by default a small moving one."""
    return perturb(clip, load(name), severity, [key])


def farthest(one, other):
    """The largest difference between two clips, in 8-bit levels."""
    return (one.double() - other.double()).abs().max().item()
