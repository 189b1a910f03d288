"""Suites, their variants, temporal profiles, combinations and the gallery."""

import math
from itertools import pairwise

import numpy as np
import pytest
import torch
from matplotlib.image import imread

from harness.train.conditions import parts
from perturbations import _contact_sheet, _gallery
from perturbations._apply import key, perturb
from perturbations._combine import combination
from perturbations._contract import ClipShape
from perturbations._probe import moving_clip
from perturbations._profile import profiled
from perturbations._suite import load, perturbation_files, suite, suites

CLIP = moving_clip(ClipShape(16, 32, 32))


def spread_of_wand(radius, sigma):
    """The standard deviation of ImageMagick's motion kernel: a Gaussian's one side, cut after 2 * radius pixels."""
    places = np.arange(2 * radius + 1)
    weights = np.exp(-(places**2) / (2 * sigma**2))
    return np.sqrt(np.cov(places, aweights=weights, ddof=0))


def test_every_member_of_every_suite_can_be_loaded():
    for name in suites():
        for member in suite(name).names:
            assert len(load(member).levels) == 5


def test_the_validation_suite_shares_nothing_with_the_reported_ones():
    seen = set(suite("validation").names)
    assert not seen & set(suite("core").names)
    assert not seen & set(suite("full").names)


def test_what_a_search_may_see_is_not_even_a_part_of_what_core_reports():
    assert parts("combined_pixelate") == {"combined_pixelate", "pixelate", "brightness_down", "contrast_down"}
    assert parts("imagenet_c.jpeg_compression") == {"imagenet_c.jpeg_compression", "jpeg"}
    assert parts("low_light_ramp") == {"low_light", "low_light_ramp"}
    assert parts("histogram_match") == {"histogram_match"}
    seen = set().union(*map(parts, suite("validation").names))
    assert not seen & set().union(*map(parts, suite("core").names))


def test_what_works_as_another_perturbation_says_that_it_is_made_of_it():
    files = [(each, load(each)) for each in perturbation_files()]
    for name in sorted({name for each in suites() for name in suite(each).names}):
        own = load(name)
        assert {each for each, file in files if (file.draw, file.apply) == (own.draw, own.apply)} <= parts(name), name


def test_full_and_validation_together_are_every_file():
    assert {*suite("full").names, *suite("validation").names} == set(perturbation_files())


def test_core_costs_72_conditions():
    assert len(suite("core").conditions) == 72


def test_a_variant_has_the_published_levels_and_its_own_name():
    variant = load("imagenet_c.gaussian_blur")
    assert [level * 224 for level in variant.levels] == pytest.approx([1, 2, 3, 4, 6])
    assert "imagenet_c" in variant.title
    assert key("imagenet_c.gaussian_blur", 1, "a", 0) != key("gaussian_blur", 1, "a", 0)


PUBLISHED = {
    "imagenet_c.gaussian_noise": (0.08, 0.12, 0.18, 0.26, 0.38),
    "imagenet_c.shot_noise": (60, 25, 12, 5, 3),
    "imagenet_c.impulse_noise": (0.03, 0.06, 0.09, 0.17, 0.27),
    "imagenet_c.speckle_noise": (0.15, 0.2, 0.35, 0.45, 0.6),
    "imagenet_c.gaussian_blur": [sigma / 224 for sigma in (1, 2, 3, 4, 6)],
    "imagenet_c.defocus_blur": [radius / 224 for radius in (3, 4, 6, 8, 10)],
    "imagenet_c.motion_blur": [
        round(math.sqrt(12) * spread_of_wand(*each), 1) / 224
        for each in ((10, 3), (15, 5), (15, 8), (15, 12), (20, 15))
    ],
    "imagenet_c.zoom_blur": (1.11, 1.16, 1.21, 1.26, 1.31),
    "imagenet_c.fog": (1, 2, 3, 4, 5),
    "imagenet_c.brightness": (0.1, 0.2, 0.3, 0.4, 0.5),
    "imagenet_c.contrast": (0.4, 0.3, 0.2, 0.1, 0.05),
    "imagenet_c.jpeg_compression": (25, 18, 15, 10, 7),
    "imagenet_c.pixelate": (1, 2, 3, 4, 5),
    "rafdb_c.gaussian_noise": (0.08, 0.12, 0.18, 0.24, 0.3),
    "rafdb_c.shot_noise": (60, 29, 15, 8, 5),
    "rafdb_c.gaussian_blur": [sigma / 100 for sigma in (1, 1.8, 2.6, 3.4, 4)],
    "rafdb_c.defocus_blur": [radius / 48 for radius in (1.5, 2, 2, 2.5, 3)],
    "rafdb_c.zoom_blur": (1.11, 1.18, 1.26, 1.32, 1.4),
    "rafdb_c.contrast_down": (0.4, 0.33, 0.24, 0.16, 0.1),
    "rafdb_c.pixelate": (1, 2, 3, 4, 5),
    "rafdb_c.jpeg": (25, 18, 15, 10, 7),
    "kinetics_c.shot_noise": (60, 25, 12, 5, 3),
    "kinetics_c.fog": (1, 2, 3, 4, 5),
    "kinetics_c.contrast": (0.5, 0.4, 0.3, 0.2, 0.1),
    "kinetics_c.brightness": (0.1, 0.2, 0.3, 0.4, 0.5),
    "contrast_up": (1.5, 1.9, 2.6, 3.3, 5),
    "brightness_up": (0.1, 0.2, 0.3, 0.4, 0.5),
    "brightness_down": (0.1, 0.2, 0.3, 0.4, 0.5),
    "h264_crf": (23, 30, 37, 44, 51),
    "h264_abr": (2, 4, 8, 16, 32),
    "rain": (1, 2, 3, 4, 5),
}
"""The tables of the authors' own code, lengths in fractions of the height of their frames."""
COMBINED = {name for name in suite("rafdb_c").names if load(name).family == "combined"}


