"""Times are parts of the clip: a severity is the same for clips of any length, and something happens in each."""

import math
from itertools import pairwise

import pytest
import torch

from perturbations._contract import ClipShape
from perturbations._profile import profiled
from perturbations._suite import load

LENGTHS = (8, 16, 32, 64)
REORDERS = ("global_shuffle", "local_shuffle", "segment_swap", "duplicate", "timestamp_jitter")


def drawn(name, severity, key, frames):
    member = load(name)
    return member.draw(member.level(severity), key, ClipShape(frames, 112, 112))


@pytest.mark.parametrize("severity", [1, 3, 5])
def test_as_many_tiles_are_stale_in_clips_of_any_length(severity):
    stale = []
    for frames in LENGTHS:
        shown = torch.stack([drawn("packet_loss", severity, key, frames)["shown"] for key in range(40)])
        stale.append((shown != torch.arange(frames).view(-1, 1, 1)).float().mean().item())
    assert stale == pytest.approx([stale[1]] * len(LENGTHS), rel=0.1)


@pytest.mark.parametrize("frames", LENGTHS[:3])
def test_a_tracker_wanders_as_far_within_clips_of_any_length(frames):
    level = load("face_jitter").level(5)
    shifts = torch.stack([drawn("face_jitter", 5, key, frames)["matrix"] for key in range(150)])
    middle = (shifts @ torch.tensor([55.5, 55.5, 1.0], dtype=torch.float64))[..., :2] - 55.5
    within = middle.std(dim=1, correction=0).mean().item() / 112
    assert within == pytest.approx(0.6 * level, rel=0.08)


def test_a_camera_shakes_as_much_in_a_clip_of_twice_as_many_frames():
    short, long = (drawn("camera_shake", 5, 3, frames)["kernels"] for frames in (16, 32))
    assert torch.equal(long[::2], short)


@pytest.mark.parametrize("frames", [2, 4, 8, 16, 33])
def test_a_ramp_begins_with_the_clip_ends_at_its_severity_and_never_turns_back(frames):
    course = [severities(1 + step / 20, frames) for step in range(81)]
    for milder, harder in pairwise(course):
        assert all(one <= other + 1e-6 for one, other in zip(milder, harder, strict=True))
    for each in course:
        assert each[0] == 0
        assert each == sorted(each)
    assert [each[-1] for each in course] == pytest.approx([1 + step / 20 for step in range(81)])


@pytest.mark.parametrize(
    ("severity", "expected"),
    [(1, [0, 0, 0, 0, 1, 1, 1, 1]), (3, [0, 0, 1, 1, 2, 2, 3, 3]), (2.02, [0, 0, 0, 1, 1, 2, 2, 2.02])],
)
def test_a_ramp_gives_every_documented_severity_its_part_of_the_clip(severity, expected):
    assert severities(severity, 8) == pytest.approx(expected)


def test_a_ramp_of_a_single_frame_is_the_perturbation_itself():
    assert severities(3.5, 1) == [3.5]


def severities(severity, frames):
    """The severity that each frame of a ramp is shown at."""
    ramp = profiled("brightness_up", "ramp")
    params = ramp.draw(ramp.level(severity), 1, ClipShape(frames, 8, 8))
    stages = [0, *range(1, int(params["host_stages"])), severity]
    return [stages[stage] for stage in params["stage"].tolist()]


@pytest.mark.parametrize("name", REORDERS)
@pytest.mark.parametrize("frames", [2, 3, 5, 8, 16])
def test_no_draw_shows_the_clip_as_it_is(name, frames):
    for severity in (1, 2.5, 5):
        maps = [drawn(name, severity, key, frames)["index"].tolist() for key in range(60)]
        assert list(range(frames)) not in maps


@pytest.mark.parametrize("name", ["speed_up", "temporal_crop_onset", "temporal_crop_apex", "temporal_crop_offset"])
@pytest.mark.parametrize("frames", [2, 3, 4, 5, 6, 16])
def test_something_of_a_short_clip_is_lost_at_every_severity_and_no_less_at_higher_ones(name, frames):
    if (name, frames) == ("speed_up", 2):
        pytest.skip("the last of two frames is shown last at any speed")
    shown = [drawn(name, severity, 0, frames)["index"] for severity in (1, 1.5, 2, 3, 4, 5)]
    moved = [(index - torch.arange(frames)).abs().sum().item() for index in shown]
    assert moved[0] > 0
    assert moved == sorted(moved)


@pytest.mark.parametrize("name", REORDERS)
def test_a_clip_of_one_frame_stays(name):
    assert drawn(name, 1, 3, 1)["index"].tolist() == [0]


def test_an_error_of_time_that_reaches_no_other_frame_moves_one_frame_by_one():
    for key in range(60):
        index = torch.tensor(drawn("timestamp_jitter", 1, key, 4)["index"].tolist())
        assert (index - torch.arange(4)).abs().tolist().count(1) == 1
        assert (index.diff() >= 0).all()


@pytest.mark.parametrize("severity", [1, 2, 3, 4, 5])
def test_a_documented_speed_takes_every_so_manyth_frame_and_one_just_beside_it_too(severity):
    speed = load("speed_up").levels[severity - 1]
    whole = [min(math.floor(moment * speed), 15) for moment in range(16)]
    for beside in (-0.005, 0, 0.005):
        if 1 <= severity + beside <= 5:
            assert drawn("speed_up", severity + beside, 0, 16)["index"].tolist() == whole


@pytest.mark.parametrize(("severity", "speed"), [(1, 4 / 5), (2, 2 / 3), (3, 1 / 2), (4, 1 / 3), (5, 1 / 4)])
def test_a_slow_clip_shows_each_frame_as_often_as_the_next(severity, speed):
    seen = round(load("slow_down").levels[severity - 1] * 16)
    for key in range(5):
        for beside in (-0.005, 0, 0.005):
            if 1 <= severity + beside <= 5:
                index = drawn("slow_down", severity + beside, key, 16)["index"]
                steps = [min(math.floor(moment * speed + 1e-9), seen - 1) for moment in range(16)]
                assert (index - index[0]).tolist() == steps
