"""Suites of published levels: every level is that of the authors' own code."""

import pytest

from perturbations._contract import ClipShape
from perturbations._suite import load, suite

PUBLISHED = {
    "imagenet_c.gaussian_noise": (0.08, 0.12, 0.18, 0.26, 0.38),
    "imagenet_c.shot_noise": (60, 25, 12, 5, 3),
    "imagenet_c.impulse_noise": (0.03, 0.06, 0.09, 0.17, 0.27),
    "imagenet_c.speckle_noise": (0.15, 0.2, 0.35, 0.45, 0.6),
    "imagenet_c.gaussian_blur": [sigma / 224 for sigma in (1, 2, 3, 4, 6)],
    "imagenet_c.defocus_blur": (1, 2, 3, 4, 5),
    "imagenet_c.motion_blur": (1, 2, 3, 4, 5),
    "imagenet_c.zoom_blur": (1, 2, 3, 4, 5),
    "imagenet_c.fog": (1, 2, 3, 4, 5),
    "imagenet_c.brightness": (1, 2, 3, 4, 5),
    "imagenet_c.contrast": (0.4, 0.3, 0.2, 0.1, 0.05),
    "imagenet_c.jpeg_compression": (25, 18, 15, 10, 7),
    "imagenet_c.pixelate": (1, 2, 3, 4, 5),
    "rafdb_c.gaussian_noise": (0.08, 0.12, 0.18, 0.24, 0.3),
    "rafdb_c.shot_noise": (60, 29, 15, 8, 5),
    "rafdb_c.gaussian_blur": [sigma / 100 for sigma in (1, 1.8, 2.6, 3.4, 4)],
    "rafdb_c.defocus_blur": (1, 2, 3, 4, 5),
    "rafdb_c.zoom_blur": (1, 2, 3, 4, 5),
    "rafdb_c.brightness_up": (1, 2, 3, 4, 5),
    "rafdb_c.brightness_down": (1, 2, 3, 4, 5),
    "rafdb_c.contrast_down": (0.4, 0.33, 0.24, 0.16, 0.1),
    "rafdb_c.pixelate": (1, 2, 3, 4, 5),
    "rafdb_c.jpeg": (25, 18, 15, 10, 7),
    "kinetics_c.shot_noise": (60, 25, 12, 5, 3),
    "kinetics_c.fog": (1, 2, 3, 4, 5),
    "kinetics_c.contrast": (0.5, 0.4, 0.3, 0.2, 0.1),
    "kinetics_c.brightness": (1, 2, 3, 4, 5),
    "tiny_c.gaussian_blur": [sigma / 64 for sigma in (0.5, 0.75, 1, 1.25, 1.5)],
    "tiny_c.defocus_blur": (1, 2, 3, 4, 5),
    "tiny_c.motion_blur": (1, 2, 3, 4, 5),
    "tiny_c.zoom_blur": (1, 2, 3, 4, 5),
    "tiny_c.brightness": (1, 2, 3, 4, 5),
    "tiny_c.fog": (1, 2, 3, 4, 5),
    "tiny_c.contrast": (0.4, 0.3, 0.2, 0.1, 0.05),
    "tiny_c.jpeg_compression": (65, 58, 50, 40, 25),
    "tiny_c.pixelate": (1, 2, 3, 4, 5),
    "gaussian_noise": (0.04, 0.08, 0.12, 0.15, 0.18),
    "shot_noise": (250, 100, 50, 30, 15),
    "impulse_noise": (0.01, 0.02, 0.05, 0.08, 0.14),
    "speckle_noise": (0.15, 0.2, 0.25, 0.3, 0.35),
    "contrast_up": (1.5, 1.9, 2.6, 3.3, 5),
    "h264_crf": (23, 30, 37, 44, 51),
    "h264_abr": (2, 4, 8, 16, 32),
    "rain": (1, 2, 3, 4, 5),
}
"""The tables of the authors' own code, lengths in fractions of the height of their frames; the severities where a table
has two magnitudes, which tests/unit/test_published_members.py follows to the pixel or those below do."""
COMBINED = {name for name in suite("rafdb_c").names if load(name).family == "combined"}


@pytest.mark.parametrize("name", ["imagenet_c", "tiny_c", "rafdb_c", "kinetics_c"])
def test_a_legacy_suite_has_the_published_levels(name):
    for each in set(suite(name).names) - COMBINED:
        assert load(each).levels == pytest.approx(PUBLISHED[each], rel=1e-4), each


IMAGENET_FOG = ((1.5, 2), (2, 2), (2.5, 1.7), (2.5, 1.5), (3, 1.4))
TINY_FOG = ((0.4, 3), (0.7, 3), (1, 2.5), (1.5, 2), (2, 1.75))


@pytest.mark.parametrize(
    ("name", "pairs"),
    [("imagenet_c.fog", IMAGENET_FOG), ("kinetics_c.fog", IMAGENET_FOG), ("tiny_c.fog", TINY_FOG)],
)
def test_a_legacy_fog_has_the_published_pairs_of_strength_and_wibble_decay(name, pairs):
    member = load(name)
    for severity, (strength, decay) in enumerate(pairs, start=1):
        drawn = member.draw(member.level(severity), 7, ClipShape(16, 32, 32))
        assert (drawn["strength"].item(), drawn["roughness"].item()) == pytest.approx((strength, decay**-2))
    between = member.draw(member.level(3.5), 7, ClipShape(16, 32, 32))
    middle = [(low + high) / 2 for low, high in zip(*pairs[2:4], strict=True)]
    assert (between["strength"].item(), between["roughness"].item()) == pytest.approx((middle[0], middle[1] ** -2))
    assert "/".join(f"{decay:g}" for _, decay in pairs) in member.unit