@pytest.mark.parametrize("name", ["imagenet_c", "rafdb_c", "kinetics_c"])
def test_a_legacy_suite_has_the_published_levels(name):
    for each in set(suite(name).names) - COMBINED:
        assert load(each).levels == pytest.approx(PUBLISHED[each], rel=1e-4), each


@pytest.mark.parametrize("name", ["imagenet_c.fog", "kinetics_c.fog"])
def test_a_legacy_fog_has_the_published_pairs_of_strength_and_wibble_decay(name):
    pairs = [(1.5, 2), (2, 2), (2.5, 1.7), (2.5, 1.5), (3, 1.4)]
    member = load(name)
    for severity, (strength, decay) in enumerate(pairs, start=1):
        drawn = member.draw(member.level(severity), 7, ClipShape(16, 32, 32))
        assert (drawn["strength"].item(), drawn["roughness"].item()) == pytest.approx((strength, decay**-2))
    between = member.draw(member.level(3.5), 7, ClipShape(16, 32, 32))
    assert (between["strength"].item(), between["roughness"].item()) == pytest.approx((2.5, 1.6**-2))
    assert "2/2/1.7/1.5/1.4" in member.unit


@pytest.mark.parametrize("name", sorted({name for each in suites() for name in suite(each).names if "." in name}))
def test_a_variant_never_gets_milder_with_severity(name):
    harm = [(perturb(CLIP[None], load(name), severity, [5]).float() - CLIP).square().mean() for severity in range(1, 6)]
    assert all(after >= before * 0.98 for before, after in pairwise(harm))


@pytest.mark.parametrize(
    ("name", "message"),
    [("fogg", "No perturbation named 'fogg'"), ("core.fog", "has no variant 'fog'"), ("x.fog", "No suite named 'x'")],
)
def test_an_unknown_perturbation_is_an_error_that_offers_the_known_ones(name, message):
    with pytest.raises(ValueError, match=message):
        load(name)


@pytest.mark.parametrize(("profile", "changed"), [("burst", 4), ("apex", 4), ("constant", 16)])
def test_a_profile_spoils_its_part_of_the_clip_only(profile, changed):
    spoilt = perturb(CLIP[None], profiled("overexposure", profile), 3, [9])[0]
    frames = (spoilt != CLIP).flatten(1).any(1)
    assert frames.sum() == changed
    if profile == "apex":
        assert frames[6:10].all()


@pytest.mark.parametrize("profile", ["ramp", "burst", "apex", "constant"])
@pytest.mark.parametrize(
    "name", [name for name in perturbation_files() if not load(name).family.startswith("temporal")]
)
def test_a_profile_shows_every_perturbation_of_the_picture_as_it_is_where_it_acts(name, profile):
    clip = CLIP[None, :8]
    for severity in (1, 3.5, 5):
        spoilt = perturb(clip, profiled(name, profile), severity, [9])[0]
        full, clean = perturb(clip, load(name), severity, [9])[0], clip[0]
        acts = {"constant": range(8), "apex": (3, 4), "ramp": (7,)}.get(profile)
        if acts is not None:
            assert torch.equal(spoilt[list(acts)], full[list(acts)])
        if profile in {"apex", "burst"}:
            whole = [torch.equal(*pair) for pair in zip(spoilt, full, strict=True)]
            same = [torch.equal(*pair) for pair in zip(spoilt, clean, strict=True)]
            assert all(one or other for one, other in zip(whole, same, strict=True))


