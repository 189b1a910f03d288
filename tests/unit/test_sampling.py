"""Temporal samplers: laws that all obey, and the released rules computed independently."""

import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.data.sampling import SAMPLERS, VIEW_SAMPLERS, is_random, sample, sample_views
from harness.errors import HarnessError

LENGTHS = st.integers(1, 900)
PAIRED = st.integers(1, 24).map(lambda half: 2 * half)
KEYS = st.integers(0, 2**63 - 1)
IN_ORDER = [name for name in SAMPLERS if name != "m3dfel_random"]


@pytest.mark.parametrize("name", SAMPLERS)
@given(num_frames=LENGTHS, wanted=PAIRED, key=KEYS)
def test_a_sampler_gives_as_many_frames_as_wanted_and_all_exist(name, num_frames, wanted, key):
    indices = sample(name, num_frames, wanted, key)
    assert indices.shape == (wanted,)
    assert indices.dtype == np.int64
    assert indices.min() >= 0
    assert indices.max() < num_frames


@pytest.mark.parametrize("name", SAMPLERS)
@given(num_frames=LENGTHS, key=KEYS)
def test_equal_keys_give_equal_frames(name, num_frames, key):
    assert sample(name, num_frames, 16, key).tolist() == sample(name, num_frames, 16, key).tolist()


@pytest.mark.parametrize("name", SAMPLERS)
def test_a_name_ends_in_random_exactly_when_its_frames_depend_on_the_key(name):
    draws = {tuple(sample(name, 200, 16, key).tolist()) for key in range(20)}
    assert (len(draws) > 1) == is_random(name)


@pytest.mark.parametrize("name", [name for name in IN_ORDER if name not in {"linspace"}])
@given(num_frames=LENGTHS, key=KEYS)
def test_frames_are_in_order_except_where_the_rule_scrambles_them(name, num_frames, key):
    steps = np.diff(sample(name, num_frames, 16, key))
    # Former-DFER's alternation of frames 0 and 1 in short clips is the one exception.
    if not (name.startswith("former_dfer") and num_frames < 10):
        assert (steps >= 0).all()


@given(num_frames=st.integers(16, 900))
def test_linspace_is_in_order_and_takes_both_ends_of_a_clip_that_is_long_enough(num_frames):
    indices = sample("linspace", num_frames, 16, 0)
    assert (np.diff(indices) >= 0).all()
    assert indices[0] == 0
    assert indices[-1] == num_frames - 1
    assert indices.tolist() == np.linspace(0, num_frames - 1, 16).astype(int).tolist()


def test_linspace_repeats_a_short_clip_from_its_start():
    # Five frames are tiled to 20; every value of linspace(0, 19, 16) is then taken modulo 5.
    expected = [int(value) % 5 for value in np.linspace(0, 19, 16)]
    assert sample("linspace", 5, 16, 0).tolist() == expected


@given(num_frames=LENGTHS, wanted=st.integers(1, 64))
def test_segment_centres_mirror_each_other(num_frames, wanted):
    exact = (np.arange(wanted) + 0.5) * num_frames / wanted
    assert np.abs(sample("segment_center", num_frames, wanted, 0) - (exact - 0.5)).max() <= 0.5
    assert sample("segment_center", num_frames, wanted, 0).tolist() == [int(value) for value in exact + 1e-9]


