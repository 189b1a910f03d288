from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from seeded import generator

from harness.datasets._faces.action_units import UNITS, Deformation, deform
from harness.datasets._faces.capture import draw_backdrop, expose
from harness.datasets._faces.cast import draw_cast
from harness.datasets._faces.dynamics import HeadMotion
from harness.datasets._faces.eyes import EYE_LEVEL, EyeState
from harness.datasets._faces.field import CENTRE, SPAN, head_field, window
from harness.datasets._faces.identities import Identity, draw_identity
from harness.datasets._faces.mouth import MOUTH_LEVEL
from harness.datasets._faces.portrait import paint_portrait
from harness.datasets._faces.render import CHUNK_PIXELS, Movement, draw_scene, render_clip
from harness.datasets._faces.shapes import blob, coverage, ellipse, paint, ramp, stroke
from harness.datasets._faces.styles import STYLES
from harness.datasets.synthetic import SIZES

SIDE = 64


@pytest.fixture(scope="module")
def person() -> Identity:
    """A clean-shaven person without glasses, at rest as the average face."""
    drawn = draw_identity("x", generator(4))
    rest = np.zeros(len(Deformation._fields), dtype=np.float32)
    return replace(drawn, rest=rest, beard="none", glasses="none", hair_style="crop", age=0.0)


def motionless(frames: int) -> HeadMotion:
    still, full = np.zeros(frames, dtype=np.float32), np.ones(frames, dtype=np.float32)
    return HeadMotion(still, still, still, full, still, still)


def picture(person: Identity, closed: float = 0.0, **units: float) -> np.ndarray:
    """The face "h w" (mean of the colours) with units (au12=1.0) active, before any camera."""
    activation = np.zeros((1, len(UNITS)), dtype=np.float32)
    for name, strength in units.items():
        activation[0, UNITS.index(int(name.removeprefix("au")))] = strength
    column = np.zeros((1, 1, 1), dtype=np.float32)
    movement = Movement(
        pose=deform(activation, person.rest),
        eyes=EyeState(column + np.float32(closed), column, column),
        head=motionless(1),
        exposure=np.ones(1, dtype=np.float32),
    )
    backdrop = np.full((3, SIDE, SIDE), 0.5, dtype=np.float32)
    return draw_scene(backdrop, paint_portrait(person, 2 * SPAN / SIDE), person, movement)[:, 0].mean(axis=0)


def rows(low: float, high: float) -> slice:
    """Image rows between two heights on the unmoved head."""
    return slice(*(max(int((height - CENTRE + SPAN) / (2 * SPAN) * SIDE), 0) for height in (low, high)))


UPPER = rows(-0.9, EYE_LEVEL + 0.2)
LOWER = rows(MOUTH_LEVEL - 0.25, 1.0)


@pytest.mark.parametrize(
    ("unit", "where"),
    [(1, UPPER), (2, UPPER), (4, UPPER), (5, UPPER), (12, LOWER), (15, LOWER), (17, LOWER), (25, LOWER), (26, LOWER)],
)
def test_a_unit_changes_the_part_of_the_face_that_it_moves(person, unit, where):
    change = np.abs(picture(person, **{f"au{unit}": 1.0}) - picture(person))
    assert change[where].sum() > 0.75 * change.sum()
    assert change.max() > 0.1


@pytest.mark.parametrize("unit", UNITS)
def test_every_unit_can_be_seen(person, unit):
    assert np.abs(picture(person, **{f"au{unit}": 1.0}) - picture(person)).max() > 0.05


