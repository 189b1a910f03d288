"""Importances tell the parameter that decides a search from those that do nothing, and stay silent on too little."""

import json

import numpy as np
import pandas as pd
import pytest

from harness.schedule.search.asking_importance import EVALUATOR, MIN_CONFIGURATIONS, importances
from harness.spec.method import Domain

DOMAINS = {
    "hdf": {
        "objective.tau": Domain(log_uniform=(0.01, 1)),
        "objective.eta": Domain(uniform=(0, 1)),
        "optimizer.sam.batch_norm": Domain(choice=("frozen", "updated")),
    }
}


def searched(count, seed=0):
    """A score that falls with the distance of log tau from log 0.1, and depends on nothing else."""
    draw = np.random.default_rng(seed)
    rows = []
    for number in range(count):
        tau, eta = float(10 ** draw.uniform(-2, 0)), float(draw.uniform(0, 1))
        values = {"objective.tau": tau, "objective.eta": eta}
        values["optimizer.sam.batch_norm"] = ("frozen", "updated")[int(draw.integers(2))]
        score = 0.6 - 0.2 * abs(np.log10(tau) + 1)
        row = {"method": "hdf", "configuration": number, "status": "complete", "score": score, "estimate": np.nan}
        rows.append(row | {"values": json.dumps(values)})
    return pd.DataFrame(rows)


def test_the_parameter_that_decides_gets_most_and_shares_sum_to_one():
    found = importances(searched(40), DOMAINS).set_index("parameter")["importance"]
    assert found.idxmax() == "objective.tau"
    assert found["objective.tau"] > 0.6
    assert found.sum() == pytest.approx(1)


def test_equal_searches_give_equal_numbers():
    first, second = (importances(searched(20), DOMAINS) for _ in range(2))
    pd.testing.assert_frame_equal(first, second)
    assert set(first["evaluator"]) == {EVALUATOR}
    assert set(first["num_configurations"]) == {20}


def test_too_few_configurations_and_equal_scores_have_no_importances():
    assert importances(searched(MIN_CONFIGURATIONS - 1), DOMAINS).empty
    assert importances(searched(20).assign(score=0.5), DOMAINS).empty


def test_a_configuration_that_failed_does_not_count_and_one_that_was_raced_out_counts_by_its_estimate():
    rows = searched(MIN_CONFIGURATIONS)
    rows.loc[0, ["status", "score"]] = ["failed", np.nan]
    assert importances(rows, DOMAINS).empty
    rows.loc[0, ["status", "estimate"]] = ["raced_out", 0.3]
    assert set(importances(rows, DOMAINS)["num_configurations"]) == {MIN_CONFIGURATIONS}


def test_a_parameter_searched_only_under_a_choice_is_judged_where_it_was():
    rows = searched(40)
    values = [json.loads(text) for text in rows["values"]]
    for one in values:
        if one["optimizer.sam.batch_norm"] == "frozen":
            del one["objective.eta"]
    rows["values"] = [json.dumps(one) for one in values]
    found = importances(rows, DOMAINS).set_index("parameter")["importance"]
    assert set(found.index) == set(DOMAINS["hdf"])
    assert found.idxmax() == "objective.tau"
