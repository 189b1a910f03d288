"""Assert that a quickstart run left complete, well-formed tables and a report that needs no network."""

import sys
from pathlib import Path

import pandas as pd

from harness.paths import RunPaths
from harness.plan import counts
from harness.spec.load import load_study
from harness.tables import schema, store


def check(out: Path) -> None:
    """Check one run folder.

    Raises:
        AssertionError: naming what is missing.
    """
    run = RunPaths(out, "quickstart")
    study = load_study(run.study_file)
    trials = store.read(run.table("trials"), schema.TRIALS)
    planned = sum(count.search + count.confirm for count in counts(study).values())
    assert len(trials) == planned, f"{len(trials)} trials instead of {planned}"
    assert set(trials["status"]) == {"done"}, f"not all trials are done: {trials['status'].value_counts().to_dict()}"
    confirmed = trials[trials["phase"] == "confirm"]
    metrics = store.read(run.table("metrics"), schema.METRICS)
    tested = metrics[metrics["split"] == "test"]
    expected = len(study.stress.conditions)
    for trial_id in confirmed["trial_id"]:
        mine = tested[(tested["trial_id"] == trial_id) & (tested["metric"] == "uar")]
        conditions = mine[["perturbation", "severity"]].drop_duplicates()
        assert len(conditions) == expected, f"{trial_id}: {len(conditions)} conditions instead of {expected}"
        assert mine["value"].between(0, 1).all(), f"{trial_id}: a UAR outside 0..1"
    board = pd.read_csv(run.output("leaderboard.csv"))
    assert len(board) == len(study.methods), f"{len(board)} leaderboard rows"
    html = run.output("report.html").read_text(encoding="utf-8")
    assert html.count("<svg") >= len(study.stress.perturbations) + len(study.methods), "figures are missing"
    for mark in ('src="http', "src='http", 'link rel="stylesheet"', "url(http", "@import"):
        assert mark not in html, f"the report asks the network: {mark}"
    assert len(html) < 3_000_000, f"the report is {len(html) / 1e6:.1f} MB"
    sys.stdout.write(
        f"quickstart: {planned} trials, {expected} conditions, report {len(html) / 1e3:.0f} kB: well-formed\n"
    )


if __name__ == "__main__":
    check(Path(sys.argv[1]))
