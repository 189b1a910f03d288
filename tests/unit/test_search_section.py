"""The search section places every value on its own axis, counts what was spent, and hides nothing."""

import json
import re
from itertools import pairwise

import pandas as pd
import pytest
import yaml
from fabricated_run import Fabrication, fabricate

from harness.report.build import build
from harness.report.figures.best_so_far import best_so_far
from harness.report.figures.front import draw_front, fronts
from harness.report.figures.parallel import LETTER, Parallel, draw_parallel, parallel
from harness.report.figures.slices import slices
from harness.report.sections.axes import Axis, axis
from harness.report.sections.search import chosen_recipes, searches
from harness.report.study_results import read_results
from harness.tables.schema import SEARCH, TRIALS
from harness.tables.store import read, write

SEARCHED = Fabrication(clips=30, perturbations=(), folds=(1,), configurations=12)


@pytest.fixture(scope="module")
def search(tmp_path_factory):
    found = searches(read_results(fabricate(tmp_path_factory.mktemp("runs"), SEARCHED)))
    assert [one.method for one in found] == ["hdf"]
    return found[0]


def test_searches_and_recipes_are_in_the_order_of_the_study(tmp_path):
    run = fabricate(tmp_path, SEARCHED)
    trials = read(run.table("trials"), TRIALS)
    again = trials[trials["phase"] == "search"].assign(method="resnet18_lstm")
    again["trial_id"] = "again-" + again["trial_id"]
    write(pd.concat([again, trials], ignore_index=True), TRIALS, run.table("trials"))
    study = yaml.safe_load(run.study_file.read_text())
    study["methods"] = {name: study["methods"][name] for name in ("x3d", "resnet18_lstm", "hdf")}
    run.study_file.write_text(yaml.safe_dump(study, sort_keys=False))
    results = read_results(run)
    assert [one.method for one in searches(results)] == ["resnet18_lstm", "hdf"]
    assert [method for method, _ in chosen_recipes(results)] == ["x3d", "resnet18_lstm", "hdf"]


def test_a_logarithmic_domain_puts_its_geometric_mean_in_the_middle():
    one = axis("rho", {"log_uniform": [0.01, 1.0]}, [0.1])
    assert [one.place(value) for value in (0.01, 0.1, 1.0)] == pytest.approx([0, 0.5, 1])
    assert [text for _, text in one.ticks] == ["0.01", "0.1", "1"]


def test_a_value_outside_its_domain_stretches_the_axis():
    one = axis("eta", {"uniform": [0.2, 0.6]}, [0.1, 0.4])
    assert (one.low, one.high, one.place(0.1)) == (0.1, 0.6, 0.0)


def test_choices_are_evenly_spaced_and_nothing_can_be_a_choice():
    one = axis("sam", {"choice": [None, "sam", "asam"]}, ["sam"])
    assert [one.place(value) for value in (None, "sam", "asam")] == [0.0, 0.5, 1.0]
    assert one.ticks == [(0.0, "none"), (0.5, "sam"), (1.0, "asam")]


def test_without_a_domain_the_values_themselves_make_the_axis():
    assert axis("tau", None, [0.1, 0.5]).scale == "linear"
    assert axis("name", None, ["adamw", "sgd"]).choices == ("adamw", "sgd")
    assert axis("once", None, [3]).place(3) == 0.5


def test_configurations_are_listed_best_first_and_a_failed_one_last(tmp_path):
    run = fabricate(tmp_path, SEARCHED)
    trials = read(run.table("trials"), TRIALS)
    lost = (trials["phase"] == "search") & (trials["configuration"] == 1)
    trials.loc[lost, ["val_uar", "val_war"]] = float("nan")
    write(trials, TRIALS, run.table("trials"))
    found = searches(read_results(run))[0]
    scores = [one.objectives.get("uar") for one in found.tried]
    assert found.tried[-1].number == 1
    assert scores[:-1] == sorted(scores[:-1], reverse=True)
    assert len(found.scored) == 11
    curve = best_so_far(found, 0)
    assert curve.scores[1] is None
    assert curve.best[1] == curve.best[0]
    assert curve.spent == list(range(1, 13))


