"""What every perturbation file promises, on small clips of moving texture.

Severity is monotone in displacement for index maps, in clips of any length, and in PSNR for everything else, with the
same draws at every severity and on the average of several clips. A fraction lies between its neighbours.
"""

import math
from itertools import pairwise

import pytest
import torch
from other_devices import forget_tables

from harness import plugins
from harness.train.conditions import parts, perturbation
from perturbations._apply import key, perturb, stack
from perturbations._contract import ClipShape, Perturbation
from perturbations._probe import moving_clip, static_clip

NAMES = plugins.names("perturbation")
SHAPE = ClipShape(frames=16, height=64, width=48)
CLIPS = torch.stack([moving_clip(SHAPE, key=index) for index in range(3)])
CODECS = {"h264_crf", "h264_abr"}
LENGTHS = (4, 6, 8, 12, 16, 32, 64)
"""Frames of clips that models are shown."""
ROUNDING = 0.02
"""How far a severity beside a whole one may lie beyond it, in dB: 8-bit results round either way, and so do codecs."""
WHOLE_FRAMES = 0.1
"""The same of index maps, in moments summed over a clip: times are rounded to frames."""
DRAWS = 12
"""Of perturbations made of others, whose parts act at moments of their own; three tell one draw's luck."""
STILL = torch.stack([static_clip(SHAPE, key=index) for index in range(2)])
MANY_STILL = torch.stack([static_clip(SHAPE, key=index) for index in range(8)])
MOMENTS = torch.arange(16, dtype=torch.uint8).mul(15).view(1, 16, 1, 1, 1).repeat(2, 1, 3, SHAPE.height, SHAPE.width)
"""Every frame of a grey of its own, so that its pixels say which one they come from."""
CHOOSE_FRAMES = {"temporal_loss", "temporal_rate", "temporal_order", "temporal_profile"}
"""Families whose one draw for the clip may leave some of its frames as they are."""


@pytest.fixture(scope="module", params=NAMES)
def name(request):
    return request.param


@pytest.fixture(scope="module")
def member(name):
    return plugins.load("perturbation", name)


def keys_for(name, severity, count):
    return [key(name, severity, f"clip-{index}", 0) for index in range(count)]


def index_map(member, severity, number, frames=SHAPE.frames):
    params = member.draw(member.level(severity), number, SHAPE._replace(frames=frames))
    return params["index"].tolist() if set(params) == {"index"} else None


def test_it_says_what_it_is(member):
    assert isinstance(member, Perturbation)
    assert all((member.title, member.family, member.unit, member.source))
    assert member.granularity in {"clip", "frame", "coherent"}
    assert member.label_preserving in {"yes", "order"}


def test_its_levels_are_strictly_ordered_or_all_equal(member):
    assert len(member.levels) == 5
    assert len({(after > before) - (after < before) for before, after in pairwise(member.levels)}) == 1


def test_severity_zero_is_the_clip_itself(name, member):
    assert torch.equal(perturb(CLIPS, member, 0, keys_for(name, 0, len(CLIPS))), CLIPS)


@pytest.mark.parametrize("severity", [1, 3.5, 5])
def test_shape_and_dtype_stay_the_input_does_too_and_something_changes(name, member, severity):
    given = CLIPS[:2].clone()
    spoilt = perturb(given, member, severity, keys_for(name, severity, 2))
    assert spoilt.shape == given.shape
    assert spoilt.dtype == torch.uint8
    assert torch.equal(given, CLIPS[:2])
    assert not torch.equal(spoilt, given)


@pytest.mark.parametrize("severity", [1, 3, 5])
def test_a_clip_is_spoilt_alike_in_any_batch_order_and_memory_layout(name, member, severity):
    keys = keys_for(name, severity, len(CLIPS))
    together = perturb(CLIPS, member, severity, keys)
    others = perturb(CLIPS[[2, 0]], member, severity, [keys[2], keys[0]])
    channels_last = CLIPS[1:2].permute(0, 1, 3, 4, 2).contiguous().permute(0, 1, 4, 2, 3)
    assert torch.equal(others, together[[2, 0]])
    assert torch.equal(perturb(channels_last, member, severity, keys[1:2]), together[1:2])


def test_a_clip_that_begins_at_an_odd_byte_of_its_memory_is_spoilt_alike(name, member):
    keys = keys_for(name, 2.6, 2)
    memory = torch.cat([torch.zeros(1, dtype=torch.uint8), CLIPS[:2].flatten()])
    there = perturb(memory[1:].view(CLIPS[:2].shape), member, 2.6, keys)
    assert torch.equal(there, perturb(CLIPS[:2], member, 2.6, keys))


def test_it_takes_frames_of_odd_sides_and_clips_of_odd_lengths(name, member):
    shape = ClipShape(frames=7, height=50, width=37)
    given = torch.stack([moving_clip(shape, key=index) for index in range(2)])
    spoilt = perturb(given, member, 2.6, keys_for(name, 2.6, 2))
    assert spoilt.shape == given.shape
    assert not torch.equal(spoilt, given)


def test_a_network_in_half_precision_is_shown_the_same_pixels(name, member):
    keys = keys_for(name, 3, 1)
    with torch.autocast("cpu", torch.bfloat16):
        inside = perturb(CLIPS[:1], member, 3, keys)
    assert torch.equal(inside, perturb(CLIPS[:1], member, 3, keys))


