"""Where the numbers come from, and how to get them again."""

import json
import shlex

from harness import __version__
from harness.report.study_results import StudyResults


def provenance(results: StudyResults) -> list[tuple[str, str]]:
    """Names and values for the report's last table."""
    trials = results.confirmed
    versions = sorted(set(trials["versions"].dropna()))
    dataset = results.dataset
    facts = [
        ("Study", results.run.study),
        ("Reproduce", _again(results)),
        ("dferbench", __version__),
        ("Code commit", _listed(trials["git_commit"].dropna().unique().tolist())),
        ("Data set", f"{dataset['title']} ({dataset['name']}), fingerprint {dataset['fingerprint']}"),
        ("Perturbation suite", f"version {results.suite.version}"),
        ("Folds", _listed(sorted(trials["fold"].unique().tolist()))),
        ("Seeds", _listed(sorted(trials["seed"].unique().tolist()))),
        ("Devices", _listed(trials["device"].dropna().unique().tolist())),
        ("Training time", f"{results.trials['seconds'].sum() / 3600:.2f} hours over all trials of the study"),
        ("Trained between", _span(results)),
    ]
    facts.extend(
        (f"Versions {index}" if len(versions) > 1 else "Versions", _pairs(text))
        for index, text in enumerate(versions, 1)
    )
    return facts


def _again(results: StudyResults) -> str:
    """The command for each study shown (a merged board has several), and where it works."""
    studies = sorted({results.run.study, *results.confirmed["study"].dropna()})
    runs = results.run.root.absolute().name
    commands = "; ".join(shlex.join(["dferbench", "run", f"{runs}/{study}"]) for study in studies)
    return f"{commands} (in the folder that {runs} lies in; the study file is kept with the results)"


def _listed(values: list[object]) -> str:
    return ", ".join(str(value) for value in values) or "not recorded"


def _pairs(text: str) -> str:
    return ", ".join(f"{name} {version}" for name, version in sorted(json.loads(text).items()))


def _span(results: StudyResults) -> str:
    created = results.trials["created_at"].dropna()
    if created.empty:
        return "not recorded"
    first, last = (f"{moment:%Y-%m-%d %H:%M}" for moment in (created.min(), created.max()))
    return f"{first} and {last} UTC"
