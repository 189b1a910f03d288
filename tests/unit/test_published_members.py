"""Members of published suites against the code of imagecorruptions, on a photograph.

imagecorruptions (Michaelis et al. 2019) follows the authors' code of ImageNet-C without ImageMagick. Where all that
happens is told by the level, pictures are compared; where something is drawn, the harm on the mean of a few draws.
"""

import importlib
import math
import warnings
from itertools import pairwise

import numpy as np
import pytest
import torch
from PIL import Image

from perturbations._apply import perturb
from perturbations._contract import ClipShape
from perturbations._probe import moving_clip
from perturbations._random import Draws
from perturbations._suite import load
from perturbations._suite import suite as members

KEYS = range(24)
SHAPE = ClipShape(1, 64, 64)
PIXELS = {
    "imagenet_c": (0.6, 0.5, 0.4, 0.3, 0.25),
    "tiny_c": (0.9, 0.8, 0.7, 0.6, 0.5),
    "rafdb_c": (0.6, 0.5, 0.41, 0.3, 0.25),
}
"""The scales of the authors' own code."""


@pytest.fixture
def theirs():
    """Their functions, with names that numpy and scikit-image have changed since, and draws from a generator."""
    pytest.importorskip("cv2")
    pytest.importorskip("pkg_resources")
    with warnings.catch_warnings(), pytest.MonkeyPatch.context() as patch:
        warnings.simplefilter("ignore")
        pytest.importorskip("imagecorruptions")
        code = importlib.import_module("imagecorruptions.corruptions")
        sharp = code.gaussian
        patch.setattr(code, "gaussian", lambda x, sigma, **_: sharp(x, sigma=sigma, channel_axis=-1))
        patch.setattr(np, "float_", np.float64, raising=False)
        generator = np.random.default_rng(5)
        for law in ("normal", "poisson", "uniform"):
            patch.setattr(np.random, law, getattr(generator, law))
        yield code


@pytest.fixture(scope="module")
def photograph():
    """A part of a photograph that scikit-learn brings along."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return Image.fromarray(pytest.importorskip("sklearn.datasets").load_sample_image("china.jpg")[80:400, 120:440])


def sized(photograph, side):
    return photograph.resize((side, side), Image.Resampling.BOX)


def ours(name, severity, picture, key=0):
    clip = torch.from_numpy(np.array(picture)).permute(2, 0, 1)[None, None]
    return perturb(clip, load(name), severity, [key])[0, 0].permute(1, 2, 0).numpy()


def decibels(one, other):
    error = np.square(np.asarray(one, np.float64) - np.asarray(other, np.float64)).mean() / 255**2
    return -10 * math.log10(error) if error else math.inf


@pytest.mark.parametrize(
    ("name", "close", "harm"),
    [
        ("gaussian_blur", 45, 0.2),
        ("defocus_blur", 40, 0.1),
        ("zoom_blur", 33, 0.1),
        ("brightness", 50, 0.25),
        ("contrast", 50, 0.05),
        ("jpeg_compression", 60, 0.01),
        ("pixelate", 31, 0.6),
    ],
)
def test_a_member_of_imagenet_c_makes_of_a_photograph_what_the_authors_code_does(theirs, photograph, name, close, harm):
    """Zooms differ in where they are cut out by a pixel; PIL's box counts pixels at borders wholly or not at all."""
    picture = sized(photograph, 224)
    for severity in range(1, 6):
        one, other = ours(f"imagenet_c.{name}", severity, picture), getattr(theirs, name)(picture, severity)
        assert decibels(one, other) >= close, severity
        assert decibels(picture, one) == pytest.approx(decibels(picture, np.uint8(other)), abs=harm), severity


@pytest.mark.parametrize(
    ("name", "harm"),
    [("gaussian_noise", 0.1), ("shot_noise", 0.1), ("impulse_noise", 0.1), ("speckle_noise", 0.1), ("fog", 1.2)],
)
def test_a_member_of_imagenet_c_that_draws_harms_a_photograph_as_the_authors_code_does(theirs, photograph, name, harm):
    """Fog by half a decibel more: the original cuts its veil out of a larger one, which it scales as a whole."""
    picture = sized(photograph, 224)
    for severity in range(1, 6):
        one = np.mean([decibels(picture, ours(f"imagenet_c.{name}", severity, picture, key)) for key in KEYS])
        other = np.mean([decibels(picture, np.uint8(getattr(theirs, name)(picture, severity))) for _ in KEYS])
        assert one == pytest.approx(other, abs=harm), severity


IMAGENET_MOTION, TINY_MOTION = (
    ((10, 3), (15, 5), (15, 8), (15, 12), (20, 15)),
    ((10, 1), (10, 1.5), (10, 2), (10, 2.5), (12, 3)),
)


