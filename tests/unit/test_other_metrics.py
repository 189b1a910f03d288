"""Metrics that no section of their own shows are in the report all the same."""

from dataclasses import replace

import pandas as pd
import pytest
from fabricated_run import Fabrication, fabricate

from harness.report.metrics_table import metrics_table
from harness.report.sections import other_metrics as other
from harness.report.study_results import read_results
from harness.stats.score import known_metrics


def test_a_metric_that_was_added_is_in_the_report_as_a_mean_without_interval(tmp_path, monkeypatch):
    results = read_results(fabricate(tmp_path, Fabrication(clips=30, severities=(5,), perturbations=("contrast",))))
    table = metrics_table(results)
    added = table[table["metric"] == "war"].assign(metric="hits", value=table["value"] * 2)
    known = known_metrics()
    monkeypatch.setattr(other, "known_metrics", lambda: known | {"hits": replace(known["war"], title="Twice the hits")})
    rows = {row.title: row for row in other.other_metrics(results, pd.concat([table, added]))}
    assert set(rows) == {"Macro F1", "Weighted F1", "Twice the hits"}
    clean = table[(table["metric"] == "war") & (table["perturbation"] == "clean") & (table["split"] == "test")]
    own = clean.merge(results.confirmed[["trial_id", "method"]]).query("method == 'hdf'")["value"].mean()
    assert rows["Twice the hits"].values[0] == pytest.approx(2 * own)
