from dataclasses import replace

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from seeded import generator

from harness.datasets._faces.action_units import EFFECTS, LIMITS, UNITS, Deformation, deform
from harness.datasets._faces.cast import draw_cast
from harness.datasets._faces.dynamics import blink, draw_phases, drift, envelope, express, look, move_head, speak
from harness.datasets._faces.expressions import CLASSES, RECIPES, draw_strengths
from harness.datasets._faces.identities import draw_identity
from harness.datasets._faces.render import draw_movement
from harness.datasets.synthetic import SIZES

REST = np.zeros(len(Deformation._fields), dtype=np.float32)


def shown(*units: int) -> dict[str, float]:
    """What the given units, at full strength, do to a face at rest."""
    activation = np.zeros((1, len(UNITS)), dtype=np.float32)
    activation[0, [UNITS.index(unit) for unit in units]] = 1
    return {
        field: float(column.item()) for field, column in zip(Deformation._fields, deform(activation, REST), strict=True)
    }


def test_a_face_without_active_units_is_the_resting_face():
    assert set(shown().values()) == {0.0}


@pytest.mark.parametrize(
    ("unit", "feature", "sign"),
    [
        (1, "inner_brow", 1),
        (2, "outer_brow", 1),
        (4, "inner_brow", -1),
        (5, "upper_lid", 1),
        (6, "cheek", 1),
        (7, "lower_lid", 1),
        (9, "nose_wrinkle", 1),
        (10, "upper_lip", 1),
        (12, "corner_up", 1),
        (15, "corner_up", -1),
        (16, "lower_lip", 1),
        (17, "chin", 1),
        (20, "corner_out", 1),
        (23, "lip_press", 1),
        (24, "lip_press", 1),
        (25, "lips_part", 1),
        (26, "jaw", 1),
    ],
)
def test_every_unit_does_what_the_facs_manual_names_it_for(unit, feature, sign):
    moved = shown(unit)
    assert sign * moved[feature] > 0
    assert abs(moved[feature]) == max(abs(moved[field]) for field in (feature, *_lengths(feature)))


def _lengths(feature: str) -> list[str]:
    """The other displacements of the same kind (lengths in head units), which the named one must exceed."""
    return [field for field in LIMITS if feature in LIMITS and field != feature]


@pytest.mark.parametrize("expression", [name for name in CLASSES if name != "Neutral"])
def test_every_expression_moves_the_face_in_its_own_way(expression):
    reach = [max(abs(effect.get(field, 0.0)) for effect in EFFECTS.values()) for field in Deformation._fields]

    def movement(name: str) -> np.ndarray:
        activation = np.array([[RECIPES[name].core.get(unit, 0.0) for unit in UNITS]], dtype=np.float32)
        return np.array([column.item() for column in deform(activation, REST)]) / reach

    ours = movement(expression)
    for other in CLASSES:
        if other not in (expression, "Neutral"):
            theirs = movement(other)
            cosine = ours @ theirs / np.linalg.norm(ours) / np.linalg.norm(theirs)
            assert cosine < 0.9, other


@given(st.lists(st.floats(0, 1, width=32), min_size=len(UNITS), max_size=len(UNITS)))
def test_no_combination_of_units_leaves_the_limits_of_the_face(strengths):
    pose = deform(np.array([strengths], dtype=np.float32), REST)
    for field, column in zip(Deformation._fields, pose, strict=True):
        low, high = LIMITS.get(field, (0.0, 1.4))
        assert low - 1e-6 <= column.item() <= high + 1e-6


@given(st.floats(0, 1, width=32), st.floats(0, 1, width=32), st.sampled_from(UNITS))
def test_a_stronger_unit_never_shows_less(one, other, unit):
    weak, strong = sorted((one, other))
    activation = np.zeros((2, len(UNITS)), dtype=np.float32)
    activation[:, UNITS.index(unit)] = weak, strong
    pose = deform(activation, REST)
    feature = max(EFFECTS[unit], key=lambda field: abs(EFFECTS[unit][field]))
    values = np.abs(getattr(pose, feature).ravel())
    assert values[0] <= values[1] + 1e-6


