"""Where artefacts live; nobody else joins paths."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path


def cache_folder() -> Path:
    """Where generated data and packed clips are kept: ``DFERBENCH_CACHE``, else the user's cache folder."""
    configured = os.environ.get("DFERBENCH_CACHE")
    if configured:
        return Path(configured).expanduser().absolute()
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache").absolute() / "dferbench"


def synthetic_sets_folder() -> Path:
    """All embedded data sets that were drawn."""
    return cache_folder() / "synthetic"


def synthetic_folder(size: str, seed: int, version: int) -> Path:
    """The embedded data set of a size, in DFEW's layout."""
    return synthetic_sets_folder() / f"{size}-seed{seed}-v{version}"


def packs_folder() -> Path:
    """All packed clips."""
    return cache_folder() / "packs"


def pack_folder(fingerprint: str, size: int, max_frames: int) -> Path:
    """The packed clips of a data set at a side length."""
    return packs_folder() / f"{fingerprint}-{size}px-{max_frames}f"


@dataclass(frozen=True, slots=True)
class UnitPaths:
    """One trial's folder: published whole by the fit, added to by each evaluation pass."""

    folder: Path

    @property
    def spec(self) -> Path:
        """The trial's specification, for people."""
        return self.folder / "trial.json"

    @property
    def record(self) -> Path:
        """What the fit reports: status, selected epoch, cost, provenance."""
        return self.folder / "record.json"

    @property
    def epochs(self) -> Path:
        """The epochs table."""
        return self.folder / "epochs.parquet"

    @property
    def checkpoint(self) -> Path:
        """Weights of the selected epoch."""
        return self.folder / "checkpoint.pt"

    def weights(self, epoch: int) -> Path:
        """Weights of an epoch that was not selected, which the selection audit keeps."""
        return self.folder / f"checkpoint-epoch-{epoch}.pt"

    @staticmethod
    def is_weights(name: str) -> bool:
        """Whether a file of a finished trial holds weights: large, and needed for evaluations alone."""
        return name.endswith(".pt")

    @property
    def elsewhere(self) -> Path:
        """An empty file that says that the weights are on the run's mirror and not here."""
        return self.folder / "checkpoint.elsewhere"

    def predictions(self, name: str) -> Path:
        """Predictions by name; ``val`` is written by the fit."""
        return self.folder / f"predictions-{name}.parquet"

    def test_predictions_file(self, suite_version: str, name: str) -> Path:
        """The predictions of one evaluation pass on test clips."""
        return self.predictions(f"test-v{suite_version}-{name}")

    def test_predictions(self, suite_version: str) -> list[Path]:
        """Every evaluation pass made with one version of the perturbations, sorted by name."""
        return sorted(self.folder.glob(f"predictions-test-v{suite_version}-*.parquet"))

    def val_predictions_file(self, suite_version: str, name: str) -> Path:
        """The predictions of one evaluation pass on perturbed validation clips."""
        return self.predictions(f"val-v{suite_version}-{name}")

    def val_predictions(self, suite_version: str) -> list[Path]:
        """Every pass on perturbed validation clips made with one version of the perturbations, sorted by name."""
        return sorted(self.folder.glob(f"predictions-val-v{suite_version}-*.parquet"))

    @property
    def audit(self) -> Path:
        """Clean test accuracy after every epoch (confirmed trials only)."""
        return self.folder / "audit.parquet"

    def audit_predictions_file(self, suite_version: str, name: str) -> Path:
        """The test predictions of one evaluation pass of the epochs that were not selected, by ``selection``."""
        return self.predictions(f"audit-v{suite_version}-{name}")

    def audit_predictions(self, suite_version: str) -> list[Path]:
        """Test predictions of the epochs that were not selected, sorted by name.

        Runs of before 2026-11-24 have them for clean clips alone, in one file without a version.
        """
        found = sorted(self.folder.glob(f"predictions-audit-v{suite_version}-*.parquet"))
        older = self.predictions("audit")
        return found or [path for path in [older] if path.exists()]

    @property
    def audit_val_predictions(self) -> Path:
        """Clean validation logits of the epochs that were not selected, by ``selection``."""
        return self.predictions("audit-val")

    @property
    def features(self) -> Path:
        """Pooled features of the clean test clips, if the study stores them."""
        return self.folder / "features.parquet"

    def fingerprints_file(self, suite_version: str, name: str) -> Path:
        """Fingerprints of perturbed clips, beside the predictions of the same evaluation pass."""
        return self.folder / f"fingerprints-v{suite_version}-{name}.parquet"

    @property
    def failure(self) -> Path:
        """Why a trial has no result, beside the trial's folder; gone when the trial is tried again."""
        return self.folder.with_name(f"{self.folder.name}.failed.json")

    def fingerprints(self, suite_version: str) -> list[Path]:
        """The fingerprints of every evaluation pass made with one version of the perturbations, sorted by name."""
        return sorted(self.folder.glob(f"fingerprints-v{suite_version}-*.parquet"))

    @property
    def resume(self) -> Path:
        """State of an unfinished training, from which it goes on; lies beside the trial's folder, not in it."""
        return self.folder.with_name(f"{self.folder.name}.resume.pt")

    @property
    def halts(self) -> Path:
        """Folder of what a training left when it was halted; beside the trial's, which only a finished training has."""
        return self.folder.with_name(f"{self.folder.name}.stopped")

    def stopped(self, epoch: int) -> UnitPaths:
        """What a training left that was halted after an epoch."""
        return UnitPaths(self.halts / f"epoch-{epoch}")

    def all_stopped(self) -> dict[int, UnitPaths]:
        """Every halt of this training by epoch, the furthest first."""
        epochs = sorted((int(path.name.removeprefix("epoch-")) for path in self.halts.glob("epoch-*")), reverse=True)
        return {epoch: self.stopped(epoch) for epoch in epochs}

    def quarantine(self, stamp: str) -> Path:
        """Where damaged files of this trial are put aside: a hidden folder beside the trial's."""
        return self.folder.with_name(f".{self.folder.name}.quarantined-{stamp}")