@pytest.mark.parametrize(
    ("suite", "side", "pairs"), [("imagenet_c", 224, IMAGENET_MOTION), ("tiny_c", 64, TINY_MOTION)]
)
def test_a_published_motion_blur_is_imagemagicks_one_sided_smear(theirs, photograph, suite, side, pairs):
    picture = sized(photograph, side)
    for severity, (radius, sigma) in enumerate(pairs, start=1):
        for key in (0, 1, 2):
            # their angles are clockwise
            angle = -Draws(key).uniform(-45, 45)
            smeared = np.clip(theirs._motion_blur(np.array(picture), radius, sigma, angle), 0, 255)
            assert decibels(ours(f"{suite}.motion_blur", severity, picture, key), smeared) >= 38, (severity, key)


TINY_DISCS = ((0.5, 0.6), (1, 0.1), (1.5, 0.1), (2.5, 0.01), (3, 0.1))
RAF_DISCS = np.array(((1.5, 0.1), (2, 0.2), (2, 0.3), (2.5, 0.4), (3, 0.4))) * 100 / 48
"""Radius and softening, in px of 64 px and of 100 px."""


@pytest.mark.parametrize(
    ("suite", "side", "discs", "close"), [("tiny_c", 64, TINY_DISCS, 42), ("rafdb_c", 100, RAF_DISCS, 45)]
)
def test_a_published_defocus_is_the_authors_softened_disc(theirs, photograph, suite, side, discs, close):
    picture = sized(photograph, side)
    for severity, disc in enumerate(discs, start=1):
        blurred = theirs.cv2.filter2D(np.array(picture) / 255, -1, theirs.disk(*disc)) * 255
        assert decibels(ours(f"{suite}.defocus_blur", severity, picture), blurred) >= close, severity


@pytest.mark.parametrize("sign", ["up", "down"])
def test_a_published_brightness_is_of_the_hsv_value(photograph, sign):
    color = pytest.importorskip("skimage.color")
    picture = sized(photograph, 100)
    picture.paste((0, 0, 0), (10, 10, 30, 30))
    for severity in range(1, 6):
        hsv = color.rgb2hsv(np.array(picture) / 255)
        hsv[..., 2] = np.clip(hsv[..., 2] + severity * (0.1 if sign == "up" else -0.1), 0, 1)
        expected = color.hsv2rgb(hsv) * 255
        assert np.abs(ours(f"rafdb_c.brightness_{sign}", severity, picture) - expected).max() <= 0.5 + 1e-3


@pytest.mark.parametrize(
    ("suite", "ends"),
    [
        ("imagenet_c", ((1.11, 0.01), (1.16, 0.01), (1.21, 0.02), (1.26, 0.02), (1.31, 0.03))),
        ("tiny_c", ((1.06, 0.01), (1.11, 0.01), (1.16, 0.01), (1.21, 0.01), (1.26, 0.01))),
        ("rafdb_c", ((1.11, 0.01), (1.18, 0.01), (1.26, 0.02), (1.32, 0.02), (1.40, 0.03))),
    ],
)
def test_a_published_zoom_takes_the_enlargements_of_the_authors_ranges(suite, ends):
    """``np.arange`` as in their code, one itself included, beside the picture: that counts twice."""
    zoom = load(f"{suite}.zoom_blur")
    for severity, (end, step) in enumerate(ends, start=1):
        matrices = zoom.draw(zoom.level(severity), 0, SHAPE)["matrices"]
        assert (1 / matrices[:, 0, 0]).tolist() == pytest.approx(np.arange(1, end, step).tolist())


@pytest.mark.parametrize("side", [32, 48, 64, 96, 100, 112, 128, 224])
def test_a_published_pixelation_leaves_as_many_pixels_as_the_authors_code(side):
    for suite, scales in PIXELS.items():
        member = load(f"{suite}.pixelate")
        shape = SHAPE._replace(height=side, width=side)
        left = [member.draw(member.level(severity), 0, shape)["host_size"].tolist() for severity in range(1, 6)]
        assert left == [[int(scale * side)] * 2 for scale in scales]


@pytest.mark.parametrize("suite", ["imagenet_c", "tiny_c", "rafdb_c"])
@pytest.mark.parametrize("side", [24, 32, 64])
def test_a_published_blur_shows_in_small_frames_and_no_less_with_severity(suite, side):
    clip = moving_clip(ClipShape(2, side, side), key=4)[None]
    for name in ("gaussian_blur", "defocus_blur", "motion_blur", "zoom_blur"):
        if name in {each.partition(".")[2] for each in members(suite).names}:
            member = load(f"{suite}.{name}")
            harm = [(perturb(clip, member, each, [7]).float() - clip).square().mean() for each in range(1, 6)]
            assert harm[0] > 0, name
            assert all(after >= before * 0.98 for before, after in pairwise(harm)), name


def test_a_members_source_says_where_its_levels_come_from_and_how_it_works():
    source = load("imagenet_c.fog").source
    assert "lengths in 1/224" in source
    assert load("fog").source in source