@given(st.integers(11, 240), st.integers(0, 2**32))
@example(11, 188818)
def test_an_expression_rises_to_its_apex_and_falls_after_its_offset(num_frames, seed):
    phases = draw_phases(num_frames, generator(seed))
    track = envelope(num_frames, phases)
    rising = track[max(phases.onset, 0) : max(phases.apex, 0) + 1]
    falling = track[phases.offset : phases.end + 1]
    assert (np.diff(rising) >= 0).all()
    assert (np.diff(falling) <= 0).all()
    assert track.max() == 1
    assert track.min() >= 0
    assert (track[: max(phases.onset, 0)] == 0).all()


def test_the_middle_frame_often_misses_the_expression():
    cast = [role for role in draw_cast(SIZES["small"], 0) if role.expression != "Neutral"]
    middle = np.array([envelope(role.num_frames, role.phases)[role.num_frames // 2] for role in cast])
    assert 0.2 < (middle < 0.5).mean() < 0.5


def test_every_expressive_clip_shows_a_change_within_its_frames():
    for role in draw_cast(SIZES["tiny"], 0):
        track = envelope(role.num_frames, role.phases)
        assert np.ptp(track) > 0.9, role.clip_id


def test_people_rest_as_differently_as_weak_expressions_look():
    rests = np.stack([draw_identity("x", generator(seed)).rest for seed in range(300)])
    spread = dict(zip(Deformation._fields, rests.std(axis=0), strict=True))
    for unit, feature in {1: "inner_brow", 12: "corner_up", 5: "upper_lid", 20: "corner_out"}.items():
        assert 0.2 * EFFECTS[unit][feature] < spread[feature] < 0.6 * EFFECTS[unit][feature], feature


def test_a_person_shows_an_expression_with_most_of_its_units():
    habits = np.ones(len(UNITS), dtype=np.float32)
    for seed in range(100):
        for expression in CLASSES:
            strengths = draw_strengths(expression, habits, generator(seed))
            used = {unit for unit, strength in zip(UNITS, strengths, strict=True) if strength > 0}
            core, variants = set(RECIPES[expression].core), set(RECIPES[expression].variants)
            assert len(used & core) * 3 >= 2 * len(core)
            assert used <= core | variants


def test_an_expression_activates_its_own_units_only():
    strengths = draw_strengths("Happy", np.ones(len(UNITS), dtype=np.float32), generator())
    activation = express(50, draw_phases(50, generator()), strengths, generator())
    assert ((activation != 0).any(axis=0) == (strengths > 0)).all()


def test_a_neutral_clip_without_talk_moves_less_than_an_expression():
    role = next(role for role in draw_cast(SIZES["tiny"], 0) if role.num_frames == 70)
    role = replace(role, blend="", speaking=False, peak=0.9, seed=11)
    person = draw_identity("x", generator(1))
    neutral = draw_movement(replace(role, expression="Neutral"), person).pose
    surprised = draw_movement(replace(role, expression="Surprise"), person).pose
    assert np.ptp(surprised.jaw) > 0.1
    assert np.ptp(neutral.jaw) < 1e-6


def test_talk_moves_the_jaw_at_the_rate_of_syllables():
    jaw = speak(500, generator(3))[:, UNITS.index(26)]
    spectrum = np.abs(np.fft.rfft(jaw - jaw.mean()))
    hertz = np.fft.rfftfreq(500, 1 / 25)
    assert 2.5 < hertz[hertz >= 2.0][spectrum[hertz >= 2.0].argmax()] < 5.5


def test_eyes_are_closed_briefly_and_seldom():
    closed = blink(1000, generator(2))
    assert closed.max() == 1
    assert 0.02 < (closed > 0.5).mean() < 0.2


def test_drift_has_unit_variance():
    tracks = np.concatenate([drift(400, 1.0, generator(seed)) for seed in range(40)])
    assert tracks.std() == pytest.approx(1, abs=0.1)


def test_gaze_stays_in_the_eye_and_the_head_in_the_picture():
    for seed in range(50):
        gaze, head = look(100, generator(seed)), move_head(100, generator(seed))
        assert np.abs(gaze).max() <= 1
        assert np.abs(head.right).max() < 0.4
        assert 0.7 < head.scale.min() <= head.scale.max() < 1.3