def test_an_open_mouth_is_darker_and_the_chin_is_lower(person):
    closed, opened = picture(person), picture(person, au26=1.0, au25=1.0)
    middle = slice(SIDE // 2 - 3, SIDE // 2 + 3)
    mouth = rows(MOUTH_LEVEL + 0.05, MOUTH_LEVEL + 0.2)
    assert opened[mouth, middle].mean() < 0.6 * closed[mouth, middle].mean()


def test_closed_eyes_show_no_white(person):
    eyes = rows(EYE_LEVEL - 0.1, EYE_LEVEL + 0.1)
    assert picture(person, closed=1.0)[eyes].max() < picture(person)[eyes].max() - 0.05


def test_an_unmoved_face_is_symmetric_about_its_axis(person):
    face = picture(replace(person, texture=5), au12=1.0)[rows(-0.5, 0.8)]
    left, right = face[:, : SIDE // 2], face[:, SIDE // 2 :][:, ::-1]
    assert np.mean(np.abs(left - right) > 0.25) < 0.03


def test_a_clip_is_the_same_however_many_frames_are_rendered_together(monkeypatch):
    role = replace(draw_cast(SIZES["tiny"], 0)[0], num_frames=9)
    person = draw_identity("x", generator())
    whole = render_clip(role, person, STYLES[0], 16)
    monkeypatch.setattr("harness.datasets._faces.render.CHUNK_PIXELS", 2 * 16**2)
    assert CHUNK_PIXELS > 9 * 16**2
    difference = np.abs(render_clip(role, person, STYLES[0], 16).astype(int) - whole)
    assert difference.max() <= 1


@pytest.mark.parametrize("style", STYLES, ids=lambda style: style.name)
def test_every_style_gives_frames_of_legal_video_levels(style):
    role = replace(draw_cast(SIZES["tiny"], 0)[3], num_frames=5)
    frames = render_clip(role, draw_identity("x", generator(1)), style, 32)
    assert frames.shape == (5, 48, 32)
    assert frames.min() >= 16
    assert frames.max() <= 240


def test_styles_differ_in_noise_as_they_say():
    grey = np.full((3, 40, 16, 16), 0.5, dtype=np.float32)
    for style in STYLES:
        luma = expose(grey.copy(), style, generator())[:, :16].astype(float)
        assert luma.std() / 219 == pytest.approx(np.hypot(style.noise, 0.29 / 219), rel=0.1)


def test_a_style_without_saturation_gives_grey():
    style = next(style for style in STYLES if style.saturation == 0)
    neutral = replace(style, gain=(1.0, 1.0, 1.0))
    role = replace(draw_cast(SIZES["tiny"], 0)[0], num_frames=3)
    chroma = render_clip(role, draw_identity("x", generator(1)), neutral, 32)[:, 32:]
    assert np.abs(chroma.astype(int) - 128).max() <= 1


@pytest.mark.parametrize("style", STYLES, ids=lambda style: style.name)
def test_backdrops_of_two_clips_differ(style):
    one, other = (draw_backdrop(style, 32, generator(seed)) for seed in (1, 2))
    assert one.shape == (3, 32, 32)
    assert np.abs(one - other).mean() > 0.004


def test_yuv_is_bt601():
    red, green, blue = generator().random((3, 1, 2, 2), dtype=np.float32)
    flat = [np.broadcast_to(plane.mean(), (1, 2, 2)) for plane in (red, green, blue)]
    style = replace(STYLES[0], noise=0.0, blur=0)
    y, u, v = expose(np.stack(flat).astype(np.float32), style, generator()).reshape(-1)[[0, 4, 5]]
    r, g, b = (float(plane.mean()) for plane in flat)
    luma = 0.299 * r + 0.587 * g + 0.114 * b
    expected = (16 + 219 * luma, 128 + 224 * (b - luma) / 1.772, 128 + 224 * (r - luma) / 1.402)
    assert (y, u, v) == pytest.approx(expected, abs=0.51)


@given(st.floats(-0.15, 0.15), st.floats(-0.15, 0.15), st.floats(-0.25, 0.25), st.floats(-0.15, 0.15))
def test_a_window_holds_its_rectangle_however_the_head_moves(right, down, roll, yaw):
    tracks = (np.full(1, value, dtype=np.float32) for value in (right, down, roll, 1.0, yaw, 0.05))
    field = head_field(48, HeadMotion(*tracks))
    canvas = np.zeros((3, 1, 48, 48), dtype=np.float32)
    patch = window(canvas, field, (0.1, 0.3), (0.2, 0.1))
    inside = (np.abs(field.u - 0.1) <= 0.2) & (np.abs(field.v - 0.3) <= 0.1)
    seen = (np.abs(patch.u - 0.1) <= 0.2) & (np.abs(patch.v - 0.3) <= 0.1)
    assert seen.sum() == inside.sum()
    patch.canvas[:] = 1
    assert canvas.any()


def test_a_still_head_has_its_centre_in_the_middle_of_the_picture():
    field = head_field(64, motionless(1))
    assert np.abs(field.u[0, :, 31] + field.u[0, :, 32]).max() < 1e-6
    assert field.u[0, 0, -1] == pytest.approx(SPAN - field.pixel / 2, abs=1e-5)


def test_coverage_of_an_ellipse_adds_up_to_its_area():
    axis = (np.arange(100, dtype=np.float32) + 0.5) / 50 - 1
    y, x = np.meshgrid(axis, axis, indexing="ij")
    area = coverage(ellipse(x, y, 0.6, 0.4), 0.02).sum() * 0.02**2
    assert area == pytest.approx(np.pi * 0.6 * 0.4, rel=0.01)


def test_distance_to_a_stroke_is_the_distance_to_its_nearest_point():
    u, v = generator(1).uniform(-1, 1, (2, 50)).astype(np.float32)
    along = np.linspace(0, 1, 2001)
    brute = np.hypot(u[:, None] - (-0.5 + 0.8 * along), v[:, None] - (0.2 - 0.5 * along)).min(axis=1)
    np.testing.assert_allclose(stroke(u, v, (-0.5, 0.2, 0.3, -0.3)), brute, atol=1e-3)


def test_paint_lays_colour_over_colour_in_proportion():
    canvas = np.full((3, 2, 2), 0.2, dtype=np.float32)
    paint(canvas, (1.0, 0.2, 0.0), np.full((2, 2), 0.25, dtype=np.float32))
    np.testing.assert_allclose(canvas[:, 0, 0], [0.4, 0.2, 0.15], atol=1e-6)


def test_ramps_and_blobs_keep_to_their_range():
    x = np.linspace(-2, 2, 101, dtype=np.float32)
    step, spot = ramp(x, -0.5, 0.5), blob(x, 0 * x, 1.0, 1.0)
    assert (step[0], step[-1], step[50]) == (0, 1, 0.5)
    assert (np.diff(step) >= 0).all()
    assert (spot[50], spot[25], spot[0]) == (1, 0, 0)
