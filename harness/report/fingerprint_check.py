"""Whether two runs' test clips looked the same under every condition, from the fingerprints that both recorded."""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
import pandas as pd

from harness.report.study_results import StudyResults
from harness.spec.trial import Condition
from harness.tables.schema import FINGERPRINTS
from harness.tables.store import read_many

LEVELS = 1.0
"""Largest difference of a block's mean in 8-bit levels: processors and devices round differently, within one level."""

SHOWN = 5
"""Conditions that are named with their clips; the others are counted."""

KEY = list(FINGERPRINTS.key)

VIEW = ("frames", "size", "test_sampler", "max_stored_frames")
"""What of a study's ``clip`` section decides which pixels a network is shown."""


class Compared(NamedTuple):
    """What stands against an entry, and what could not be compared."""

    problems: tuple[str, ...]
    warnings: tuple[str, ...]


def missing_fingerprints(results: StudyResults) -> list[str]:
    """Trials and conditions of which it is not recorded what the clips looked like."""
    found = []
    for entry in results.runs:
        rows = _fingerprints(results, [entry.run.trial_id])
        seen = set(zip(rows["perturbation"], rows["severity"], strict=True))
        lacking = sorted(
            {one.label for one, _ in entry.cells if (one.perturbation, np.float32(one.severity)) not in seen}
        )
        if lacking:
            named = "any condition" if rows.empty else ", ".join(lacking)
            found.append(f"fold {entry.run.fold}, seed {entry.run.seed} has no fingerprints of {named}")
    return found


def compare_fingerprints(results: StudyResults, reference: StudyResults) -> Compared:
    """Whether an entry's clips looked like a reference run's, fold by fold, within one 8-bit level.

    Networks that are shown other frames or another size cannot have equal fingerprints; that is a warning.
    """
    views = [{name: (one.study.get("clip") or {}).get(name) for name in VIEW} for one in (results, reference)]
    if views[0] != views[1]:
        mine, wanted = views
        changed = ", ".join(f"{name} {mine[name]} not {wanted[name]}" for name in VIEW if mine[name] != wanted[name])
        warning = f"clips are shown otherwise than in the reference ({changed}): fingerprints were not compared"
        return Compared((), (warning,))
    problems: list[str] = []
    unknown = []
    for run in (entry.run for entry in results.runs):
        name = f"fold {run.fold}, seed {run.seed}"
        own, theirs = _fingerprints(results, [run.trial_id]), _of_fold(reference, run.fold)
        both = own.merge(theirs, on=KEY, suffixes=("_own", "_reference"))
        problems += _different(both, name)
        if both.empty and len(own):
            unknown.append(f"{name}: the reference has no fingerprints of these clips to compare with")
    return Compared(tuple(problems), tuple(unknown))


def _different(both: pd.DataFrame, name: str) -> list[str]:
    """The conditions under which clips differ, each with the clip that differs most."""
    if both.empty:
        return []
    gaps = np.abs(np.stack(both["values_own"].to_list()) - np.stack(both["values_reference"].to_list())).max(axis=1)
    both = both.assign(gap=gaps)[gaps > LEVELS].sort_values(["gap", *KEY], ascending=[False, *(True for _ in KEY)])
    worst = [rows for _, rows in both.groupby(["perturbation", "severity"], sort=False)]
    found = []
    for rows in worst[:SHOWN]:
        first = rows.iloc[0]
        condition = Condition(perturbation=str(first["perturbation"]), severity=float(first["severity"]))
        gap = f"differs from the reference's by {first['gap']:.1f} levels ({len(rows)} of its clips differ)"
        found.append(f"{name}, {condition.label}: clip {first['clip_id']} {gap}")
    if len(worst) > SHOWN:
        found.append(f"{name}: clips differ under {len(worst) - SHOWN} more conditions")
    return found


def _of_fold(results: StudyResults, fold: int) -> pd.DataFrame:
    """Fingerprints of all runs of a fold, each clip and condition once: they do not depend on the network."""
    trials = [entry.run.trial_id for entry in results.runs if entry.run.fold == fold]
    return _fingerprints(results, trials).drop_duplicates(subset=KEY)


def _fingerprints(results: StudyResults, trials: Iterable[str]) -> pd.DataFrame:
    version = results.suite.version
    return read_many((path for one in trials for path in results.units[one].fingerprints(version)), FINGERPRINTS)
