"""Everything a report reads from a study's folder, checked once."""

import json
from dataclasses import dataclass
from typing import Any

import pandas as pd
import yaml

from harness.errors import HarnessError
from harness.paths import RunPaths, UnitPaths
from harness.spec.trial import CLEAN_CONDITION
from harness.stats.gather import RunOutcomes, Wanted, align, read_run
from harness.stats.outcomes import Outcomes, Run
from harness.stats.suite import Suite, read_suite
from harness.tables.schema import TRIALS
from harness.tables.store import read


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyResults:
    """A study's inputs and outcomes.

    Attributes:
        run: where everything lies.
        study: the study file as written.
        dataset: ``dataset.json``.
        suite: the perturbed conditions.
        units: where each compared trial lies, by its id.
        trials: the trials table, searches included.
        confirmed: the finished trials whose predictions are compared.
        runs: what each of those trials named.
        outcomes: what those trials named on the test clips they share.
    """

    run: RunPaths
    study: dict[str, Any]
    dataset: dict[str, Any]
    suite: Suite
    units: dict[str, UnitPaths]
    trials: pd.DataFrame
    confirmed: pd.DataFrame
    runs: tuple[RunOutcomes, ...]
    outcomes: Outcomes

    @property
    def question(self) -> str:
        """What the study asks, or its name where it does not say."""
        return str(self.study.get("question") or self.run.study)


def read_results(run: RunPaths) -> StudyResults:
    """Read a run folder.

    Raises:
        HarnessError: if a file is missing or no confirmed trial has finished.
    """
    study = yaml.safe_load(run.study_file.read_text(encoding="utf-8")) if run.study_file.exists() else {}
    dataset, suite = read_dataset(run), read_suite(run.suite_file)
    trials = read(run.table("trials"), TRIALS)
    confirm = trials[trials["phase"] == "confirm"]
    done = confirm[confirm["status"] == "done"].reset_index(drop=True)
    wanted = Wanted(
        num_classes=len(dataset["classes"]),
        conditions=frozenset({CLEAN_CONDITION, *suite.by_condition}),
        repeats=int(study.get("stress", {}).get("repeats", 1)),
    )
    runs = [
        read_run(
            Run(method=row["method"], fold=int(row["fold"]), seed=int(row["seed"]), trial_id=row["trial_id"]),
            run.unit(row["trial_id"]).test_predictions(suite.version),
            wanted,
        )
        for row in done.to_dict("records")
    ]
    outcomes = align(runs, dataset["classes"], method_order(study, confirm))
    return StudyResults(
        run=run,
        study=study,
        dataset=dataset,
        suite=suite,
        units={trial_id: run.unit(trial_id) for trial_id in done["trial_id"]},
        trials=trials,
        confirmed=done,
        runs=tuple(runs),
        outcomes=outcomes,
    )


def read_dataset(run: RunPaths) -> dict[str, Any]:
    """``dataset.json``: name, title, fingerprint, classes, counts, folds and excluded clips."""
    try:
        dataset: dict[str, Any] = json.loads(run.dataset_file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise HarnessError(f"There is no {run.dataset_file}. Run the study first.") from None
    return dataset


def method_order(study: dict[str, Any], trials: pd.DataFrame) -> list[str]:
    """Methods as the study lists them, then any other in the table."""
    listed = [name for name in study.get("methods", {}) if name in set(trials["method"])]
    return [*listed, *sorted(set(trials["method"]) - set(listed))]
