"""Noise, colour, light and style against independent definitions: scipy, kornia and closed forms."""

import math

import kornia
import numpy as np
import pytest
import torch
from scipy import stats
from spoilt import CLIP, FLAT, SHAPE, farthest, spoilt

from perturbations._apply import perturb
from perturbations._colour import planckian
from perturbations._curve import look_up
from perturbations._donors import donor
from perturbations._plasma import plasma
from perturbations._probe import moving_clip
from perturbations._suite import load


def as_float(clip):
    return clip[0].float() / 255


def test_gaussian_noise_has_its_standard_deviation_and_no_bias():
    noise = spoilt("gaussian_noise", 2, FLAT).double() - 100
    assert noise.std() == pytest.approx(255 * 0.08, rel=0.02)
    assert noise.mean() == pytest.approx(0, abs=0.2)


def test_speckle_noise_grows_with_the_value():
    half, full = (spoilt("speckle_noise", 1, FLAT // part).double().std() for part in (2, 1))
    assert full == pytest.approx(100 * 0.15, rel=0.02)
    assert full / half == pytest.approx(2, rel=0.03)


def test_iso_noise_has_its_photon_and_read_variance():
    noise = spoilt("iso_noise", 3, FLAT).double()
    assert (noise / 255).var() == pytest.approx(0.01 * 100 / 255 + 0.03**2, rel=0.03)


def test_shot_noise_is_poisson():
    photons = load("shot_noise").level(5)
    counts = (spoilt("shot_noise", 5, FLAT).double() * photons / 255).round().long().flatten().numpy()
    law = stats.poisson(100 / 255 * photons)
    cells = np.arange(1, 12)
    seen = np.array([(counts == cell).sum() for cell in cells])
    assert seen == pytest.approx(law.pmf(cells) * counts.size, rel=0.04)


def test_impulse_noise_of_no_share_hits_nothing_and_of_the_whole_everything():
    member = load("impulse_noise")
    for level, left in ((0.0, {100}), (1.0, {0, 255})):
        drawn = {name: value[None] for name, value in member.draw(level, 3, SHAPE).items()}
        assert set(member.apply(FLAT, drawn).unique().tolist()) == left


def test_impulse_noise_hits_its_share_evenly():
    values = spoilt("impulse_noise", 5, FLAT)
    assert (values == 0).float().mean() == pytest.approx(0.07, rel=0.03)
    assert (values == 255).float().mean() == pytest.approx(0.07, rel=0.03)


def test_frozen_noise_is_one_frame_of_noise():
    assert spoilt("gaussian_noise_frozen", 5, FLAT).double().std() == pytest.approx(255 * 0.18, rel=0.03)


def plasma_of_imagenet_c(generator, side, decay):
    """The height map of its fog, written anew: diamonds and squares on a torus, displacements of a wibble squared."""
    field, wibble, step = np.zeros((side, side)), 1.0, side
    while step > 1:
        half, cells = step // 2, side // step
        corners, draw = field[::step, ::step], wibble * generator.uniform(-wibble, wibble, (3, cells, cells))
        below, right = np.roll(corners, -1, 0), np.roll(corners, -1, 1)
        centres = (corners + below + right + np.roll(below, -1, 1)) / 4 + draw[0]
        field[half::step, half::step] = centres
        field[::step, half::step] = (corners + right + centres + np.roll(centres, 1, 0)) / 4 + draw[1]
        field[half::step, ::step] = (corners + below + centres + np.roll(centres, 1, 1)) / 4 + draw[2]
        step, wibble = half, wibble / decay
    return (field - field.min()) / (field.max() - field.min())


def slopes(fields):
    """The mean step between pixels beside each other, and between those eight apart."""
    return [np.abs(np.diff(fields, axis=-1)).mean(), np.abs(fields[..., 8:] - fields[..., :-8]).mean()]


@pytest.mark.parametrize("decay", [2.0, 1.7, 1.5, 1.4])
def test_a_veil_of_a_wibble_decay_is_as_rough_as_imagenet_cs(decay):
    roughness = load("fog").second.draw(1.0, decay, 0, SHAPE)["roughness"].expand(60)
    ours = plasma(torch.arange(60) * 7919, 224, 224, roughness).numpy()
    theirs = [plasma_of_imagenet_c(np.random.default_rng(seed), 256, decay)[:224, :224] for seed in range(60)]
    assert slopes(ours) == pytest.approx(slopes(np.stack(theirs)), rel=0.2)


@pytest.mark.parametrize("severity", [1, 3, 5])
def test_hue_is_kornias(severity):
    turn = load("hue").draw(load("hue").level(severity), 11, SHAPE)["turn"]
    reference = kornia.enhance.adjust_hue(as_float(CLIP), float(turn) * 2 * math.pi)
    assert farthest(spoilt("hue", severity)[0], reference * 255) <= 1


def test_oversaturation_is_kornias():
    assert farthest(spoilt("oversaturate")[0], kornia.enhance.adjust_saturation(as_float(CLIP), 3.0) * 255) <= 1


def test_desaturation_is_kornias():
    reference = kornia.enhance.adjust_saturation_with_gray_subtraction(as_float(CLIP), 0.4)
    assert farthest(spoilt("desaturate")[0], reference * 255) <= 1.5  # luma weights are multiples of 1/128


def test_gamma_is_kornias():
    assert farthest(spoilt("gamma_dark")[0], kornia.enhance.adjust_gamma(as_float(CLIP), 2.0) * 255) <= 0.5 + 1e-3


def test_quantisation_keeps_the_highest_bits():
    assert torch.equal(spoilt("color_quantization", 4), CLIP & 0b11100000)


@pytest.mark.parametrize("whole", [1, 2, 3, 4, 5])
def test_quantisation_does_not_jump_beside_a_whole_severity(whole):
    ramp = torch.arange(256, dtype=torch.uint8).view(1, 1, 1, 16, 16).expand(1, 1, 3, 16, 16)
    beside = [severity for severity in (whole - 0.001, whole + 0.001) if 1 <= severity <= 5]
    means = [spoilt("color_quantization", each, ramp).double().mean().item() for each in (whole, *beside)]
    assert means == pytest.approx(means[:1] * len(means), abs=0.02)


def test_brightness_is_kornias():
    assert farthest(spoilt("brightness_up")[0], kornia.enhance.adjust_brightness(as_float(CLIP), 0.3) * 255) <= 1


def test_contrast_keeps_each_channels_mean_and_scales_its_spread():
    values = spoilt("contrast_down").double()
    assert values.mean(dim=(1, 3, 4)).numpy() == pytest.approx(CLIP.double().mean(dim=(1, 3, 4)).numpy(), abs=0.5)
    spread = values.std(dim=(1, 3, 4)) / CLIP.double().std(dim=(1, 3, 4))
    assert spread.numpy() == pytest.approx(0.3, rel=0.02)


def test_white_light_is_6500_kelvin_and_warm_light_is_red():
    values = torch.arange(0, 256, dtype=torch.uint8).view(1, 1, 1, 16, 16).expand(1, 1, 3, 16, 16)
    assert torch.equal(look_up(values, {"table": planckian(6500.0)["table"][None]}), values)
    red, green, blue = planckian(3500.0)["table"][:, 128].tolist()
    assert red > green > blue


@pytest.mark.parametrize(("kelvin", "x", "y"), [(2856.0, 0.4476, 0.4074), (6504.0, 0.3135, 0.3237)])
def test_the_planckian_locus_passes_through_tabulated_points(kelvin, x, y):
    from perturbations._colour import _locus

    assert _locus(kelvin) == pytest.approx((x, y), abs=0.001)


def test_style_statistics_end_at_the_donors():
    member = load("style_statistics")
    params = {name: value[None] for name, value in member.draw(1.0, 2, SHAPE).items()}
    result = member.apply(CLIP, params).double().mean(dim=(1, 3, 4))[0]
    expected = donor(int(params["host_donor"]), SHAPE.height, SHAPE.width).double().mean(dim=(1, 2))
    assert result.numpy() == pytest.approx(expected.numpy(), abs=6)


def test_histogram_match_ends_at_the_donors_histogram():
    member = load("histogram_match")
    params = {name: value[None] for name, value in member.draw(1.0, 2, SHAPE).items()}
    result = member.apply(CLIP, params)
    other = donor(int(params["host_donor"]), SHAPE.height, SHAPE.width)
    for channel in range(3):
        one, two = result[0, :, channel].flatten().double(), other[channel].flatten().double()
        assert stats.wasserstein_distance(one.numpy(), two.numpy()) < 4


@pytest.mark.parametrize("name", ["fourier_amplitude_mix"])
def test_a_fourier_shift_of_nothing_is_nothing(name):
    member = load(name)
    params = {part: value[None] for part, value in member.draw(0.0, 2, SHAPE).items()}
    assert farthest(member.apply(CLIP, params), CLIP) <= 1


def test_a_kornia_draw_is_the_same_for_any_batch():
    clips = torch.cat([CLIP, moving_clip(SHAPE, key=6)[None]])
    member = load("spot_light")
    assert torch.equal(perturb(clips, member, 3, [1, 2])[1:], perturb(clips[1:], member, 3, [2]))