def test_a_ramp_grows_to_the_full_severity_in_the_last_frame():
    spoilt = perturb(CLIP[None], profiled("brightness_down", "ramp"), 5, [9])[0]
    full = perturb(CLIP[None], load("brightness_down"), 5, [9])[0]
    means = spoilt.float().mean(dim=(1, 2, 3)) - CLIP.float().mean(dim=(1, 2, 3))
    assert torch.equal(spoilt[0], CLIP[0])
    assert torch.equal(spoilt[-1], full[-1])
    assert (means[1:] <= means[:-1] + 2).all()


def test_a_combination_applies_its_members_in_order_with_draws_of_their_own():
    combined = combination("both", {"brightness_up": (1, 2, 3, 4, 5), "contrast_down": (0, 1, 2, 3, 4)}, "test")
    brighter = perturb(CLIP[None], load("brightness_up"), 3, [1])
    assert torch.equal(perturb(CLIP[None], combined, 3, [1]), perturb(brighter, load("contrast_down"), 2, [1]))
    assert torch.equal(perturb(CLIP[None], combined, 1, [1]), perturb(CLIP[None], load("brightness_up"), 1, [1]))


@pytest.mark.parametrize("name", [name for name in perturbation_files() if load(name).family == "combined"])
def test_a_combination_is_as_fast_as_its_fastest_member(name):
    combined = load(name)
    paces = {load(part).granularity for part in combined.draw.__self__.severities}
    assert combined.granularity == next(pace for pace in ("frame", "coherent", "clip") if pace in paces)


def test_a_member_that_draws_nothing_acts_too():
    combined = combination("both", {"hflip": (1, 1, 1, 1, 1), "brightness_up": (1, 2, 3, 4, 5)}, "test")
    mirrored = perturb(CLIP[None].flip(-1), load("brightness_up"), 2, [1])
    assert torch.equal(perturb(CLIP[None], combined, 2, [1]), mirrored)


def test_a_member_begins_to_act_at_its_severity_1_and_nothing_acts_without_one():
    late = combination("late", {"contrast_down": (0, 0, 1, 2, 3)}, "test")
    contrast = load("contrast_down")
    for severity in (1, 1.5, 2.5, 2.75):
        assert torch.equal(perturb(CLIP[None], late, severity, [1]), CLIP[None])
    for severity in (3, 3.5, 5):
        expected = perturb(CLIP[None], contrast, severity - 2, [1])
        assert torch.equal(perturb(CLIP[None], late, severity, [1]), expected)


def test_a_combination_destroys_order_if_a_member_does():
    each = (1, 2, 3, 4, 5)
    assert combination("both", {"brightness_up": each, "reverse": each}, "test").label_preserving == "order"
    assert combination("both", {"brightness_up": each, "freeze": each}, "test").label_preserving == "yes"


def loaded(*names):
    return {name: load(name) for name in names}


def test_a_gallery_has_a_sheet_for_each_perturbation_and_a_page_of_them_all(tmp_path):
    page = _gallery.write(loaded("hflip", "occlude_eyes"), CLIP, tmp_path, dpi=20)
    text = page.read_text()
    for name in ("hflip", "occlude_eyes"):
        assert (tmp_path / f"{name}.png").stat().st_size > 1000
        assert f'src="{name}.png"' in text


def test_the_picture_of_an_index_map_has_room_for_it_and_others_have_their_levels_side_by_side(tmp_path):
    members = loaded("reverse", "flicker", "hflip", "occlude_eyes")
    sizes = [imread(path).shape[1::-1] for path in _contact_sheet.write_pictures(members, CLIP, tmp_path)]
    wide, high = 8 * 56 + 10, 6 * 56 + 25
    assert sizes == [(wide + 210, high), (wide, high), (2 * 128 + 10, 128 + 25), (6 * 128 + 10, 128 + 25)]


def test_a_picture_drawn_again_is_the_same_file(tmp_path):
    once, again = (_contact_sheet.write_pictures(loaded("reverse"), CLIP, tmp_path / each)[0] for each in ("a", "b"))
    assert once.read_bytes() == again.read_bytes()


def test_a_sheet_of_a_temporal_perturbation_shows_every_frame_with_its_source():
    sheet = _gallery.rows("reverse", load("reverse"), CLIP)
    assert [row.severity for row in sheet] == [0, 1, 2, 3, 4, 5]
    assert sheet[5].captions == [str(source) for source in reversed(range(16))]
    assert len(_gallery.rows("gaussian_blur", load("gaussian_blur"), CLIP)[0].frames) == 3
    assert len(_gallery.rows("static", load("static"), CLIP)) == 2
