"""Severity is monotone on faces too: those of the embedded data set, and real ones where a machine has them."""

import math

import av
import numpy as np
import pytest
import torch
from torch.nn.functional import interpolate

from harness.datasets._faces.cast import draw_cast
from harness.datasets._faces.generate import person
from harness.datasets._faces.render import render_clip
from harness.datasets._faces.styles import STYLES
from harness.datasets.synthetic import SIZES
from perturbations._apply import key, perturb
from perturbations._contract import ClipShape
from perturbations._suite import load, perturbation_files

SIDE = 64
FRAMES = 16
SHAPE = ClipShape(FRAMES, SIDE, SIDE)
CLIPS = 4
POOL = 16
"""Clips of which hardly one may be harmed less by a higher severity of a combination."""


def reorders(name):
    """Whether a perturbation shows frames as they are, in other places, which no texture changes."""
    member = load(name)
    return set(member.draw(member.level(3), 0, SHAPE)) == {"index"}


def changes_pixels(name):
    return len(set(load(name).levels)) > 1 and not reorders(name)


NAMES = [name for name in perturbation_files() if changes_pixels(name)]
WARPS = [name for name in NAMES if set(load(name).draw(load(name).level(3), 0, SHAPE)) == {"matrix"}]
FAR = {"misaligned_crop", "perspective"}
"""At their highest severities little of a picture is where it was, and PSNR tells no more."""


@pytest.fixture(scope="module")
def real_clips(london):
    """Frames of clips of the London data set, area-averaged."""
    return torch.stack([shrunk(decoded(file)) for file in sorted(london.rglob("*.avi"))[::100][:CLIPS]])


@pytest.fixture(scope="module")
def many_drawn_clips():
    """Clips of the embedded data set, area-averaged."""
    cast = draw_cast(SIZES["tiny"], 0)
    styles = {style.name: style for style in STYLES}
    clips = []
    for role in cast[:: len(cast) // POOL][:POOL]:
        planes = render_clip(role, person(role.identity, 0), styles[role.style], SIDE)
        pictures = [av.VideoFrame.from_ndarray(frame, format="yuv420p") for frame in planes]
        clips.append(shrunk(np.stack([picture.to_ndarray(format="rgb24") for picture in pictures])))
    return torch.stack(clips)


@pytest.fixture(scope="module")
def drawn_clips(many_drawn_clips):
    return many_drawn_clips[:: POOL // CLIPS]


def decoded(file):
    with av.open(file) as container:
        return np.stack([frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)])


def shrunk(frames):
    """``FRAMES`` moments of a video ``t h w c``, as a clip."""
    chosen = torch.from_numpy(frames[np.linspace(0, len(frames) - 1, FRAMES).astype(int)]).permute(0, 3, 1, 2)
    return interpolate(chosen.float(), size=(SIDE, SIDE), mode="area").round().to(torch.uint8)


@pytest.mark.parametrize("name", NAMES)
def test_severity_is_monotone_on_drawn_faces(drawn_clips, name):
    harm = harm_of(name, drawn_clips)
    assert harm == sorted(harm), harm


@pytest.mark.parametrize("name", [name for name in NAMES if name not in FAR])
def test_severity_is_monotone_on_real_texture(real_clips, name):
    harm = harm_of(name, real_clips)
    assert harm == sorted(harm), harm


@pytest.mark.parametrize("name", [name for name in NAMES if name.startswith("combined_")])
def test_a_higher_severity_of_a_combination_harms_nearly_every_drawn_face_more(many_drawn_clips, name):
    clips = many_drawn_clips[:, :: FRAMES // 4]
    harm = torch.tensor([harm_of(name, clip[None], f"clip-{place}") for place, clip in enumerate(clips)])
    milder = (harm[:, 1:] < harm[:, :-1] - 0.02).float().mean(0)
    assert (milder <= 1 / 8).all(), milder


@pytest.mark.parametrize("name", WARPS)
def test_a_warp_moves_pixels_farther_with_severity(name):
    moved = [displacement(name, severity) for severity in range(1, 6)]
    assert moved == sorted(moved), moved
    assert moved[0] < moved[-1]


def displacement(name, severity):
    """How far from its place, in pixels, what is shown comes from, on the mean of many draws."""
    member, ones = load(name), torch.ones(SIDE, SIDE, dtype=torch.float64)
    down, right = torch.meshgrid(*[torch.arange(SIDE, dtype=torch.float64)] * 2, indexing="ij")
    here = torch.stack([right, down, ones]).flatten(1)
    keys = [key(name, 0, f"clip-{index}", 0) for index in range(40)]
    maps = torch.cat([member.draw(member.level(severity), number, SHAPE)["matrix"] for number in keys])
    there = maps @ here
    return (there[:, :2] / there[:, 2:] - here[:2]).square().sum(1).sqrt().mean().item()


def harm_of(name, clips, first="clip"):
    """Negative PSNR in dB at severities 1 to 5, of the same draws."""
    keys = [key(name, 0, f"{first}-{index}", 0) for index in range(len(clips))]
    spoilt = (perturb(clips, load(name), severity, keys).float() for severity in range(1, 6))
    return [10 * math.log10((each - clips).square().mean() / 255**2) for each in spoilt]
