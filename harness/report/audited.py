"""What the compared trainings named at epochs that the study did not choose: their last, and their best on the test."""

from dataclasses import replace
from typing import NamedTuple

from harness.errors import DamagedError, HarnessError, unknown
from harness.report.study_results import StudyResults
from harness.spec.trial import CLEAN_CONDITION
from harness.stats.gather import RunOutcomes, Wanted, read_run_by_rule
from harness.stats.other_epochs import at_other_epochs, measured_conditions
from harness.stats.outcomes import Outcomes, Run
from harness.tables.selections import AUDITED, RANKED, RULES


class Audited(NamedTuple):
    """Outcomes by rule, on what all rules are measured on.

    Attributes:
        outcomes: of the methods whose every training was audited, under the conditions that all rules have.
        unmeasured: why the other methods are not there.
        lacking: how many perturbed conditions of the study are left out, because some training's other epochs were
            tested on clean clips alone.
    """

    outcomes: dict[str, Outcomes]
    unmeasured: dict[str, str]
    lacking: int


def audited(results: StudyResults) -> Audited:
    """Read what each compared training named at its last epoch and at its best epoch on the test fold."""
    runs: dict[str, dict[str, RunOutcomes]] = {rule: {} for rule in AUDITED}
    unmeasured: dict[str, str] = {}
    for fold in results.outcomes.folds:
        for run in fold.runs:
            found = _read(results, run)
            if isinstance(found, str):
                unmeasured.setdefault(run.method, f"fold {run.fold}, seed {run.seed}: {found}")
                continue
            for rule, one in found.items():
                runs[rule][run.trial_id] = one
    methods = [method for method in results.outcomes.methods if method not in unmeasured]
    if not methods:
        return Audited({}, unmeasured, 0)
    outcomes = results.outcomes.of(methods)
    shared = [set(measured_conditions(outcomes, runs[rule])) for rule in AUDITED]
    conditions = [condition for condition in outcomes.conditions if all(condition in own for own in shared)]
    if CLEAN_CONDITION not in conditions:
        reason = "its audit has other clips than its test predictions"
        return Audited({}, unmeasured | dict.fromkeys(methods, reason), 0)
    ranked = outcomes.under(conditions)
    by_rule = {rule: at_other_epochs(ranked, runs[rule]) for rule in AUDITED}
    return Audited({RANKED: ranked, **by_rule}, unmeasured, len(outcomes.conditions) - len(conditions))


def under_rule(results: StudyResults, rule: str) -> StudyResults:
    """The study judged by one rule.

    Raises:
        HarnessError: for an unknown rule, or a method that was not audited.
    """
    if rule not in RULES:
        raise unknown("selection rule", rule, RULES)
    if rule == RANKED:
        return results
    found = audited(results)
    if found.unmeasured:
        listed = "; ".join(f"{method} ({reason})" for method, reason in found.unmeasured.items())
        raise HarnessError(f"The selection '{rule}' was not measured for {listed}.")
    return replace(results, outcomes=found.outcomes[rule])


def _read(results: StudyResults, run: Run) -> dict[str, RunOutcomes] | str:
    """What a training's other epochs named by rule, or why that is not known."""
    paths = results.units[run.trial_id].audit_predictions(results.suite.version)
    if not paths:
        return "no test clip was looked at during training (stress.audit is off, or the trial is older)"
    outcomes = results.outcomes
    wanted = Wanted(
        num_classes=len(outcomes.classes),
        conditions=frozenset(outcomes.conditions),
        repeats=1 + max(draw for draws in outcomes.draws for draw in draws),
    )
    try:
        return dict(zip(AUDITED, read_run_by_rule(run, paths, wanted, AUDITED), strict=True))
    except DamagedError:
        raise
    except HarnessError as error:
        return f"its audit cannot be used: {error}"
