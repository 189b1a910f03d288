"""``dferbench leaderboard RUN...``: the methods of several runs and entries on one board."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from harness.errors import HarnessError
from harness.paths import RunPaths
from harness.report.augmentations import declared
from harness.report.calibration_table import calibrated
from harness.report.declarations import DECLARED, HONEST, SELECTION, entry_manifest
from harness.report.design_cautions import view_cautions
from harness.report.findings import analyse
from harness.report.latex import latex
from harness.report.leaderboard import csv, markdown
from harness.report.metrics_table import metrics_table
from harness.report.page import page
from harness.report.page_sections import Measured
from harness.report.paper_tables import write_paper_tables
from harness.report.published import published_markdown
from harness.report.robustness_table import robustness_table
from harness.report.selection import selection_markdown
from harness.report.study_results import StudyResults, method_order, read_results
from harness.seeds import digest
from harness.stats.aggregate import CLEAN_SCOPE
from harness.stats.gather import RunOutcomes, align
from harness.tables.store import write_text

Meaning = tuple[str, frozenset[str]]
"""A method's name with the trials that it stands for."""
DIGITS = 6
"""Of the hash that tells two runs of one study's name apart."""


class MergedBoard(NamedTuple):
    """A leaderboard of several runs and the files that hold it."""

    leaderboard: pd.DataFrame
    markdown: str
    md_path: Path
    csv_path: Path
    tex_path: Path
    html_path: Path


def merge_leaderboards(
    runs: Sequence[RunPaths], folder: Path, replicates: int = 2000, by: str = CLEAN_SCOPE
) -> MergedBoard:
    """Compare the methods of several runs of one data set, and write the board as Markdown, CSV, LaTeX and HTML.

    Class recalls, confusions, robustness and cost are written beside it (``paper_tables``). ``by`` is the scope whose
    UAR methods are ranked by: ``clean`` or ``perturbed``.

    Raises:
        HarnessError: if no run is given, nothing was tested in that scope, or they differ in data set or perturbation
            suite.
    """
    if not runs:
        raise HarnessError("Name at least one run whose methods are to be on the leaderboard.")
    parts = [read_results(run) for run in runs]
    results = merged(parts)
    findings = analyse(results, replicates, by)
    notes = [*findings.reading_notes, *(f"Note: {one}" for one in findings.cautions)]
    text = markdown(findings.board, results.question, notes) + selection_markdown(findings.selection)
    text += published_markdown(results.dataset)
    metrics = pd.concat([metrics_table(part) for part in parts], ignore_index=True).drop_duplicates()
    files = {name: folder / f"leaderboard.{name}" for name in ("md", "csv", "tex", "html")}
    write_text(text, files["md"])
    write_text(csv(findings.board), files["csv"])
    write_text(latex(findings.board, findings.scoped, results.outcomes.methods), files["tex"])
    measured = Measured(metrics, calibrated(results, replicates), robustness_table(results, findings))
    write_text(page(results, findings, measured), files["html"])
    write_paper_tables(results, measured.robustness, folder)
    return MergedBoard(findings.board, text, files["md"], files["csv"], files["tex"], files["html"])


def merged(parts: Sequence[StudyResults]) -> StudyResults:
    """The methods of several studies as one study's results, on the conditions that all of them tested.

    A method that means the same trials in two studies is taken once, with the declarations of both; one that means
    different ones is named with its study, and studies of one name are noted with the folder of each.

    Raises:
        HarnessError: if the data sets' fingerprints, the suites' versions or the sources of perturbations of other
            packages differ.
    """
    if len(parts) == 1:
        return parts[0]
    first = parts[0]
    for other in parts[1:]:
        _require_same("data set", first, other, first.dataset["fingerprint"], other.dataset["fingerprint"])
        _require_same("perturbation suite", first, other, first.suite.version, other.suite.version)
        for condition in set(first.suite.by_condition) & set(other.suite.by_condition):
            codes = (part.suite.by_condition[condition].code for part in (first, other))
            _require_same(f"source of the perturbation '{condition.perturbation}'", first, other, *codes)
    named = _distinctly_named(parts)
    runs: list[RunOutcomes] = [entry for part in named for entry in part.runs]
    trials = pd.concat([part.trials for part in named], ignore_index=True)
    methods = [name for part in named for name in method_order(part.study, part.confirmed)]
    conditions = set.intersection(*({entry.condition for entry in part.suite.conditions} for part in named))
    names = ", ".join(part.run.study for part in parts)
    outcomes = align(runs, first.dataset["classes"], methods)
    declarations = {name: part.study["methods"][name] for part in named for name in part.study["methods"]}
    return replace(
        first,
        study={"question": f"How do the methods of {names} compare?", "methods": declarations},
        suite=first.suite.restricted_to(tuple(conditions)),
        trials=trials,
        confirmed=pd.concat([part.confirmed for part in named], ignore_index=True),
        units={trial_id: unit for part in named for trial_id, unit in part.units.items()},
        runs=tuple(runs),
        outcomes=replace(outcomes, notes=(*outcomes.notes, *view_cautions(parts), *_of_one_name(named))),
    )


