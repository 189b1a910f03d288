"""Blur, geometry, occlusion, resolution and time against scipy, PIL and the figures of the reference."""

import math

import numpy as np
import pytest
import torch
from PIL import Image
from scipy import ndimage
from spoilt import CLIP, FLAT, SHAPE, farthest, spoilt

from perturbations._apply import stack
from perturbations._contract import ClipShape
from perturbations._kernel import _grouped, _mirrored, convolve, line
from perturbations._probe import moving_clip
from perturbations._suite import load
from perturbations._warp import quadrilateral, similarity, warp


@pytest.mark.parametrize("severity", [3, 5])
def test_gaussian_blur_is_scipys(severity):
    sigma = load("gaussian_blur").level(severity) * SHAPE.height
    # a Gaussian integrated over pixels has the variance of the Gaussian and of the pixel
    wide = math.sqrt(sigma**2 + 1 / 12)
    reference = ndimage.gaussian_filter(CLIP.double().numpy(), (0, 0, 0, wide, wide), mode="mirror", truncate=4)
    assert farthest(spoilt("gaussian_blur", severity), torch.from_numpy(reference)) <= 3


def test_defocus_blur_is_a_disc():
    kernels = load("defocus_blur").draw(5 / 112, 0, ClipShape(1, 224, 224))["kernels"][0].double()
    places = torch.arange(len(kernels)) - len(kernels) // 2
    assert kernels.sum() == 1
    assert (kernels.sum(0) * places**2).sum() == pytest.approx(10**2 / 4, rel=0.03)


@pytest.mark.parametrize("degrees", [0.0, 30.0, 90.0])
def test_a_motion_kernel_has_the_spread_of_an_even_line(degrees):
    weights = line(15.0, degrees).double()
    places = torch.arange(len(weights)) - len(weights) // 2
    spread = (weights.sum(0) * places**2).sum() + (weights.sum(1) * places**2).sum()
    assert weights.sum() == 1
    assert spread == pytest.approx(15**2 / 12, rel=0.06)


def test_a_convolution_is_scipys():
    kernels = load("motion_blur").draw(load("motion_blur").level(4), 11, SHAPE)["kernels"]
    reference = ndimage.correlate(CLIP[0, 0, 0].double().numpy(), kernels[0].double().numpy(), mode="mirror")
    assert farthest(spoilt("motion_blur", 4)[0, 0, 0], torch.from_numpy(reference)) <= 0.5