def test_the_best_so_far_never_falls_and_ends_at_the_best(search):
    curve = best_so_far(search, 0)
    assert curve.best == sorted(curve.best)
    assert curve.best[-1] == pytest.approx(100 * max(one.objectives["uar"] for one in search.tried))


def test_every_configuration_is_one_line_through_all_axes(search):
    drawing = draw_parallel(parallel(search))
    lines = re.findall(r'<polyline class="trial([^"]*)".*?points="([^"]+)"', drawing)
    assert len(lines) == 12
    assert all(len(points.split()) == len(search.names) + 1 for _, points in lines)
    assert sum("kept" in kind for kind, _ in lines) == 1


@pytest.mark.parametrize("count", [3, 6, 11])
def test_names_of_axes_never_meet(count):
    axes = [Axis(f"objective.a_long_parameter_{number}", "log", 0.1, 1.0, ()) for number in range(count)]
    drawing = draw_parallel(Parallel("hdf", axes, []))
    rows = {}
    for x, y, name in re.findall(r'class="name" x="([\d.]+)" y="(-?\d+)">([^<]+)<', drawing):
        rows.setdefault(y, []).append((float(x), LETTER * len(name) / 2))
    assert sum(map(len, rows.values())) == count
    for row in rows.values():
        for (left, half), (right, other) in pairwise(row):
            assert left + half <= right - other + 1e-6
    top = float(re.search(r'viewBox="0 (-?\d+)', drawing)[1])
    assert all(float(y) >= top + 10 for y in rows)


def test_a_parameter_that_was_not_searched_in_a_configuration_lies_below_its_axis(tmp_path):
    run = fabricate(tmp_path, SEARCHED)
    trials = read(run.table("trials"), TRIALS).astype({"searched": object})
    one = trials.index[(trials["phase"] == "search") & (trials["configuration"] == 3)][0]
    trials.loc[one, "searched"] = json.dumps({"objective.tau": 0.2})
    write(trials, TRIALS, run.table("trials"))
    found = searches(read_results(run))[0]
    lines = {line.number: line for line in parallel(found).lines}
    assert lines[3].places[found.names.index("optimizer.sam.rho")] is None
    assert {len(one.numbers) for one in slices(found)} == {11, 12}
    assert next(one for one in found.tried if one.number == 3).text("optimizer.sam.rho") == "–"  # noqa: RUF001


def test_a_study_that_asks_for_war_is_drawn_by_war(tmp_path):
    run = fabricate(tmp_path, SEARCHED)
    run.study_file.write_text(run.study_file.read_text() + "search: {metric: war}\n")
    found = searches(read_results(run))[0]
    assert found.score(found.tried[0]) == 100 * found.tried[0].objectives["war"]


def test_several_objectives_are_drawn_against_the_first_with_the_front_joined(tmp_path):
    run = fabricate(tmp_path, SEARCHED)
    run.study_file.write_text(run.study_file.read_text() + "search: {metrics: [uar, cost]}\n")
    rows = [
        {
            "method": "hdf",
            "configuration": number,
            "known": 0,
            "origin": "random",
            "values": json.dumps({"objective.tau": 0.1 + number / 10}),
            "status": "complete" if number < 3 else "raced_out",
            "reason": "" if number < 3 else "against #0: too low",
            "folds": [1],
            "scores": [0.5],
            "halts": [],
            "score": 0.5,
            "estimate": None if number < 3 else 0.31,
            "objectives": [("uar", 0.5 - number / 10), ("cost", 2.0 - number / 2)] if number < 3 else [],
            "front": number in (0, 2),
            "chosen": number == 0,
            "cost": 1.0,
        }
        for number in range(4)
    ]
    write(pd.DataFrame(rows), SEARCH, run.table("search"))
    found = searches(read_results(run))[0]
    assert found.objectives == ["uar", "cost"]
    assert [one.number for one in found.scored] == [0, 1, 2]
    drawn = fronts(found)
    assert [(one.first, one.other) for one in drawn] == [("uar", "cost")]
    assert "configuration 2, configuration 0" in draw_front(drawn[0], 0)
    page = " ".join(build(run, replicates=20).html_path.read_text().split())
    assert "raced out, estimated at 31.0" in page
    assert "against #0: too low" in page