def _of_one_name(named: Sequence[StudyResults]) -> list[str]:
    """Where the methods come from of studies that share a name."""
    counts = Counter(part.run.study for part in named)
    return [
        f"Study '{part.run.study}' of {part.run.root} is one of {counts[part.run.study]} of that name; it has "
        f"{', '.join(part.study['methods']) or 'no method that others have not'}."
        for part in named
        if counts[part.run.study] > 1
    ]


def _distinctly_named(parts: Sequence[StudyResults]) -> list[StudyResults]:
    """Studies whose method names mean one thing each, and in which no trial occurs twice."""
    meanings = [_meanings(part) for part in parts]
    labels, said = _labels(parts, meanings), _united(parts, meanings)
    seen: set[Meaning] = set()
    found = []
    for part, own in zip(parts, meanings, strict=True):
        keep = [meaning for meaning in own.items() if meaning not in seen]
        seen.update(keep)
        names = {meaning[0]: labels[meaning] for meaning in keep}
        found.append(_renamed(part, names, {labels[meaning]: said[meaning] for meaning in keep}))
    return found


def _labels(parts: Sequence[StudyResults], meanings: Sequence[dict[str, frozenset[str]]]) -> dict[Meaning, str]:
    """A name for every meaning that no other has, whichever order the runs are named in.

    It is the method's own, with its study where other trials have that name, too, and with the first digits of a hash
    of its trials where those are of a study of the same name.
    """
    studies: dict[Meaning, str] = {}
    for part, own in zip(parts, meanings, strict=True):
        for meaning in own.items():
            studies[meaning] = min(studies.get(meaning, part.run.study), part.run.study)
    names = Counter(name for name, _ in studies)
    places = Counter((name, study) for (name, _), study in studies.items())
    labels = {}
    for (name, trials), study in studies.items():
        which = f", {digest(sorted(trials), DIGITS)}" if places[name, study] > 1 else ""
        labels[name, trials] = f"{name} ({study}{which})" if names[name] > 1 else name
    return labels


def _meanings(part: StudyResults) -> dict[str, frozenset[str]]:
    """The trials that each method's name stands for."""
    return {str(name): frozenset(own["trial_id"]) for name, own in part.confirmed.groupby("method")}


def _united(
    parts: Sequence[StudyResults], meanings: Sequence[dict[str, frozenset[str]]]
) -> dict[Meaning, dict[str, Any]]:
    """What is declared of each method by all that hold its trials: every augmentation, and the least honest selection.

    A declaration is of the trials, so it holds wherever they are shown, in whichever order the runs are named.
    """
    united: dict[Meaning, dict[str, Any]] = {}
    for part, own in zip(parts, meanings, strict=True):
        augmented, rule = declared(part), entry_manifest(part.run).get(SELECTION, HONEST[0])
        for meaning in own.items():
            before = united.get(meaning, {SELECTION: rule, DECLARED: []})
            names = sorted({*before[DECLARED], *augmented.get(meaning[0], ())})
            worst = max(before[SELECTION], rule, key=lambda one: (one not in HONEST, one != HONEST[0], one))
            united[meaning] = {SELECTION: worst, DECLARED: names}
    return united


def _renamed(part: StudyResults, names: dict[str, str], said: dict[str, dict[str, Any]]) -> StudyResults:
    """A study with some of its methods, under other names and with what is declared of each under its new name."""
    tables = []
    for table in (part.trials, part.confirmed):
        kept = table[table["method"].isin(list(names))].copy()
        kept["method"] = kept["method"].map(names)
        tables.append(kept)
    runs = [
        RunOutcomes(run=replace(entry.run, method=names[entry.run.method]), cells=entry.cells)
        for entry in part.runs
        if entry.run.method in names
    ]
    order = [names[name] for name in method_order(part.study, part.confirmed) if name in names]
    study = part.study | {"methods": {name: said[name] for name in order}}
    return replace(part, study=study, trials=tables[0], confirmed=tables[1], runs=tuple(runs))


def _require_same(what: str, first: StudyResults, other: StudyResults, one: str, two: str) -> None:
    if one != two:
        studies = f"{first.run.study} ({one}) and {other.run.study} ({two})"
        raise HarnessError(f"{studies} differ in their {what}; their numbers cannot be on one leaderboard.")
