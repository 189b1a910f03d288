"""Every measure of robustness in both forms, against the same formulas written out over plain arrays."""

import numpy as np
import pytest
from fabricated_run import CLASSES, Fabrication, fabricate, labels_of, logits_of

from harness.report.calibration_table import calibrated
from harness.report.findings import analyse
from harness.report.metrics_table import metrics_table
from harness.report.page import page
from harness.report.page_sections import Measured
from harness.report.robustness_table import ANY, BOUNDS, SHARE, chance_level, robustness_table
from harness.report.sections.robustness import near_chance
from harness.report.study_results import read_results
from harness.spec.trial import CLEAN_CONDITION, Condition
from harness.stats.interval import bounded_band
from harness.tables.schema import ROBUSTNESS
from harness.tables.store import to_arrow

MADE = Fabrication(
    folds=(1,), clips=150, severities=(1, 3, 5),
    perturbations=("brightness", "contrast", "gaussian_noise", "global_shuffle"),
)  # fmt: skip
FAMILIES = {"illumination": ("brightness", "contrast"), "noise": ("gaussian_noise",)}


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    return read_results(fabricate(tmp_path_factory.mktemp("runs"), MADE))


@pytest.fixture(scope="module")
def table(results):
    return robustness_table(results, analyse(results, 200), 200)


def named(method: str, name: str, severity: float) -> np.ndarray:
    condition = CLEAN_CONDITION if name == "clean" else Condition(perturbation=name, severity=severity)
    return logits_of(MADE, method, 1, 0, condition).argmax(axis=1)


LABELS = labels_of(MADE, 1)


def average(right: np.ndarray, metric: str) -> float:
    """The share of all clips, or the mean of the classes' shares."""
    if metric == "war":
        return float(right.mean())
    return float(np.mean([right[k == LABELS].mean() for k in np.unique(LABELS)]))


def accuracy(method: str, metric: str, name: str, severity: float) -> float:
    return average(named(method, name, severity) == LABELS, metric)


def by_family(value) -> float:
    """Mean over severities and perturbations of a family, then over families."""
    return float(
        np.mean([np.mean([value(name, s) for name in own for s in MADE.severities]) for own in FAMILIES.values()])
    )


def expected(method: str, metric: str) -> dict[str, float]:
    def score(name, severity):
        return accuracy(method, metric, name, severity)

    def reference(name, severity):
        return accuracy("hdf", metric, name, severity)

    clean, mean = score("clean", 0), by_family(score)
    chance = 1 / len(CLASSES) if metric == "uar" else np.bincount(LABELS).max() / len(LABELS)
    everything = sorted(score(name, s) for own in FAMILIES.values() for name in own for s in MADE.severities)
    names = [name for own in FAMILIES.values() for name in own]
    reference_clean = reference("clean", 0)
    kept = {s: named(method, "clean", 0) == LABELS for s in (0,)}[0]

    def errors(one):
        return [sum(one(name, s) for s in MADE.severities) for name in names]

    mine, theirs = errors(lambda n, s: 1 - score(n, s)), errors(lambda n, s: 1 - reference(n, s))
    lost, theirs_lost = errors(lambda n, s: clean - score(n, s)), errors(lambda n, s: reference_clean - reference(n, s))
    areas = {n: np.trapezoid([clean, *(score(n, s) for s in MADE.severities)], [0, 1, 3, 5]) / 5 for n in names}
    stays = by_family(lambda n, s: average((named(method, n, s) == LABELS) & kept, metric)) / clean
    ordered = np.mean([average((named(method, "global_shuffle", s) == LABELS) & kept, metric) for s in MADE.severities])
    return {
        "mean": mean,
        "relative": mean / clean,
        "absolute": 1 - (clean - mean),
        "retention": (mean - chance) / (clean - chance),
        "worst_family": min(np.mean([score(n, s) for n in own for s in MADE.severities]) for own in FAMILIES.values()),
        "worst_condition": everything[0],
        "worst_tenth": everything[0],
        "area_under_severity": np.mean([np.mean([areas[n] for n in own]) for own in FAMILIES.values()]),
        "corruption_error": np.mean(np.array(mine) / np.array(theirs)),
        "relative_corruption_error": np.mean(np.array(lost) / np.array(theirs_lost)),
        "flip_rate": by_family(lambda n, s: average(named(method, n, s) != named(method, "clean", 0), metric)),
        "resist_rate": stays,
        "temporal_sensitivity": 1 - ordered / clean,
        "order_change": np.mean([score("global_shuffle", s) for s in MADE.severities]) - clean,
    }


@pytest.mark.parametrize("metric", ["uar", "war"])
@pytest.mark.parametrize("method", ["hdf", "x3d", "resnet18_lstm"])
def test_every_measure_is_its_formula(table, method, metric):
    own = table[(table["method"] == method) & (table["metric"] == metric)].set_index("measure")["value"]
    wanted = expected(method, metric)
    if np.isnan(own["relative_corruption_error"]):
        wanted["relative_corruption_error"] = np.nan
    assert own.to_dict() == pytest.approx(wanted, nan_ok=True)


