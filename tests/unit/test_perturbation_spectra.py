"""Fourier shifts against scipy's transforms, also where most frequencies are empty; large clips; precision switches."""

import subprocess
import sys

import numpy as np
import pytest
import torch
from scipy import fft
from spoilt import farthest
from torch._subclasses.fake_tensor import FakeTensorMode

from perturbations._apply import perturb
from perturbations._contract import ClipShape
from perturbations._donors import donor
from perturbations._precision import full_precision
from perturbations._probe import moving_clip
from perturbations._suite import load
from perturbations.rain import _streaks

SIDE = 48
SHAPE = ClipShape(2, SIDE, SIDE)


def plain(kind):
    """Clips most of whose frequencies are empty, and one of texture."""
    clip = moving_clip(SHAPE, key=3)
    half = clip[..., : SIDE // 2]
    one_flat = clip.clone()
    one_flat[1] = 97
    return {
        "textured": clip,
        "flat": torch.full_like(clip, 97),
        "striped": (torch.arange(SIDE) % 4 * 60).to(torch.uint8).expand(clip.shape).contiguous(),
        "mirrored": torch.cat([half, half.flip(-1)], -1),
        "enlarged": half[..., : SIDE // 2, :].repeat_interleave(2, -1).repeat_interleave(2, -2),
        "one flat": one_flat,
    }[kind][None]


@pytest.mark.parametrize("kind", ["textured", "flat", "striped", "mirrored", "enlarged", "one flat"])
@pytest.mark.parametrize("name", ["fourier_amplitude_mix", "fourier_low_freq_swap"])
@pytest.mark.parametrize("severity", [1, 3, 5])
def test_a_fourier_shift_is_scipys_with_empty_frequencies_left_empty(name, kind, severity):
    member, clip = load(name), plain(kind)
    drawn = member.draw(member.level(severity), 11, SHAPE)
    own = fft.fft2(clip[0].double().numpy())
    foreign = np.abs(fft.fft2(donor(int(drawn["host_donor"]), SIDE, SIDE).double().numpy()))
    mixed = _mixed(name, np.abs(own), foreign, member.level(severity))
    expected = fft.ifft2(np.where(np.abs(own) > 1e-6, np.exp(1j * np.angle(own)) * mixed, 0)).real.clip(0, 255)
    assert farthest(perturb(clip, member, severity, [11])[0], torch.from_numpy(expected)) <= 0.5 + 0.01


def _mixed(name, own, foreign, level):
    if name == "fourier_amplitude_mix":
        return (1 - level) * own + level * foreign
    place = np.abs(np.fft.fftfreq(SIDE, 1 / SIDE))
    reach = np.floor(level * SIDE)
    return np.where((place[:, None] <= reach) & (place <= reach), foreign, own)


@pytest.mark.parametrize(("frames", "height", "width"), [(99, 413, 413), (16, 1080, 1920)])
def test_rain_falls_on_every_column_of_clips_of_more_than_2_to_the_24_pixels(frames, height, width):
    pixels = torch.zeros(1, 1, 1, 1, 1, dtype=torch.uint8).expand(1, frames, 3, height, width)
    wet = _streaks(torch.tensor(5), 125, height // 3, pixels)[-1].any(0)
    even, odd = (wet[first::2].float().mean().item() for first in (0, 1))
    assert even == pytest.approx(odd, abs=0.1)
    assert even > 0.5


NEWER = """
import torch
from perturbations._apply import perturb
from perturbations._probe import moving_clip
from perturbations._contract import ClipShape
from perturbations._suite import load

clip = moving_clip(ClipShape(2, 32, 32))[None]
blurs = "gaussian_blur", "glass_blur", "defocus_blur", "motion_blur", "snow", "spatter"
before = [perturb(clip, load(name), 3, [1]) for name in blurs]
{switch}
told = torch.backends.cudnn.conv.fp32_precision, torch.backends.mkldnn.conv.fp32_precision
for name, expected in zip(blurs, before, strict=True):
    assert torch.equal(perturb(clip, load(name), 3, [1]), expected), name
assert told == (torch.backends.cudnn.conv.fp32_precision, torch.backends.mkldnn.conv.fp32_precision)
torch.backends.fp32_precision = "ieee"
assert torch.backends.mkldnn.conv.fp32_precision == {inherited!r}
"""


@pytest.mark.parametrize(
    ("switch", "inherited"),
    [
        ('torch.backends.fp32_precision = "tf32"', "ieee"),
        ('torch.backends.cudnn.conv.fp32_precision = "ieee"', "ieee"),
        ('torch.backends.mkldnn.conv.fp32_precision = "bf16"', "bf16"),
        ("torch.backends.cudnn.allow_tf32 = False", "ieee"),
    ],
)
def test_a_blur_keeps_its_pixels_and_torchs_switches_of_precision_whichever_are_set(switch, inherited):
    code = NEWER.format(switch=switch, inherited=inherited)
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)


def test_convolutions_on_a_gpu_do_without_cudnn_and_give_it_back_even_after_an_error():
    with FakeTensorMode():
        there = torch.empty(1, device="cuda")
    assert torch.backends.cudnn.enabled
    with full_precision(torch.empty(1)):
        assert torch.backends.cudnn.enabled
    asked = full_precision(there)
    asked.__enter__()
    assert not torch.backends.cudnn.enabled
    assert not asked.__exit__(KeyError, KeyError(), None)
    assert torch.backends.cudnn.enabled
