"""What every perturbation promises of a GPU: its pixels are the CPU's to a level, and it never makes the host wait.

Both are also shown without one. Arithmetic that is off by more than any device's stands in for that of a GPU; what
must not differ by more than a level then, will not there. And torch's fake tensors know the device and the shape of a
result but no value, so an operation between two devices, a field made on the wrong one, or a look at a value that only
the device has, raises; a copy for which the host would have to wait is counted. With a GPU, run

    pytest tests/contract/test_every_perturbation_on_a_gpu.py
"""

import pytest
import torch
from other_devices import Rounding, Waits, forget_tables
from torch._subclasses.fake_tensor import FakeTensorMode

from harness import plugins
from harness.train.conditions import perturbation
from perturbations import _jpeg
from perturbations._apply import key, perturb, stack, to_device
from perturbations._contract import ClipShape, Perturbation
from perturbations._kornia import KorniaAugmentation
from perturbations._pixels import scalar, to_pixels
from perturbations._probe import moving_clip

VARIANTS = ["imagenet_c.brightness", "imagenet_c.defocus_blur", "imagenet_c.motion_blur", "imagenet_c.zoom_blur"]
"""Those that work otherwise than the perturbation that they are of."""
NAMES = [*plugins.names("perturbation"), *VARIANTS]
SHAPE = ClipShape(frames=8, height=48, width=40)
CLIPS = torch.stack([moving_clip(SHAPE, key=index) for index in range(2)])
SHORT = SHAPE._replace(frames=4)
H264 = {"h264_crf", "h264_abr"}
WAITS = {"style_statistics_lab": "kornia's CIELAB makes its constants on the host in every call"}


@pytest.fixture
def nothing_kept():
    """Tables that perturbations keep between calls are forgotten afterwards: those made here hold no values."""
    yield
    forget_tables()


@pytest.fixture
def codec_of_fakes(monkeypatch):
    """JPEG works on the CPU, on values; its place is taken by a way to the CPU and back."""
    monkeypatch.setattr(_jpeg, "_through_jpeg", lambda clip, quality: clip.cpu())


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.usefixtures("nothing_kept", "codec_of_fakes")
def test_all_of_it_happens_on_the_gpu_and_the_host_waits_for_nothing(name):
    member = perturbation(name)
    if name in H264:
        pytest.skip("x264 works on the CPU, on values that fakes have not")
    if isinstance(getattr(member.apply, "__self__", None), KorniaAugmentation):
        pytest.skip("kornia makes its modules and draws on the CPU, from values that fakes have not")
    for severity in (1, 3, 5):
        perturb(CLIPS, member, severity, [1, 2])  # what is kept for the CPU is made of values
        drawn = stack([member.draw(member.level(severity), number, SHAPE) for number in (1, 2)])
        with FakeTensorMode(allow_non_fake_inputs=True):
            pixels = torch.empty(CLIPS.shape, dtype=torch.uint8, device="cuda")
            member.apply(pixels, to_device(drawn, pixels.device))  # so is what is kept for the GPU
            with Waits() as waits:
                spoilt = member.apply(pixels, to_device(drawn, pixels.device))
        assert spoilt.device.type == "cuda"
        assert spoilt.dtype == torch.uint8
        assert spoilt.shape == pixels.shape
        assert bool(waits.found) == (member.on_host or name in WAITS), waits.found


@pytest.mark.parametrize("name", NAMES)
def test_rounding_as_another_device_rounds_changes_no_pixel_by_more_than_a_level(name):
    assert _farthest(perturbation(name), name) <= 1


@pytest.mark.parametrize("name", NAMES)
def test_nor_does_it_where_a_picture_is_flat_regular_or_enlarged(name):
    assert _farthest(perturbation(name), name, _plain_clips(), severities=(1, 3, 5)) <= 1


def _plain_clips():
    """Clips most of whose frequencies are empty: flat, striped, mirrored, enlarged, and with one flat frame."""
    clip = moving_clip(SHORT, key=3)
    flat, one_flat = torch.full_like(clip, 97), clip.clone()
    one_flat[1] = 97
    striped = (torch.arange(SHORT.width) % 4 * 60).to(torch.uint8).expand(clip.shape)
    half = clip[..., : SHORT.width // 2]
    enlarged = half[..., : SHORT.height // 2, :].repeat_interleave(2, -1).repeat_interleave(2, -2)
    return torch.stack([flat, striped, torch.cat([half, half.flip(-1)], -1), enlarged, one_flat])


def test_a_threshold_that_hangs_on_rounding_would_be_found():
    def banded(pixels, params):
        brightness = pixels.float().mul(1 / 255).pow(2.2).mul(params["level"].view(-1, 1, 1, 1, 1))
        return to_pixels((brightness * 8).floor().mul(32))

    unsound = Perturbation(
        title="Bands",
        family="test",
        unit="",
        levels=(1.0, 2.0, 3.0, 4.0, 5.0),
        granularity="clip",
        label_preserving="yes",
        source="",
        draw=lambda level, key, shape: {"level": scalar((255 / 128) ** 2.2 / 8 * level)},
        apply=banded,
    )
    assert _farthest(unsound, "bands") > 1


def _farthest(member, name, clips=CLIPS, severities=(1, 2.5, 3, 5)):
    """The largest difference between a perturbation's pixels and those that other rounding gives, in 8-bit levels."""
    farthest, shape = 0, SHAPE._replace(frames=clips.shape[1])
    for severity in severities:
        keys = [key(name, severity, f"clip-{index}", 0) for index in range(len(clips))]
        drawn = stack([member.draw(member.level(severity), number, shape) for number in keys])
        here = member.apply(clips, drawn).to(torch.int16)
        with Rounding(seed=round(10 * severity)):
            there = member.apply(clips, drawn)
        farthest = max(farthest, int((there.to(torch.int16) - here).abs().max()))
    return farthest


@pytest.mark.skipif(not torch.cuda.is_available(), reason="compares pixels of a real GPU; there is none here")
@pytest.mark.parametrize("name", NAMES)
def test_its_pixels_on_a_gpu_are_those_of_the_cpu_to_a_level(name):
    member = perturbation(name)
    for severity in (1, 3, 5):
        keys = [key(name, severity, f"clip-{index}", 0) for index in range(len(CLIPS))]
        here = perturb(CLIPS, member, severity, keys).to(torch.int16)
        there = perturb(CLIPS.cuda(), member, severity, keys)
        assert there.is_cuda
        assert (there.cpu().to(torch.int16) - here).abs().max() <= 1
