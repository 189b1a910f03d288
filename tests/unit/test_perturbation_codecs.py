"""H.264 at a share of a clip's bits, counted."""

import io
import math

import pytest

from perturbations._contract import ClipShape
from perturbations._probe import moving_clip
from perturbations._suite import load, suite
from perturbations._video_codec import RATE, _encode, _of_pictures, _to_planes, encoded_bits


def test_what_the_encoder_tells_of_itself_is_no_picture():
    message, picture = b"\0\0\1\x06" + 600 * b"x", b"\0\0\1\x65" + 9 * b"y"
    assert _of_pictures(message + picture) == _of_pictures(picture) == 10


@pytest.mark.parametrize("severity", [1, 2, 3])
@pytest.mark.parametrize("side", [48, 112])
def test_a_divisor_that_suites_ask_for_is_reached_to_a_factor_of_1_6(severity, side):
    clip, divisor = moving_clip(ClipShape(16, side, side)), load("h264_abr").level(severity)
    bits = encoded_bits(clip)
    with io.BytesIO() as file:
        left = 8 * _encode(file, _to_planes(clip), {}, round(bits * RATE / len(clip) / divisor))
    assert abs(math.log(bits / left / divisor)) < math.log(1.6)


def test_no_suite_asks_for_fewer_bits_than_there_can_be():
    asked = {
        member.severities
        for name in ("full", "kinetics_c")
        for member in suite(name).members
        if member.perturbation == "h264_abr"
    }
    assert asked == {(1, 2, 3)}
