"""The planned standard error is the one that studies of that size have, however trainings and clips vary."""

from dataclasses import replace

import numpy as np
import pytest

from harness.report.planning import planned
from harness.seeds import derive
from harness.spec.trial import CLEAN_CONDITION
from harness.stats.outcomes import FoldOutcomes, Outcomes, Run
from harness.stats.power import standard_error
from harness.stats.variance_parts import variance_parts

FOLDS, CLIPS = 5, 80
SETTINGS = {
    "trainings_err_on_other_clips": (0.0, 0.0, 1.0),
    "trainings_err_on_the_same_clips": (1.0, 0.0, 0.0),
    "in_between": (0.7, 0.0, 0.7),
    "in_between_and_some_trainings_are_better": (0.7, 0.25, 0.7),
}
"""Standard deviations of a clip's difficulty for a method, of a training's skill, and of the rest."""


def right(draw, sds, folds, seeds, clips):
    """Whether two methods of equal skill name clips rightly: ``f m s n``, on clips that are hard for both alike."""
    clip, training, rest = sds
    both = 0.5 * draw.normal(size=(folds, 1, 1, clips))
    own = clip * draw.normal(size=(folds, 2, 1, clips)) + training * draw.normal(size=(folds, 2, seeds, 1))
    return both + own + rest * draw.normal(size=(folds, 2, seeds, clips)) > 0


def pilot_outcomes(draw, sds, trainings=3, clips=CLIPS):
    named = right(draw, sds, FOLDS, trainings, clips).astype(np.int8).reshape(FOLDS, 2 * trainings, 1, 1, clips)
    runs = [(method, seed) for method in ("one", "other") for seed in range(trainings)]
    folds = [
        FoldOutcomes(
            fold=fold,
            runs=tuple(Run(method=method, fold=fold, seed=seed, trial_id="") for method, seed in runs),
            clip_ids=np.arange(clips).astype(str).astype(object),
            groups=np.arange(clips).astype(str).astype(object),
            labels=np.ones(clips, dtype=np.int64),
            predicted=named[fold],
        )
        for fold in range(FOLDS)
    ]
    return Outcomes(classes=("no", "yes"), methods=("one", "other"), conditions=(CLEAN_CONDITION,), folds=tuple(folds))


def simulated_error(draw, setting, seeds):
    studies = [right(draw, SETTINGS[setting], FOLDS, seeds, CLIPS).mean(axis=(0, 2, 3)) for _ in range(4000)]
    return float(np.std(np.diff(studies, axis=1)))


def planned_error(draw, setting, seeds, num_pilots=40, **pilot):
    """The root mean square over pilots of the standard error that each gives; no fold prefers a method here."""
    pilots = [pilot_outcomes(draw, SETTINGS[setting], **pilot) for _ in range(num_pilots)]
    designs = [replace(planned(one, FOLDS * CLIPS, FOLDS), method_by_fold_sd=0.0) for one in pilots]
    variances = [standard_error(one, seeds) ** 2 for one in designs]
    return float(np.sqrt(np.mean(variances)))


@pytest.mark.parametrize("setting", SETTINGS)
@pytest.mark.parametrize("seeds", [1, 3, 10])
def test_the_planned_standard_error_is_that_of_simulated_studies(setting, seeds):
    draw = np.random.default_rng(derive("variance parts", setting, seeds))
    expected = simulated_error(draw, setting, seeds)
    assert planned_error(draw, setting, seeds, trainings=6, clips=800) == pytest.approx(expected, rel=0.04)


@pytest.mark.parametrize("setting", SETTINGS)
def test_a_pilot_as_small_as_the_study_is_a_little_pessimistic_at_most(setting):
    draw = np.random.default_rng(derive("small pilot", setting))
    expected = simulated_error(draw, setting, 3)
    assert 0.96 * expected < planned_error(draw, setting, 3, num_pilots=200) < 1.13 * expected


def test_the_parts_are_those_of_an_analysis_of_variance():
    parts = variance_parts(pilot_outcomes(np.random.default_rng(derive("parts")), (0.7, 0.25, 0.7), clips=4000))
    assert parts.clip > 0.05
    assert parts.rest > 0.05
    assert 0.001 < parts.seed < 0.03


def test_trainings_that_agree_on_every_clip_leave_nothing_to_seeds():
    parts = variance_parts(pilot_outcomes(np.random.default_rng(derive("same")), (1.0, 0.0, 0.0)))
    assert (parts.seed, parts.rest) == pytest.approx((0, 0), abs=1e-12)
    assert parts.clip > 0.1


def test_one_seed_measures_no_parts():
    assert variance_parts(pilot_outcomes(np.random.default_rng(derive("one")), (0.7, 0.0, 0.7), trainings=1)) is None