def test_floats_of_another_default_width_change_no_pixel(name, member):
    keys = keys_for(name, 2.6, 1)
    expected = perturb(CLIPS[:1], member, 2.6, keys)
    forget_tables()
    torch.set_default_dtype(torch.float64)
    try:
        assert torch.equal(perturb(CLIPS[:1], member, 2.6, keys), expected)
    finally:
        torch.set_default_dtype(torch.float32)
        forget_tables()


def test_it_says_whether_its_draws_depend_on_the_clip(member):
    def drawn(severity, number):
        return {part: value.tolist() for part, value in member.draw(member.level(severity), number, SHAPE).items()}

    differ = any(drawn(severity, number) != drawn(severity, 0) for severity in (1, 3.5, 5) for number in range(1, 20))
    assert differ == member.keyed


def test_a_batch_in_one_call_equals_its_clips_one_by_one_to_a_level(name, member):
    keys = keys_for(name, 3, len(CLIPS))
    params = stack([member.draw(member.level(3), each, SHAPE) for each in keys])
    assert all(len(value) == len(CLIPS) for value in params.values())
    difference = member.apply(CLIPS, params).to(torch.int16) - perturb(CLIPS, member, 3, keys).to(torch.int16)
    assert difference.abs().max() <= 1


def test_its_granularity_shows_in_the_ways_in_which_frames_are_spoilt(name, member):
    if name in CODECS:
        pytest.skip("draws nothing; whether a frame inherits the codec's errors is up to the codec")
    clips, lasts = ways(name, member)
    for frames in clips:
        different = {each.numpy().tobytes() for each in frames if each.any()}
        changed = sum(bool(each.any()) for each in frames)
        if member.granularity == "clip":
            assert len(different) == 1
            assert changed == len(frames) or set(map(family, parts(name))) & CHOOSE_FRAMES
        elif member.granularity == "frame":
            assert len(different) > 2 if lasts else len(different) == changed > 1
        else:
            assert len(different) > 2


def test_a_coherent_draw_moves_smoothly_and_one_for_each_frame_does_not(name, member):
    if member.granularity == "clip":
        pytest.skip("drawn once")
    if member.granularity == "frame" and member.made_of:
        pytest.skip("a member's course over time may be smooth")
    spoilt = perturb(MANY_STILL, member, 5, keys_for(name, 5, len(MANY_STILL))).float()
    if torch.equal(spoilt, MANY_STILL.float()):
        pytest.skip("shows other moments")
    next_frame = (spoilt[:, 1:] - spoilt[:, :-1]).abs().mean()
    far_frame = (spoilt[:, 5:] - spoilt[:, :-5]).abs().mean()
    assert (next_frame < 0.9 * far_frame) == (member.granularity == "coherent")


@pytest.mark.parametrize("frames", LENGTHS)
@pytest.mark.parametrize("severity", [1, 2.6, 3, 5])
def test_its_index_map_shows_only_frames_there_are(name, member, severity, frames):
    for number in keys_for(name, severity, 20):
        index = index_map(member, severity, number, frames)
        if index is None:
            pytest.skip("perturbs pixels")
        assert len(index) == frames
        assert all(0 <= source < frames for source in index)
        if member.label_preserving == "yes":
            assert index == sorted(index), "time runs backwards in a perturbation that keeps the label"


def test_severity_is_monotone(name, member):
    if len(set(member.levels)) == 1:
        pytest.skip("has a single level")
    harm = [spoiling(name, member, severity) for severity in range(1, 6)]
    assert harm == sorted(harm), harm
    assert harm[0] < harm[-1]


@pytest.mark.parametrize("frames", LENGTHS)
def test_an_index_map_moves_frames_no_less_with_severity_in_clips_of_any_length(name, member, frames):
    if index_map(member, 1, 0) is None:
        pytest.skip("perturbs pixels")
    moved = [displacement(name, member, severity, frames) for severity in range(1, 6)]
    assert moved == sorted(moved), moved


@pytest.mark.parametrize("fraction", [0.02, 0.5, 0.98])
def test_a_fraction_of_a_severity_lies_between_its_neighbours(name, member, fraction):
    room = ROUNDING if index_map(member, 1, 0) is None else WHOLE_FRAMES
    for below in range(1, 5):
        low, between, high = (spoiling(name, member, severity) for severity in (below, below + fraction, below + 1))
        assert low - room <= between <= high + room, (below, low, between, high)


def ways(name, member):
    """What is done to the frames of still clips; or, where that is nothing, which places show another moment.

    And whether it is the second, because what is lost at one moment may show until later ones.
    """
    done = perturb(STILL, member, 5, keys_for(name, 5, len(STILL))).to(torch.int16) - STILL
    if done.any():
        return done, False
    return perturb(MOMENTS, member, 5, keys_for(name, 5, len(MOMENTS))) != MOMENTS, True


def family(name):
    return perturbation(name).family


def spoiling(name, member, severity):
    """How far a severity is from the clean clip: mean frame displacement, or negative PSNR in dB."""
    if index_map(member, severity, 0) is not None:
        return displacement(name, member, severity, SHAPE.frames)
    clips = CLIPS.repeat(DRAWS // len(CLIPS), 1, 1, 1, 1) if member.made_of and member.keyed else CLIPS
    error = (perturb(clips, member, severity, keys_for(name, 0, len(clips))).float() - clips).square().mean()
    return 10 * math.log10(error / 255**2)


def displacement(name, member, severity, frames):
    """How many moments away, summed over a clip and on the mean of many draws, what is shown was."""
    maps = [index_map(member, severity, number, frames) for number in keys_for(name, 0, 40)]
    return sum(abs(source - moment) for index in maps for moment, source in enumerate(index)) / len(maps)
