"""The planner gives the published table of detectable differences and refuses the impossible."""

import pytest
from fabricated_run import Fabrication, fabricate

from harness.errors import HarnessError
from harness.report.planning import discordance, power_report
from harness.report.study_results import read_results
from harness.stats.power import Pilot, detectable_difference, seeds_needed, standard_error
from harness.stats.variance_parts import variance_parts


def pilot(num_clips=11_697, num_folds=5, run_sd=0.006):
    return Pilot(num_clips=num_clips, num_folds=num_folds, clip_variance=0.16, run_sd=run_sd)


@pytest.mark.parametrize(
    ("planned", "seeds", "points"),
    [
        (pilot(), 1, 1.6),
        (pilot(), 3, 1.2),
        (pilot(), 10, 1.0),
        (pilot(run_sd=0.01), 1, 2.1),
        (pilot(run_sd=0.003), 1, 1.3),
        (pilot(7_847, 1), 1, 2.7),
        (pilot(7_847, 1), 5, 1.5),
        (pilot(383, 1), 1, 6.2),
        (pilot(383, 1), 10, 4.3),
    ],
)
def test_the_published_table_is_reproduced(planned, seeds, points):
    assert 100 * detectable_difference(planned, seeds) == pytest.approx(points, abs=0.06)


def test_more_of_anything_never_hurts():
    assert standard_error(pilot(), 5) < standard_error(pilot(), 3)
    assert standard_error(pilot(num_clips=20_000), 3) < standard_error(pilot(), 3)


def test_seeds_do_not_buy_test_clips():
    assert seeds_needed(pilot(), 0.005) is None
    assert seeds_needed(pilot(), 0.02) == 1
    needed = seeds_needed(pilot(), 0.011)
    assert detectable_difference(pilot(), needed) <= 0.011 < detectable_difference(pilot(), needed - 1)


def test_a_pilot_with_seeds_measures_the_variation_of_training(tmp_path):
    run = fabricate(tmp_path, Fabrication(seeds=(0, 1, 2), perturbations=(), seed_noise=0.4))
    outcomes = read_results(run).outcomes
    assert 0 < variance_parts(outcomes).seed < 0.05
    assert 0.1 < discordance(outcomes) < 0.6
    text = power_report(run, num_clips=11_697, num_folds=5)
    assert "11697 test clips in 5 folds" in text
    assert text.count("(measured)") == 2


def test_a_pilot_with_one_seed_says_that_it_assumes(tmp_path):
    assert "assumed, the pilot has one seed" in power_report(fabricate(tmp_path, Fabrication(perturbations=())))


def test_a_pilot_with_one_method_is_refused(tmp_path):
    alone = fabricate(tmp_path, Fabrication(skills={"hdf": 1.0}, perturbations=()))
    with pytest.raises(HarnessError, match="at least two methods"):
        power_report(alone)
