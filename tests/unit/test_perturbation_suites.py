"""Suites, their variants, temporal profiles, combinations and the gallery."""

from functools import partial
from itertools import pairwise

import pytest
import torch
from matplotlib.image import imread

from harness.train.conditions import parts
from perturbations import _contact_sheet, _curve, _frames, _gallery
from perturbations._apply import key, perturb
from perturbations._combine import combination
from perturbations._contract import ClipShape
from perturbations._probe import moving_clip
from perturbations._profile import TEMPORAL, profiled
from perturbations._suite import load, perturbation_files, suite, suites

CLIP = moving_clip(ClipShape(16, 32, 32))


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


CARRIERS = {_curve.look_up, _frames.reorder}
"""They follow a table that the draw writes, a tone curve or an index map: what happens is told by the draw alone."""


def mechanism(name):
    """The functions by which a perturbation and its parts draw and spoil; all uses of one count as that one."""
    used = set()
    for part in map(load, parts(name)):
        for function in (part.draw, part.apply):
            used.add(function.func if isinstance(function, partial) else function)
    return {each for each in used if each not in CARRIERS and not hasattr(each, "__self__")}


def test_nothing_that_a_search_may_see_works_as_something_in_core_does():
    reported = {each: name for name in suite("core").names for each in mechanism(name)}
    shared = {(name, reported[each]) for name in suite("validation").names for each in mechanism(name) & {*reported}}
    assert not shared


def test_low_resolution_and_pixelate_work_alike_and_so_do_brightness_and_color_cast():
    assert mechanism("low_resolution") & mechanism("pixelate")
    assert mechanism("brightness") & mechanism("color_cast")


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
    "name", [name for name in perturbation_files() if not any(load(each).family in TEMPORAL for each in parts(name))]
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