def test_every_value_lies_in_its_interval_and_the_schema_fits(table):
    to_arrow(table, ROBUSTNESS)
    inside = (table["low"] <= table["value"]) & (table["value"] <= table["high"])
    assert inside.mean() > 0.9
    own = table[(table["method"] == "hdf") & (table["measure"] == "corruption_error")]
    assert (own[["low", "value", "high"]] == 1).all(axis=None), "the reference's own error is one, always"


def test_chance_is_one_class_of_seven_or_the_largest_class(results):
    assert chance_level(results.outcomes, "uar") == pytest.approx(1 / 7)
    assert chance_level(results.outcomes, "war") == pytest.approx(np.bincount(LABELS).max() / len(LABELS))


def test_a_method_near_chance_keeps_nothing_that_can_be_stated_and_the_others_are_not_touched(tmp_path):
    made = Fabrication(
        skills={"strong": 1.8, "weak": 0.12, "worthless": -0.4}, folds=(1,), clips=60, severities=(5,),
        perturbations=("gaussian_noise",),
    )  # fmt: skip
    results = read_results(fabricate(tmp_path, made))
    findings = analyse(results, 300)
    table = robustness_table(results, findings, 100)
    own = table[table["metric"] == "uar"].set_index(["measure", "method"])
    assert np.isfinite(own.loc[("retention", "strong"), ["value", "low", "high"]].astype(float)).all()
    assert np.isfinite(own.loc[("retention", "weak"), "value"])
    assert own.loc[("retention", "weak"), ["low", "high"]].isna().all()
    assert own.loc[("retention", "worthless"), ["value", "low", "high"]].isna().all()
    methods, notes = near_chance(results.outcomes, findings.scores)
    assert methods == ["weak", "worthless"]
    assert any("not defined for worthless: its clean UAR" in note for note in notes)
    assert any("no interval for weak" in note and "of 300 replicates only" in note for note in notes)
    assert not any("strong" in note for note in notes)
    text = page(results, findings, Measured(metrics_table(results), calibrated(results, 20), table))
    assert "not defined</td>" in text
    assert "no interval" in text
    assert "nan" not in text.lower().split('<section id="perturbations">')[1].split("</section>")[0]


def test_no_arrow_speaks_for_a_method_that_is_not_above_chance(tmp_path):
    """It keeps everything because it has nothing, and loses right clips without using time."""
    made = Fabrication(
        skills={"strong": 1.8, "guess": -0.4}, folds=(1,), clips=60, severities=(5,),
        perturbations=("gaussian_noise", "global_shuffle"),
    )  # fmt: skip
    results = read_results(fabricate(tmp_path, made))
    findings = analyse(results, 100)
    found = page(
        results,
        findings,
        Measured(metrics_table(results), calibrated(results, 20), robustness_table(results, findings, 50)),
    )
    section = found.split("<h3>Robustness and temporal sensitivity</h3>")[1].split("</section>")[0]
    rows = {row.split("<span")[0].split(">")[-1].strip(): row for row in section.split('<th scope="row"')[1:]}
    for name in ("Kept ↑", "Flip rate ↓", "Resist rate ↑", "Temporal sensitivity"):
        strong, guess = rows[name].split("<td ")[1:]
        assert "optimistic" not in strong
        assert guess.startswith('class="num optimistic"')
        assert "<b>(" in guess
    assert "guess is not known to be above chance" in section
    assert "Change without order" in rows


def test_a_ratio_whose_denominator_reaches_zero_has_no_interval(tmp_path):
    """Contrast costs the reference next to nothing, so that others' loss is divided by nothing here and there."""
    made = Fabrication(folds=(1,), clips=60, severities=(0.5,), perturbations=("contrast", "gaussian_noise"))
    results = read_results(fabricate(tmp_path, made))
    table = robustness_table(results, analyse(results, 300), 100)
    own = table[table["measure"] == "relative_corruption_error"]
    assert own[["low", "high"]].isna().all(axis=None)
    assert np.isfinite(table.loc[table["measure"] == "corruption_error", ["low", "high"]]).all(axis=None)


def test_no_limit_lies_where_the_measure_cannot():
    """The replicates of small strata are stretched and fall outside of 0 to 1."""
    replicates = np.random.default_rng(0).normal(0.02, 0.05, size=(500, 1))
    band = bounded_band(np.array([0.02]), replicates, BOUNDS["worst_condition"])
    assert band.low == 0
    assert 0.05 < band.high < 0.2
    assert bounded_band(np.array([0.02]), replicates, ANY).low < -0.05
    assert set(BOUNDS.values()) == {SHARE, (0.0, np.inf)}


def test_a_study_without_perturbations_has_no_robustness(tmp_path):
    results = read_results(fabricate(tmp_path, Fabrication(folds=(1,), clips=30, perturbations=())))
    assert robustness_table(results, analyse(results, 20), 20).empty
