"""From prediction files to outcomes: the folds, clips and conditions that all methods share, and what was left out."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import Int8, Int16

from harness.errors import HarnessError, NothingToReportError
from harness.spec.trial import CLEAN_CONDITION, Condition
from harness.stats.logits import Predictions, coded, members, read_predictions
from harness.stats.outcomes import FoldOutcomes, Outcomes, Run
from harness.tables.selections import RANKED

HEADLINE = (RANKED, "selected", "val")
"""Names of the selection rule whose numbers are ranked, where a file holds several."""

Cell = tuple[Condition, int]
"""A condition and the repeat of its random draw."""


class Named(NamedTuple):
    """The clips of one evaluation, sorted by id, and the class a run named for each."""

    clip_ids: np.ndarray
    groups: np.ndarray
    labels: Int16[np.ndarray, " n"]
    predicted: Int8[np.ndarray, " n"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOutcomes:
    """A run and its evaluations."""

    run: Run
    cells: dict[Cell, Named]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a study asked for; a trial's folder may hold more, because studies share trials.

    Attributes:
        num_classes: width of the logits.
        conditions: conditions of the study, the clean one included.
        repeats: repeats of each random draw.
    """

    num_classes: int
    conditions: frozenset[Condition]
    repeats: int = 1


def read_run(run: Run, paths: Iterable[Path], wanted: Wanted) -> RunOutcomes:
    """The test evaluations of one run that the study asked for, from its prediction files.

    Raises:
        HarnessError: if there is no test prediction on clean clips.
    """
    return read_run_by_rule(run, paths, wanted, (None,))[0]


def read_run_by_rule(run: Run, paths: Iterable[Path], wanted: Wanted, rules: Sequence[str | None]) -> list[RunOutcomes]:
    """As ``read_run``, under each of several selection rules (None: the headline's); each file is read once.

    Raises:
        HarnessError: if there is no test prediction on clean clips under one of them.
    """
    cells: list[dict[Cell, Named]] = [{} for _ in rules]
    for path in paths:
        predictions = read_predictions(path, wanted.num_classes)
        for rule, own in zip(rules, cells, strict=True):
            own.update(run_cells(predictions, rule))
    if any((CLEAN_CONDITION, 0) not in own for own in cells):
        raise HarnessError(f"Trial {run.trial_id} ({run.method}, fold {run.fold}) has no clean test predictions.")
    return [RunOutcomes(run=run, cells=_asked_for(own, wanted)) for own in cells]


def _asked_for(cells: dict[Cell, Named], wanted: Wanted) -> dict[Cell, Named]:
    return {cell: named for cell, named in cells.items() if cell[0] in wanted.conditions and cell[1] < wanted.repeats}


def run_cells(predictions: Predictions, rule: str | None = None) -> dict[Cell, Named]:
    """The test evaluations of one predictions table under a selection rule; under the headline's if None."""
    rows, logits = predictions
    test = rows["split"] == "test"
    if not test.any():
        return {}
    if rule is None:
        rule = headline(rows.loc[test, "selection"].unique().tolist())
    keep = (test & (rows["selection"] == rule)).to_numpy()
    rows = rows[keep].reset_index(drop=True)
    named = logits[keep].argmax(axis=1).astype(np.int8)
    clips, labels = coded(rows["clip_id"]), rows["label"].to_numpy(dtype=np.int16)
    cells: dict[Cell, Named] = {}
    tested = np.empty(0, dtype=np.int64)
    before: Named | None = None
    for (name, severity, repeat), own in members(rows, ["perturbation", "severity", "repeat"]).items():
        order = own[np.argsort(clips.codes[own], kind="stable")]
        again = before is not None and np.array_equal(clips.codes[order], tested)
        tested = clips.codes[order]
        if before is None or not again or not np.array_equal(labels[order], before.labels):
            clip_ids = clips.values[tested].astype(object)
            before = Named(clip_ids, _groups(rows["group"].iloc[order], clip_ids), labels[order], named[order])
        cells[Condition(perturbation=name, severity=float(severity)), int(repeat)] = before._replace(
            predicted=named[order]
        )
    return cells


def _groups(column: pd.Series, clip_ids: np.ndarray) -> np.ndarray:
    """Each clip's group; the clip itself where none is known."""
    groups = column.to_numpy(dtype=object)
    unknown = column.isna().to_numpy() | (groups == "")
    return np.where(unknown, clip_ids, groups)


def headline(selections: Sequence[str]) -> str:
    """The selection rule whose numbers are ranked: the only one, or the one that looks at validation clips."""
    if len(selections) == 1:
        return selections[0]
    known = [name for name in HEADLINE if name in selections]
    if not known:
        raise HarnessError(f"None of the selections {sorted(selections)} is chosen on validation clips.")
    return known[0]


