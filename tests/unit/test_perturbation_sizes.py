"""Lengths are parts of the frame: a severity is the same at every size of it."""

from itertools import pairwise

import pytest
import torch

from perturbations._apply import key, perturb
from perturbations._contract import ClipShape
from perturbations._probe import moving_clip
from perturbations._suite import load

BLURS = ["gaussian_blur", "defocus_blur", "motion_blur", "camera_shake"]


@pytest.mark.parametrize("name", ["low_resolution", "pixelate"])
def test_a_block_is_as_long_a_part_of_frames_of_any_size(name):
    member = load(name)
    for severity in range(1, 6):
        rows = round(112 / member.level(severity))
        for side in (64, 112, 224):
            assert rows_and_columns(member, severity, side, side) == [rows, rows]
        assert rows_and_columns(member, severity, 112, 224) == [rows, round(2 * 112 / member.level(severity))]


@pytest.mark.parametrize("name", ["low_resolution", "pixelate"])
@pytest.mark.parametrize("side", [2, 8, 24, 48, 56])
def test_the_smallest_frames_lose_a_row_and_a_column_and_no_fewer_with_severity(name, side):
    left = [rows_and_columns(load(name), severity, side, side) for severity in (1, 1.5, 2, 3, 4, 5)]
    assert left == sorted(left, reverse=True)
    assert left[0][0] < side
    assert left[-1][0] < left[0][0] or side == 2


@pytest.mark.parametrize("name", ["low_resolution", "pixelate", "combined_pixelate", "combined_webcam"])
@pytest.mark.parametrize("side", [24, 48, 112])
def test_coarser_frames_are_harmed_more_at_every_size(name, side):
    clips = torch.stack([moving_clip(ClipShape(2, side, side), key=place) for place in range(3)])
    keys = [key(name, 0, f"clip-{place}", 0) for place in range(3)]
    spoilt = [perturb(clips, load(name), severity, keys).float() for severity in range(1, 6)]
    harm = [(each - clips).square().mean().item() for each in spoilt]
    assert harm == sorted(harm)


@pytest.mark.parametrize("name", BLURS)
@pytest.mark.parametrize("side", [24, 28, 32, 41, 48])
def test_a_blur_shows_at_severity_1_for_every_key_and_harms_no_less_with_severity(name, side):
    clip = moving_clip(ClipShape(8, side, side), key=3)[None]
    for number in range(8):
        spoilt = [perturb(clip, load(name), severity, [number]) for severity in range(1, 6)]
        harm = [(each.float() - clip).square().mean().item() for each in spoilt]
        assert harm[0] > 0
        assert all(after >= before * 0.99 for before, after in pairwise(harm)), harm


@pytest.mark.parametrize("name", BLURS)
def test_the_least_blur_is_that_of_all_small_frames_and_of_none_of_48_pixels_and_more(name):
    member = load(name)
    drawn = [next(iter(member.draw(member.level(1), 5, ClipShape(8, side, side)).values())) for side in (24, 30)]
    assert torch.equal(*drawn)
    longer = [member.draw(level, 5, ClipShape(8, 48, 48)) for level in (member.level(1), member.level(1) * 1.1)]
    assert not torch.equal(*(next(iter(each.values())) for each in longer))


@pytest.mark.parametrize("name", [*BLURS, "imagenet_c.defocus_blur", "tiny_c.defocus_blur", "imagenet_c.motion_blur"])
@pytest.mark.parametrize("side", [2, 3, 6])
def test_a_blur_of_a_flat_frame_of_a_few_pixels_leaves_it_as_it_is(name, side):
    flat = torch.full((1, 2, 3, side, side), 97, dtype=torch.uint8)
    for severity in range(1, 6):
        assert torch.equal(perturb(flat, load(name), severity, [1]), flat)


def rows_and_columns(member, severity, height, width):
    return member.draw(member.level(severity), 0, ClipShape(16, height, width))["host_size"].tolist()
