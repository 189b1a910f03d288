"""Keys, suites and the call that perturbs a batch."""

import subprocess
import sys
from dataclasses import replace

import pytest
import torch

from perturbations._apply import SUITE_VERSION, key, perturb, suite, suites
from perturbations._contract import ClipShape
from perturbations._probe import moving_clip
from perturbations._suite import load, perturbation_files
from perturbations.brightness_up import brightness_up

CLIPS = torch.zeros(2, 3, 3, 8, 8, dtype=torch.uint8)


def test_a_key_is_63_bits_and_changes_with_everything_it_is_for():
    same = key("fog", 3, "00012", 0)
    others = [
        key("fig", 3, "00012", 0),
        key("fog", 4, "00012", 0),
        key("fog", 3, "00013", 0),
        key("fog", 3, "00012", 1),
    ]
    assert len({same, *others}) == 5
    assert all(0 <= each < 2**63 for each in (same, *others))
    assert same == key("fog", 3.0, "00012", 0)


def test_a_key_stays_what_it_is_in_this_suite_version():
    assert SUITE_VERSION == "5"
    assert key("gaussian_noise", 3, "00001", 0) == 3750273931133180073


def test_severity_zero_is_a_copy():
    spoilt = perturb(CLIPS, brightness_up, 0, [1, 2])
    spoilt += 1
    assert CLIPS.max() == 0


def test_a_fractional_severity_lies_between_its_neighbours():
    assert perturb(CLIPS, brightness_up, 2.5, [1, 2]).unique().tolist() == [round(255 * 0.25)]


def test_an_empty_batch_stays_empty():
    assert perturb(CLIPS[:0], brightness_up, 3, []).shape == CLIPS[:0].shape


def test_a_missing_key_is_an_error_that_counts():
    with pytest.raises(ValueError, match="1 keys were given for 2 clips"):
        perturb(CLIPS, brightness_up, 3, [1])


@pytest.mark.parametrize("severity", [0.5, -1, 6])
def test_a_severity_outside_the_documented_range_is_an_error(severity):
    with pytest.raises(ValueError, match=r"outside 1\.\.5"):
        perturb(CLIPS, brightness_up, severity, [1, 2])


@pytest.mark.parametrize("shape", [(1, 3, 1, 8, 8), (1, 3, 4, 8, 8), (1, 3, 3, 1, 8), (1, 3, 3, 8, 1), (1, 0, 3, 8, 8)])
def test_clips_that_are_not_rgb_or_have_no_area_or_no_frame_are_refused(shape):
    with pytest.raises(ValueError, match=rf"not uint8 of shape \({shape[0]}, {shape[1]}, {shape[2]}, "):
        perturb(torch.zeros(shape, dtype=torch.uint8), brightness_up, 3, [1])


@pytest.mark.parametrize("made", ["torch.zeros(1, 3, 3, 8, 8)", "torch.zeros(3, 3, 8, 8, dtype=torch.uint8)"])
def test_clips_that_are_not_8_bit_batches_are_refused_in_words_without_checked_types(made):
    code = f"import torch; from perturbations._apply import perturb; perturb({made}, None, 3, [1])"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False).stderr
    assert "ValueError: clips are uint8 of shape (clips, frames, 3, height, width)" in said


@pytest.mark.parametrize("whole_batch", [True, False])
@pytest.mark.parametrize(
    ("made", "seen"),
    [
        (lambda pixels: pixels.float(), r"float32 of shape \(., 3, 3, 8, 8\)"),
        (lambda pixels: pixels[..., :4, :], r"uint8 of shape \(., 3, 3, 4, 8\)"),
        (lambda pixels: pixels[:, :1], r"uint8 of shape \(., 1, 3, 8, 8\)"),
    ],
)
def test_a_perturbation_that_changes_shape_or_dtype_is_refused_by_name(made, seen, whole_batch):
    wrong = replace(brightness_up, title="Wrong", apply=lambda pixels, params: made(pixels), whole_batch=whole_batch)
    with pytest.raises(ValueError, match=rf"^'Wrong' makes {seen} of uint8 clips of shape"):
        perturb(CLIPS, wrong, 3, [1, 2])


@pytest.mark.parametrize("name", suites())
def test_every_suite_can_be_read(name):
    read = suite(name)
    assert read.title
    assert read.conditions
    assert len(set(read.conditions)) == len(read.conditions)


def test_an_unknown_suite_is_an_error_that_offers_the_known_ones():
    with pytest.raises(ValueError, match=r"No suite named 'cor'\. Known: core"):
        suite("cor")


@pytest.mark.parametrize("name", perturbation_files())
def test_the_number_of_threads_changes_no_bit(name):
    clips = moving_clip(ClipShape(16, 80, 80))[None]
    alone = perturb(clips, load(name), 3, [7])
    torch.set_num_threads(2)
    try:
        assert torch.equal(perturb(clips, load(name), 3, [7]), alone)
    finally:
        torch.set_num_threads(1)


@pytest.mark.parametrize("whole_batch", [True, False])
def test_who_writes_into_its_clips_is_refused_by_name(whole_batch):
    def darken(pixels, params):
        pixels[:, 1:] = 0
        return pixels

    rude = replace(brightness_up, title="Rude", apply=darken, whole_batch=whole_batch)
    with pytest.raises(ValueError, match=r"'Rude' writes into the clips that it is given.*pixels\.clone\(\)"):
        perturb(CLIPS.clone(), rude, 3, [1, 2])
    polite = replace(rude, apply=lambda pixels, params: darken(pixels.clone(), params))
    assert perturb(CLIPS + 7, polite, 3, [1, 2]).unique().tolist() == [0, 7]


def test_clips_that_torch_counts_no_writes_of_are_perturbed_too():
    with torch.inference_mode():
        assert perturb(CLIPS.clone(), brightness_up, 3, [1, 2]).shape == CLIPS.shape