@dataclass(frozen=True, slots=True)
class RunPaths:
    """A runs folder: trials shared by all studies, and a folder per study."""

    root: Path
    study: str

    @property
    def units(self) -> Path:
        """All trials of all studies, by trial id."""
        return self.root / "units"

    def unit(self, trial_id: str) -> UnitPaths:
        """One trial."""
        return UnitPaths(self.units / trial_id)

    @property
    def folder(self) -> Path:
        """What belongs to this study alone."""
        return self.root / self.study

    @property
    def lock(self) -> Path:
        """Held by the driver."""
        return self.folder / ".lock"

    @property
    def progress(self) -> Path:
        """How far the driver is, written at most once a second."""
        return self.folder / "progress.json"

    @property
    def wanted(self) -> Path:
        """A line per trial that the study asks for, in the order in which it came to ask for them."""
        return self.folder / "wanted.jsonl"

    @property
    def stop_request(self) -> Path:
        """Asks the driver, wherever it runs, to end."""
        return self.folder / ".stop"

    @property
    def tensorboard(self) -> Path:
        """Curves of every trial, for ``tensorboard --logdir``."""
        return self.folder / "tensorboard"

    @property
    def journal(self) -> Path:
        """Optuna's journal of asked configurations."""
        return self.folder / "search.journal"

    @property
    def remembered(self) -> Path:
        """Scores of search trials that were computed before; deleting it loses nothing but time."""
        return self.folder / "scores.jsonl"

    @property
    def study_file(self) -> Path:
        """The study as it was run."""
        return self.folder / "study.yaml"

    @property
    def dataset_file(self) -> Path:
        """Classes, folds and counts of the data set, for the report."""
        return self.folder / "dataset.json"

    @property
    def manifest(self) -> Path:
        """Ids, labels, groups and folds of the clips, for workers."""
        return self.folder / "manifest.json"

    @property
    def suite_file(self) -> Path:
        """The conditions tested, with their families and titles, for the report."""
        return self.folder / "suite.json"

    def table(self, name: str) -> Path:
        """A parquet table of the study."""
        return self.folder / "tables" / f"{name}.parquet"

    def output(self, name: str) -> Path:
        """A file for people: leaderboard.md, leaderboard.csv, report.html."""
        return self.folder / name