@pytest.mark.parametrize("name", ["motion_blur", "camera_shake", "defocus_blur"])
def test_the_convolution_of_accelerators_gives_the_bits_of_the_processors(name):
    member = load(name)
    clips = torch.cat([CLIP, moving_clip(SHAPE, key=6)[None]])
    kernels = stack([member.draw(member.level(5), key, SHAPE) for key in (1, 2)])["kernels"]
    padded = _mirrored(clips.flatten(0, 2).float(), kernels.shape[-1] // 2)
    grouped = _grouped(padded.view(*clips.shape[:3], *padded.shape[1:]), kernels, clips)
    assert torch.equal(grouped, convolve(clips, kernels))


@pytest.mark.parametrize("frames", [4, 6, 16, 128, 130, 257, 258, 400])
def test_temporal_blur_is_a_centred_mean_of_a_window_however_long(frames):
    clip = torch.randint(230, 256, (1, frames, 3, 4, 4), dtype=torch.uint8, generator=torch.Generator().manual_seed(1))
    for severity in (1, 2, 5):
        window = max(2, round(load("temporal_blur").level(severity) * frames))
        weights = np.ones(window) if window % 2 else np.convolve(np.ones(window), [0.5, 0.5])
        means = ndimage.correlate1d(clip[0].double().numpy(), weights / window, axis=0, mode="nearest")
        assert farthest(spoilt("temporal_blur", severity, clip)[0], torch.from_numpy(means)) <= 0.5 + 1e-9


@pytest.mark.parametrize("severity", [1, 2, 3, 4, 5])
def test_temporal_blur_shows_even_movement_neither_early_nor_late(severity):
    rising = (torch.arange(32) * 8).to(torch.uint8).view(1, 32, 1, 1, 1).expand(1, 32, 3, 2, 2)
    inner = slice(8, -8)
    assert torch.equal(spoilt("temporal_blur", severity, rising)[:, inner], rising[:, inner])


@pytest.mark.parametrize("degrees", [-20.0, 7.0])
def test_a_turn_is_scipys_inside_the_frame(degrees):
    square = moving_clip(ClipShape(2, 64, 64))[None]
    turned = warp(square, {"matrix": similarity(ClipShape(2, 64, 64), 1.0, degrees, 0.0, 0.0)[None, None]})
    reference = ndimage.rotate(square[0, 0, 0].double().numpy(), degrees, order=1, reshape=False, mode="nearest")
    inside = (slice(None), slice(None), slice(None), slice(16, 48), slice(16, 48))
    difference = (turned[inside][0, 0, 0].double() - torch.from_numpy(reference)[16:48, 16:48]).abs()
    assert difference.max() <= 2
    assert difference.mean() < 0.5


def test_a_turn_by_a_right_angle_is_exact():
    square = moving_clip(ClipShape(2, 33, 33))[None]
    turned = warp(square, {"matrix": similarity(ClipShape(2, 33, 33), 1.0, 90.0, 0.0, 0.0)[None, None]})
    assert torch.equal(turned, square.rot90(1, (-2, -1)))


def test_a_perspective_maps_the_corners_of_the_frame_to_those_of_the_quadrilateral():
    corners = [(3.0, 2.0), (55.0, 5.0), (60.0, 50.0), (1.0, 44.0)]
    matrix = quadrilateral(SHAPE, corners)
    width, height = SHAPE.width - 1, SHAPE.height - 1
    for (x, y), expected in zip([(0, 0), (width, 0), (width, height), (0, height)], corners, strict=True):
        right, down, depth = (matrix @ torch.tensor([x, y, 1.0], dtype=torch.float64)).tolist()
        assert (right / depth, down / depth) == pytest.approx(expected)


def test_a_perspective_is_as_strong_across_as_along():
    member, shape = load("perspective"), ClipShape(1, 101, 101)
    corner = torch.tensor([0.0, 0.0, 1.0], dtype=torch.float64)
    shown = torch.stack([member.draw(0.5, key, shape)["matrix"][0] @ corner for key in range(400)])
    inwards = shown[:, :2] / shown[:, 2:] / 100
    assert inwards.mean(0).numpy() == pytest.approx([0.5 * 5 / 16] * 2, rel=0.06)
    assert inwards.min() >= 0.5 / 8 - 1e-9
    assert inwards.max() <= 0.5 / 2 + 1e-9


def test_pixelation_is_pils_box_and_nearest():
    frame = CLIP[0, 0].permute(1, 2, 0).numpy()
    small = Image.fromarray(frame).resize((32, 28), Image.Resampling.BOX)
    reference = np.asarray(small.resize((64, 56), Image.Resampling.NEAREST))
    assert farthest(spoilt("pixelate", 3)[0, 0].permute(1, 2, 0), torch.from_numpy(reference.copy())) <= 1


def test_low_resolution_is_pils_box_and_bicubic():
    frame = CLIP[0, 0].permute(1, 2, 0).numpy()
    small = Image.fromarray(frame).resize((32, 28), Image.Resampling.BOX)
    reference = torch.from_numpy(np.asarray(small.resize((64, 56), Image.Resampling.BICUBIC)).copy())
    inner = (slice(8, -8), slice(8, -8))  # PIL narrows its kernel at the border instead of repeating the edge
    assert farthest(spoilt("low_resolution", 3)[0, 0].permute(1, 2, 0)[inner], reference[inner]) <= 2


def displacements(level, keys, side=112):
    """How far right and down each pixel's content comes from, in fractions of the height, by clip."""
    member, shape = load("elastic"), ClipShape(1, side, side)
    ramp = (torch.arange(side) * 2).to(torch.uint8)
    across = ramp.expand(1, 1, 3, side, side).contiguous()
    for key in keys:
        params = stack([member.draw(level, key, shape)])
        right = member.apply(across, params)[0, 0, 0].double() - ramp
        down = member.apply(across.transpose(3, 4).contiguous(), params)[0, 0, 0].double() - ramp[:, None]
        yield torch.stack([right, down]) / 2 / side


def test_an_elastic_field_moves_pixels_along_each_axis_by_its_level_and_frowns_by_less_than_half_a_frown():
    level, frown = load("elastic").level(5), 0.031
    inner = slice(16, -16)  # beyond the border there is nothing to come from
    moved = torch.stack(list(displacements(level, range(60))))
    assert moved[..., inner, inner].square().mean((0, 2, 3)).sqrt().numpy() == pytest.approx([level] * 2, rel=0.15)
    brow = moved[:, 1, round(0.32 * 112)]
    tilt = brow[:, round(0.42 * 112)] - brow[:, round(0.26 * 112)]
    assert tilt.std() < frown / 2


@pytest.mark.parametrize("name", ["random_erasing", "random_erasing_drift"])
def test_an_erased_box_has_its_area(name):
    covered = (spoilt(name, 5, FLAT, key=3) != FLAT).any(2).float().mean(dim=(2, 3))
    assert covered.numpy() == pytest.approx(0.4, abs=0.03)


def test_packet_loss_ends_at_the_next_key_frame_for_tiles_that_arrive():
    member = load("packet_loss")
    shown = member.draw(member.level(3), 11, ClipShape(24, 64, 64))["shown"]
    moments = torch.arange(24)[:, None, None]
    assert (shown <= moments).all()
    assert (shown[1:] >= shown[:-1]).all()
    assert (shown[0] == 0).all()
    held = (shown != moments).float().mean(dim=(1, 2))
    assert held[12] < held[11]


def test_the_temporal_displacements_are_the_references():
    expected = {
        "local_shuffle": (0.03, 0.05, 0.08, 0.11, 0.16),
        "segment_swap": (0.01, 0.03, 0.07, 0.12, 0.50),
        "reverse": (0.03, 0.09, 0.20, 0.33, 0.50),
        # the reference's 0.04 counts the sixth of all clips that it leaves as they are
        "global_shuffle": (0.04 * 6 / 5, 0.11, 0.20, 0.26, 0.33),
    }
    for name, displacements in expected.items():
        for severity, displacement in enumerate(displacements, start=1):
            maps = [index_map(name, severity, key) for key in range(100)]
            mean = np.mean([abs(source - moment) / 16 for index in maps for moment, source in enumerate(index)])
            assert mean == pytest.approx(displacement, abs=0.015), (name, severity)


def test_the_frames_kept_are_the_references():
    expected = {
        "frame_drop": (15, 14, 12, 10, 8),
        "burst_loss": (14, 13, 12, 10, 8),
        "freeze": (12, 8, 4, 2, 1),
        "frame_rate_reduction": (8, 6, 4, 3, 2),
        "static": (1, 1, 1, 1, 1),
    }
    for name, kept in expected.items():
        for severity, frames in enumerate(kept, start=1):
            assert {len(set(index_map(name, severity, key))) for key in range(20)} == {frames}, (name, severity)


def index_map(name, severity, key):
    member = load(name)
    return member.draw(member.level(severity), key, ClipShape(16, 8, 8))["index"].tolist()


def test_a_box_painted_by_slices_is_the_box_painted_by_a_mask():
    clips = torch.cat([FLAT, FLAT + 1])
    for name in ("random_erasing", "random_erasing_drift"):
        member = load(name)
        drawn = [member.draw(0.3, key, ClipShape(16, 64, 64)) for key in (1, 2)]
        params = stack(drawn)
        top, left, height, width = params["boxes"][..., None, None].unbind(2)
        y, x = torch.arange(64)[:, None] + 0.5, torch.arange(64) + 0.5
        inside = (y >= top) & (y < top + height) & (x >= left) & (x < left + width)
        expected = torch.where(inside[:, :, None], params["colour"][:, None, :, None, None], clips)
        assert torch.equal(member.apply(clips, params), expected)