def align(runs: Sequence[RunOutcomes], classes: Sequence[str], methods: Sequence[str]) -> Outcomes:
    """What all methods share, and a note for everything left out.

    Methods without any run are left out; of the others, the folds that all have, the conditions and repeats that all
    runs have, and within each fold the clips that all evaluations have.

    Raises:
        HarnessError: if no method has a run, no fold is shared, or a clip's label differs between runs.
    """
    present = [method for method in methods if any(entry.run.method == method for entry in runs)]
    notes = [f"{method} has no finished run and is not shown." for method in methods if method not in present]
    if not present:
        raise NothingToReportError("No method has a finished run with predictions, so there is nothing to report yet.")
    folds = _shared_folds(runs, present, notes)
    layout = _layout(runs, notes)
    return Outcomes(
        classes=tuple(classes),
        methods=tuple(present),
        conditions=tuple(layout),
        folds=tuple(_fold([entry for entry in runs if entry.run.fold == fold], layout, notes) for fold in folds),
        draws=tuple(tuple(repeat for _, repeat in cells) for cells in layout.values()),
        notes=tuple(notes),
    )


def _shared_folds(runs: Sequence[RunOutcomes], methods: Sequence[str], notes: list[str]) -> list[int]:
    folds = {method: {entry.run.fold for entry in runs if entry.run.method == method} for method in methods}
    shared = set.intersection(*folds.values())
    if not shared:
        listed = "; ".join(f"{name}: {sorted(own)}" for name, own in folds.items())
        raise HarnessError(f"The methods have no fold in common ({listed}), so they cannot be compared.")
    notes.extend(
        f"Fold {fold} is left out: it is missing for {', '.join(name for name in methods if fold not in folds[name])}."
        for fold in sorted(set.union(*folds.values()) - shared)
    )
    return sorted(shared)


def _layout(runs: Sequence[RunOutcomes], notes: list[str]) -> dict[Condition, list[Cell]]:
    """Each shared condition's cells, equally many for all: clean clips have one draw, which stands for every repeat."""
    shared = set.intersection(*(set(entry.cells) for entry in runs))
    lost = sorted({cell[0].label for entry in runs for cell in entry.cells} - {cell[0].label for cell in shared})
    if lost:
        notes.append(f"Left out because not every run was tested under them: {', '.join(lost)}.")
    ordered = sorted(
        {cell[0] for cell in shared}, key=lambda one: (one != CLEAN_CONDITION, one.perturbation, one.severity)
    )
    cells = {
        condition: sorted((cell for cell in shared if cell[0] == condition), key=lambda cell: cell[1])
        for condition in ordered
    }
    fewest = min((len(own) for condition, own in cells.items() if condition != CLEAN_CONDITION), default=1)
    return {condition: [own[repeat % len(own)] for repeat in range(fewest)] for condition, own in cells.items()}


def _fold(runs: Sequence[RunOutcomes], layout: dict[Condition, list[Cell]], notes: list[str]) -> FoldOutcomes:
    runs = sorted(runs, key=lambda entry: (entry.run.method, entry.run.seed))
    tables = [[[entry.cells[cell] for cell in row] for row in layout.values()] for entry in runs]
    flat = [table for by_condition in tables for row in by_condition for table in row]
    first, number = flat[0], runs[0].run.fold
    shared = _shared_clips(flat, number, notes)
    keep = among(first, shared)
    labels = first.labels[keep]
    for table in flat:
        _require_same_labels(table, shared, labels, number)
    chosen = [[[table.predicted[among(table, shared)] for table in row] for row in one] for one in tables]
    return FoldOutcomes(
        fold=number,
        runs=tuple(entry.run for entry in runs),
        clip_ids=first.clip_ids[keep],
        groups=first.groups[keep],
        labels=labels.astype(np.int64),
        predicted=np.array(chosen, dtype=np.int8),
    )


def _shared_clips(tables: Sequence[Named], fold: int, notes: list[str]) -> np.ndarray:
    first = tables[0].clip_ids
    if all(table.clip_ids is first or np.array_equal(table.clip_ids, first) for table in tables):
        return first
    shared = set(first).intersection(*(table.clip_ids for table in tables))
    seen = set(first).union(*(table.clip_ids for table in tables))
    notes.append(
        f"Fold {fold}: {len(seen) - len(shared)} of {len(seen)} clips are left out: not every run was tested on them."
    )
    if not shared:
        raise HarnessError(f"Fold {fold}: no clip was tested by every run, so they cannot be compared.")
    return np.array(sorted(shared), dtype=object)


def among(table: Named, shared: np.ndarray) -> np.ndarray | slice:
    """Which of a table's sorted clips are shared; all of them, without looking, where there are as many."""
    return slice(None) if len(table.clip_ids) == len(shared) else np.isin(table.clip_ids, shared)


def _require_same_labels(table: Named, shared: np.ndarray, labels: Int16[np.ndarray, " n"], fold: int) -> None:
    own = table.labels[among(table, shared)]
    if not np.array_equal(own, labels):
        clip = shared[int(np.flatnonzero(own != labels)[0])]
        raise HarnessError(f"Fold {fold}: clip {clip} has different labels in different runs; they saw different data.")
