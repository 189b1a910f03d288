"""What the compared runs named at epochs that the study did not choose: their last, and their best on the test fold."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from jaxtyping import Int8

from harness.errors import HarnessError, unknown
from harness.paths import UnitPaths
from harness.report.study_results import StudyResults
from harness.spec.trial import CLEAN_CONDITION
from harness.stats.gather import run_cells
from harness.stats.logits import Predictions, read_predictions
from harness.stats.outcomes import FoldOutcomes, Outcomes

RANKED, LAST, BEST_ON_TEST = "validation", "last", "best_on_test"
RULES = {RANKED: "Validation-selected", LAST: "Last epoch", BEST_ON_TEST: "Best on test"}
"""Which epoch of a training is judged; the first rule alone is ranked."""

Named = Mapping[str, Mapping[str, Int8[np.ndarray, " _n"]]]
"""By trial and rule, the class named for each clip of the trial's fold."""


class Audited(NamedTuple):
    """Clean outcomes by rule, for the methods whose every run was audited, and why the others were not."""

    outcomes: dict[str, Outcomes]
    unmeasured: dict[str, str]


def audited(results: StudyResults) -> Audited:
    """Read what each compared run named at its last epoch and at its best epoch on the test fold."""
    named: dict[str, Mapping[str, Int8[np.ndarray, " _n"]]] = {}
    unmeasured: dict[str, str] = {}
    for fold in results.outcomes.folds:
        for run in fold.runs:
            one = _named(results.units[run.trial_id], fold, len(results.outcomes.classes))
            if isinstance(one, str):
                unmeasured.setdefault(run.method, f"fold {run.fold}, seed {run.seed}: {one}")
            else:
                named[run.trial_id] = one
    methods = [method for method in results.outcomes.methods if method not in unmeasured]
    if not methods:
        return Audited({}, unmeasured)
    outcomes = results.outcomes.of(methods)
    return Audited({rule: _under(rule, outcomes, named) for rule in RULES}, unmeasured)


def under_rule(results: StudyResults, rule: str) -> Outcomes:
    """The clean outcomes of all methods under one rule.

    Raises:
        HarnessError: for an unknown rule, or a method that was not audited.
    """
    if rule not in RULES:
        raise unknown("selection rule", rule, RULES)
    found = audited(results)
    if found.unmeasured:
        listed = "; ".join(f"{method} ({reason})" for method, reason in found.unmeasured.items())
        raise HarnessError(f"The selection '{rule}' was not measured for {listed}.")
    return found.outcomes[rule]


def _named(unit: UnitPaths, fold: FoldOutcomes, num_classes: int) -> dict[str, Int8[np.ndarray, " _n"]] | str:
    """The class named for each of the fold's clips under each audited rule, or why that is not known."""
    if not unit.audit_predictions.exists():
        return "no test clip was looked at during training (stress.audit is off, or the trial is older)"
    rows, logits = read_predictions(unit.audit_predictions, num_classes)
    found = {}
    for rule in (LAST, BEST_ON_TEST):
        own = (rows["selection"] == rule).to_numpy()
        cells = run_cells(Predictions(rows[own].reset_index(drop=True), logits[own]))
        if (CLEAN_CONDITION, 0) not in cells:
            return f"its audit has no predictions of the rule '{rule}'"
        table = cells[CLEAN_CONDITION, 0]
        place = {clip_id: index for index, clip_id in enumerate(table.clip_ids)}
        if not place.keys() >= set(fold.clip_ids):
            return "its audit has other clips than its test predictions"
        found[rule] = table.predicted[[place[clip_id] for clip_id in fold.clip_ids]]
    return found


def _under(rule: str, outcomes: Outcomes, named: Named) -> Outcomes:
    """The outcomes on clean clips alone, as the rule's epoch named them."""
    return Outcomes(
        classes=outcomes.classes,
        methods=outcomes.methods,
        conditions=(CLEAN_CONDITION,),
        folds=tuple(
            FoldOutcomes(
                fold=fold.fold,
                runs=fold.runs,
                clip_ids=fold.clip_ids,
                groups=fold.groups,
                labels=fold.labels,
                predicted=fold.predicted[:, [outcomes.clean], :1]
                if rule == RANKED
                else np.stack([named[run.trial_id][rule] for run in fold.runs])[:, None, None],
            )
            for fold in outcomes.folds
        ),
        notes=outcomes.notes,
    )
