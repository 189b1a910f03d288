"""What others read of a search: the search table, and Optuna's journal in optuna-dashboard."""

import io
import json
import math
import warnings
from wsgiref.util import setup_testing_defaults

import numpy as np
import optuna
import pytest
from fake_search import FOLDS, Storage, run, study_of

from harness.schedule.search.asking import open_journal
from harness.schedule.search.configuration import Configuration
from harness.schedule.search.search_table import pareto_front, search_rows
from harness.tables import schema, store

SEARCH = {"configurations": 9, "parallel": 4, "stopping": "asha"}


@pytest.fixture
def searched(tmp_path):
    """A search with every fate in it, and its journal."""
    study = study_of(SEARCH, methods=("hdf", "other"), points=[{"objective.eta": 0.4}])
    storage = Storage(broken={("hdf", 2, fold) for fold in FOLDS})
    brain, _ = run(study, tmp_path / "search.journal", storage=storage)
    return study, brain, tmp_path / "search.journal"


def test_the_search_table_says_what_became_of_every_configuration(searched, tmp_path):
    study, brain, _ = searched
    store.write(search_rows(study, brain.searches), schema.SEARCH, tmp_path / "search.parquet")
    rows = store.read(tmp_path / "search.parquet", schema.SEARCH).set_index(["method", "configuration"])
    assert set(rows.loc["hdf", "status"]) >= {"complete", "stopped", "failed"}
    for (name, number), row in rows.iterrows():
        one = brain.searches[name].configurations[number]
        assert json.loads(row["values"]) == one.values
        assert list(row["folds"]) == list(one.folds)
        assert [None if math.isnan(score) else score for score in row["scores"]] == [
            one.scores.get(fold) for fold in one.folds
        ]
        assert row["cost"] == one.cost
        assert bool(row["reason"]) == (row["status"] != "complete")
        assert math.isnan(row["score"]) == (row["status"] != "complete")
        assert row["chosen"] == (number == brain.chosen[name])
    assert list(rows.loc["hdf", "origin"])[:3] == ["written", "point", "tpe"]
    assert "diverged" in rows.loc[("hdf", 2), "reason"]


def test_the_front_of_one_metric_is_its_best(searched):
    study, brain, _ = searched
    rows = search_rows(study, brain.searches)
    assert rows.loc[rows["front"], "score"].groupby(rows["method"]).nunique().eq(1).all()
    assert (rows.loc[rows["chosen"], "front"]).all()


def test_the_front_is_what_nothing_dominates():
    points = np.random.default_rng(0).integers(0, 6, size=(40, 2))
    configurations = [
        Configuration(
            number=number, known=0, values={}, folds=(), planned={}, status="complete",
            objectives={"uar": float(uar), "cost": float(cost)},
        )
        for number, (uar, cost) in enumerate(points)
    ]  # fmt: skip
    front = pareto_front(configurations, ("uar", "cost"))
    for number, (uar, cost) in enumerate(points):
        dominated = any(u >= uar and c <= cost and (u, c) != (uar, cost) for u, c in points)
        assert (number in front) == (not dominated)


def answer(app, path):
    """What a web application says to GET."""
    environ = {"PATH_INFO": path, "REQUEST_METHOD": "GET", "wsgi.input": io.BytesIO()}
    setup_testing_defaults(environ)
    status = []
    body = b"".join(app(environ, lambda line, headers, *rest: status.append(line)))
    assert status == ["200 OK"], body
    return json.loads(body)


@pytest.mark.uses_global_rng
def test_the_journal_opens_in_optuna_dashboard(searched):
    _, brain, journal = searched
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of its own imports
        from optuna_dashboard import wsgi

        app = wsgi(open_journal(journal))
        studies = answer(app, "/api/studies")["study_summaries"]
        assert sorted(one["study_name"].split("-")[0] for one in studies) == ["hdf", "other"]
        hdf = next(one for one in studies if one["study_name"].startswith("hdf"))
        detail = answer(app, f"/api/studies/{hdf['study_id']}")
    configurations = brain.searches["hdf"].configurations
    assert len(detail["trials"]) == len(configurations)
    assert detail["directions"] == ["maximize"]
    assert {trial["state"] for trial in detail["trials"]} == {"Complete", "Pruned", "Fail"}
    best = max(trial["values"][0] for trial in detail["trials"] if trial["state"] == "Complete")
    assert best == pytest.approx(configurations[brain.chosen["hdf"]].objectives["uar"])


def test_the_journal_is_an_optuna_study_like_any_other(searched):
    _, brain, journal = searched
    storage = open_journal(journal)
    for name in optuna.get_all_study_names(storage):
        study = optuna.load_study(study_name=name, storage=storage)
        method = name.split("-")[0]
        assert study.best_trial.number == brain.chosen[method]
        assert len(study.trials_dataframe()) == len(brain.searches[method].configurations)
        assert study.trials[0].user_attrs["origin"] == "as written"