@given(num_frames=LENGTHS, wanted=st.integers(1, 64), key=KEYS)
def test_each_random_segment_gives_a_frame_of_its_own_segment(num_frames, wanted, key):
    indices = sample("segment_random", num_frames, wanted, key)
    for position, index in enumerate(indices.tolist()):
        low = position * num_frames // wanted
        assert low <= index <= max(low, (position + 1) * num_frames // wanted - 1)


def test_random_segments_reach_every_frame():
    seen = {index for key in range(400) for index in sample("segment_random", 75, 16, key).tolist()}
    assert seen == set(range(75))


@given(num_frames=st.integers(1, 16))
def test_segments_narrower_than_a_frame_show_every_frame(num_frames):
    for name in ("segment_center", "segment_random"):
        assert set(sample(name, num_frames, 16, 0).tolist()) == set(range(num_frames))


@given(num_frames=st.integers(10, 900))
def test_former_dfer_takes_pairs_from_the_centres_of_eight_segments(num_frames):
    tick = (num_frames - 1) / 8
    expected = [min(int(tick / 2 + tick * k) + step, num_frames - 1) for k in range(8) for step in (0, 1)]
    assert sample("former_dfer", num_frames, 16, 0).tolist() == expected


@given(num_frames=st.integers(9, 900), key=KEYS)
def test_former_dfer_random_draws_its_pairs_inside_eight_segments(num_frames, key):
    pairs = sample("former_dfer_random", num_frames, 16, key).reshape(8, 2)
    width = (num_frames - 1) // 8
    assert (pairs[:, 1] - pairs[:, 0] == 1).all()
    assert (pairs[:, 0] // width == np.arange(8)).all()


@pytest.mark.parametrize("name", ["former_dfer", "former_dfer_random"])
def test_former_dfer_alternates_the_first_two_frames_of_a_short_clip(name):
    assert sample(name, 8, 16, 0).tolist() == [0, 1] * 8
    assert sample(name, 1, 16, 0).tolist() == [0] * 16


@pytest.mark.parametrize("name", ["former_dfer", "former_dfer_random"])
def test_former_dfer_refuses_an_odd_number_of_frames(name):
    with pytest.raises(HarnessError, match="pairs of consecutive frames"):
        sample(name, 100, 15, 0)


def released_m3dfel(num_frames: int, wanted: int, generator: random.Random) -> list[int]:
    """The rule as the paper's loader states it: a regular grid, plus a jitter below the number wanted, clamped."""
    grid = [int(num_frames * k / wanted) for k in range(wanted)]
    return [min(num_frames - 1, start + int(generator.random() * wanted)) for start in grid]


@pytest.mark.parametrize("num_frames", [8, 28, 70, 155])
def test_m3dfel_random_is_distributed_as_the_released_rule(num_frames):
    generator = random.Random(0)
    ours = np.array([sample("m3dfel_random", num_frames, 16, key) for key in range(2000)])
    theirs = np.array([released_m3dfel(num_frames, 16, generator) for _ in range(2000)])
    # Standard error of a mean of 2000 uniform draws over 16 values is 0.1; five of them.
    assert np.abs(ours.mean(axis=0) - theirs.mean(axis=0)).max() < 0.73
    assert ours.min(axis=0).tolist() == theirs.min(axis=0).tolist()
    assert ours.max(axis=0).tolist() == theirs.max(axis=0).tolist()


def test_m3dfel_random_scrambles_the_order_of_clips_of_usual_length():
    draws = [sample("m3dfel_random", 70, 16, key) for key in range(2000)]
    scrambled = sum((np.diff(draw) < 0).any() for draw in draws)
    assert scrambled > 0.995 * len(draws)


@given(num_frames=st.integers(64, 900), key=KEYS)
def test_a_stride_window_takes_every_fourth_frame(num_frames, key):
    for name in ("stride_window", "stride_window_random"):
        assert set(np.diff(sample(name, num_frames, 16, key)).tolist()) == {4}


def test_a_stride_window_lies_in_the_middle_and_holds_the_last_frame_of_a_short_clip():
    assert sample("stride_window", 100, 16, 0)[0] == (100 - 64) // 2
    assert sample("stride_window", 10, 16, 0).tolist() == [0, 4, 8] + [9] * 13


@given(num_frames=LENGTHS)
def test_dense_multi_view_shows_the_start_and_the_end_of_every_fourth_frame(num_frames):
    grid = list(range(0, num_frames, 4))
    grid += [grid[-1]] * (16 - len(grid))
    views = sample_views("dense_multi_view", num_frames, 16, 0)
    assert views.tolist() == [grid[:16], grid[-16:]]


@pytest.mark.parametrize("name", SAMPLERS)
def test_a_sampler_of_one_view_gives_that_view(name):
    assert sample_views(name, 50, 16, 9).tolist() == [sample(name, 50, 16, 9).tolist()]


def test_an_unknown_sampler_is_named_with_the_nearest_known():
    with pytest.raises(HarnessError, match="Did you mean 'segment_center'"):
        sample("segment_centre", 50, 16, 0)
    with pytest.raises(HarnessError, match="Did you mean 'dense_multi_view'"):
        sample_views("dense_multiview", 50, 16, 0)


@pytest.mark.parametrize("name", VIEW_SAMPLERS)
def test_an_empty_clip_has_no_frames_to_sample(name):
    with pytest.raises(HarnessError, match="of a clip of 0"):
        sample_views(name, 0, 16, 0)
