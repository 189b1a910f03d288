"""Training augmentation: one draw per clip, whatever the batch; kornia's functions do what their names say."""

import colorsys
from typing import get_args

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from pydantic import ValidationError
from torch.nn import functional
from torchvision.transforms.v2 import functional as tv

from harness.seeds import derive
from harness.spec.trial import AugmentPart, ClipSpec, PublishedRecipe
from harness.train.augment import ADJUST, _applied, _rotated, augment
from harness.train.augment_recipes import PARTS, PUBLISHED, draw, half_or_more, inception, recipe_of

IDS = ("a", "b", "c")
NAMES = [("flip",), ("crop",), ("color_jitter",), ("flip", "crop", "color_jitter"), *((name,) for name in PUBLISHED)]


@pytest.fixture
def clips():
    return torch.rand(3, 4, 3, 12, 12, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("names", NAMES, ids="+".join)
def test_an_augmented_clip_does_not_depend_on_its_batch(clips, names):
    whole = augment(clips, names, 5, 2, IDS)
    alone = torch.cat([augment(clips[i : i + 1], names, 5, 2, IDS[i : i + 1]) for i in range(3)])
    turned = augment(clips.flip(0), names, 5, 2, IDS[::-1]).flip(0)
    assert torch.equal(whole, alone)
    assert torch.equal(whole, turned)


@pytest.mark.parametrize("names", NAMES, ids="+".join)
def test_another_epoch_or_seed_augments_otherwise(clips, names):
    seen = [augment(clips, names, seed, epoch, IDS) for seed in range(3) for epoch in range(3)]
    assert any(not torch.equal(seen[0], other) for other in seen[1:3])
    assert any(not torch.equal(seen[0], other) for other in seen[3::3])
    assert torch.equal(seen[0], augment(clips, names, 0, 0, IDS))


@pytest.mark.parametrize("names", NAMES, ids="+".join)
def test_one_draw_serves_all_frames_of_a_clip_and_the_input_stays(clips, names):
    still = clips[:, :1].expand(-1, 4, -1, -1, -1).contiguous()
    before = still.clone()
    out = augment(still, names, 3, 1, IDS)
    torch.testing.assert_close(out, out[:, :1].expand_as(out))
    assert out.shape == still.shape
    assert out.min() >= 0
    assert out.max() <= 1
    assert torch.equal(still, before)


@pytest.mark.parametrize("names", NAMES, ids="+".join)
def test_the_memory_layout_of_a_batch_from_the_store_changes_nothing(clips, names):
    stored = clips.permute(0, 1, 3, 4, 2).contiguous().permute(0, 1, 4, 2, 3)
    torch.testing.assert_close(augment(stored, names, 1, 1, IDS), augment(clips, names, 1, 1, IDS), rtol=0, atol=1e-6)


def test_a_flip_mirrors_whole_clips_exactly_and_about_half_of_them(clips):
    flips = 0
    for epoch in range(40):
        out = augment(clips, ("flip",), 0, epoch, IDS)
        for before, after in zip(clips, out, strict=True):
            mirrored = torch.equal(after, before.flip(-1))
            assert mirrored or torch.equal(after, before)
            flips += mirrored
    assert 40 < flips < 80


def test_no_augmentation_is_the_identity(clips):
    assert augment(clips, (), 0, 0, IDS) is clips


@pytest.mark.parametrize("window", [half_or_more, inception])
def test_crops_lie_within_the_frame_and_keep_the_share_of_it_that_they_say(window):
    generator = np.random.default_rng(0)
    windows = [window(generator) for _ in range(500)]
    areas = [one.width * one.height for one in windows]
    least = 0.08 if window is inception else 0.5
    assert least <= min(areas) < least + 0.1
    assert max(areas) <= 1
    for one in windows:
        assert one.left >= 0
        assert one.top >= 0
        assert one.left + one.width <= 1 + 1e-12
        assert one.top + one.height <= 1 + 1e-12
        assert 3 / 4 - 1e-9 <= one.width / one.height <= 4 / 3 + 1e-9 or one.width == 1 or one.height == 1


@pytest.mark.parametrize("epoch", range(4))
def test_a_crop_is_the_window_resized(clips, epoch):
    """Against torch's own sampling of the same window."""
    out = augment(clips, ("crop",), 7, epoch, IDS)
    for clip, after, clip_id in zip(clips, out, IDS, strict=True):
        generator = np.random.default_rng(derive(7, "augment", epoch, clip_id))
        window = draw(recipe_of(("crop",)), generator).window
        to_input = torch.tensor(
            [
                [window.width, 0, 2 * window.left + window.width - 1],
                [0, window.height, 2 * window.top + window.height - 1],
            ]
        )
        grid = functional.affine_grid(to_input[None].expand(4, -1, -1), clip.shape, align_corners=False)
        expected = functional.grid_sample(clip, grid, padding_mode="border", align_corners=False)
        torch.testing.assert_close(after, expected, rtol=0, atol=1e-5)


@given(factor=st.floats(0.2, 1.8), kind=st.integers(0, 2))
@settings(max_examples=30, deadline=None)
def test_colours_move_as_the_field_s_loaders_move_them(factor, kind):
    """Against torchvision's functions, which those loaders call."""
    clip = torch.rand(1, 2, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    reference = (tv.adjust_brightness, tv.adjust_contrast, tv.adjust_saturation)[kind]
    factors = torch.tensor(factor).view(1, 1, 1, 1, 1)
    torch.testing.assert_close(ADJUST[kind](clip, factors), reference(clip, factor), rtol=0, atol=2e-3)


def test_a_turned_hue_is_that_of_the_colour_circle():
    clip = torch.rand(1, 1, 3, 3, 3, generator=torch.Generator().manual_seed(0))
    turned = ADJUST[3](clip, torch.full((1, 1, 1, 1, 1), 2 * torch.pi * 0.3))
    for before, after in zip(clip[0, 0].flatten(1).T, turned[0, 0].flatten(1).T, strict=True):
        hue, saturation, value = colorsys.rgb_to_hsv(*before.tolist())
        assert after.tolist() == pytest.approx(colorsys.hsv_to_rgb((hue + 0.3) % 1, saturation, value), abs=1e-4)


def test_a_rotation_turns_whole_clips_as_pillow_does():
    frame = np.zeros((41, 41, 3), np.uint8)
    frame[5:18, 8:30] = (200, 100, 50)
    clip = torch.from_numpy(frame).permute(2, 0, 1).float().div(255).expand(1, 2, 3, 41, 41)
    drawn = draw(PUBLISHED["ial"], np.random.default_rng(0))._replace(angle=20.0)
    ours = (_rotated(clip, [drawn])[0, 1].permute(1, 2, 0) * 255).round().numpy()
    theirs = np.asarray(Image.fromarray(frame).rotate(20.0))
    assert (ours != theirs).any(axis=2).mean() < 0.02
    assert (np.asarray(Image.fromarray(frame).rotate(-20.0)) != ours).any(axis=2).mean() > 0.1


def test_the_m3dfel_recipe_draws_four_factors_in_every_order():
    drawn = [draw(PUBLISHED["m3dfel"], np.random.default_rng(i)) for i in range(400)]
    factors = np.array([one.factors for one in drawn])
    assert len({one.order for one in drawn}) == 24
    assert factors[:, :3].min() >= 0.6
    assert factors[:, :3].max() <= 1.4
    assert np.abs(factors[:, 3]).max() <= 0.4
    np.testing.assert_allclose(np.abs(factors - [1, 1, 1, 0]).mean(axis=0), 0.2, atol=0.03)
    assert 0.4 < np.mean([one.mirrored for one in drawn]) < 0.6


def test_the_order_of_colours_matters_and_is_each_clip_s_own(clips):
    out = augment(clips, ("m3dfel",), 2, 3, IDS)
    recipe = PUBLISHED["m3dfel"]
    drawn = [draw(recipe, np.random.default_rng(derive(2, "augment", 3, clip_id))) for clip_id in IDS]
    assert len({one.order for one in drawn}) > 1
    cropped = augment(clips, ("former_dfer",), 2, 3, IDS)
    for clip, after, one in zip(cropped, out, drawn, strict=True):
        for index in one.order:
            number = one.factors[index] * (2 * torch.pi if index == 3 else 1)
            clip = ADJUST[index](clip, torch.tensor(number, dtype=torch.float32).view(1, 1, 1, 1))
        torch.testing.assert_close(after, clip, rtol=0, atol=1e-5)


def test_every_name_that_a_study_may_say_is_a_recipe():
    assert set(PARTS) == set(get_args(AugmentPart))
    assert set(PUBLISHED) == set(get_args(PublishedRecipe))


@pytest.mark.parametrize("names", NAMES, ids="+".join)
def test_all_clips_at_once_are_the_same_as_one_by_one(clips, names):
    """Clips go together on a GPU and one by one on a processor."""
    recipe = recipe_of(names)
    drawn = [draw(recipe, np.random.default_rng(i)) for i in range(3)]
    alone = torch.cat([_applied(clips[i : i + 1], recipe.steps, drawn[i : i + 1]) for i in range(3)])
    torch.testing.assert_close(_applied(clips, recipe.steps, drawn), alone, rtol=0, atol=1e-6)


@pytest.mark.parametrize("names", NAMES, ids="+".join)
def test_a_flip_mirrors_what_the_rest_of_a_recipe_makes(clips, names):
    recipe = recipe_of(names)
    steps = tuple(step for step in recipe.steps if step != "rotate")
    drawn = [draw(recipe, np.random.default_rng(i))._replace(mirrored=False) for i in range(3)]
    flipped = [one._replace(mirrored=True) for one in drawn]
    plain, mirrored = (_applied(clips, steps, one) for one in (drawn, flipped))
    torch.testing.assert_close(mirrored, plain.flip(-1) if "flip" in steps else plain, rtol=0, atol=1e-5)


def test_a_published_recipe_stands_alone():
    assert ClipSpec(augment=("m3dfel",)).augment == ("m3dfel",)
    with pytest.raises(ValidationError, match="'m3dfel' is a whole recipe"):
        ClipSpec(augment=("flip", "m3dfel"))
