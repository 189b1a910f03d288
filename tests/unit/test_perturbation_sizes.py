"""Lengths are parts of the frame: a severity is the same at every size of it."""

import pytest
import torch

from perturbations._apply import key, perturb
from perturbations._contract import ClipShape
from perturbations._probe import moving_clip
from perturbations._suite import load


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


@pytest.mark.parametrize("side", [48, 112, 224])
def test_a_legacy_pixelation_shrinks_frames_of_any_size_by_the_published_scale(side):
    scales = {"imagenet_c.pixelate": (0.6, 0.5, 0.4, 0.3, 0.25), "rafdb_c.pixelate": (0.6, 0.5, 0.41, 0.3, 0.25)}
    for name, published in scales.items():
        drawn = [rows_and_columns(load(name), severity, side, side) for severity in range(1, 6)]
        assert drawn == [[round(scale * side)] * 2 for scale in published]


def rows_and_columns(member, severity, height, width):
    return member.draw(member.level(severity), 0, ClipShape(16, height, width))["host_size"].tolist()
