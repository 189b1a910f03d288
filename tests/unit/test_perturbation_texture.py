"""Severity is monotone on real video too, where a machine has it."""

import math

import av
import numpy as np
import pytest
import torch
from torch.nn.functional import interpolate

from perturbations._apply import key, perturb
from perturbations._suite import load, suite

SIDE = 64


@pytest.fixture(scope="module")
def real_clips(london):
    """Sixteen frames of each of four clips, area-averaged to 64 px."""
    files = sorted(london.rglob("*.avi"))[::100][:4]
    clips = []
    for file in files:
        with av.open(file) as container:
            frames = np.stack([frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)])
        chosen = torch.from_numpy(frames[np.linspace(0, len(frames) - 1, 16).astype(int)]).permute(0, 3, 1, 2)
        clips.append(interpolate(chosen.float(), size=(SIDE, SIDE), mode="area").round().to(torch.uint8))
    return torch.stack(clips)


@pytest.mark.parametrize("name", [name for name in suite("core").names if load(name).label_preserving == "yes"])
def test_severity_is_monotone_on_real_texture(real_clips, name):
    keys = [key(name, 0, f"london-{index}", 0) for index in range(len(real_clips))]
    harm = []
    for severity in (1, 3, 5):
        spoilt = perturb(real_clips, load(name), severity, keys)
        harm.append(10 * math.log10((spoilt.float() - real_clips).square().mean() / 255**2))
    assert harm == sorted(harm), harm
