"""A study being run: its brain on its storage, the tasks that workers are sent, and its tables when it is over."""

from __future__ import annotations

import json
from dataclasses import dataclass

import pandas as pd

from harness.paths import RunPaths
from harness.plan import Unit, search_folds
from harness.schedule.brain import Asks, Brain, Score, key
from harness.schedule.cluster.mirror import Mirror
from harness.schedule.cluster.mirrored import Storage
from harness.schedule.epochs_table import epochs_of
from harness.schedule.remembered import RememberedScores
from harness.schedule.search.search_scores import SearchScores
from harness.schedule.search.search_table import search_rows
from harness.spec.load import dump_study
from harness.spec.study import StudySpec
from harness.tables import schema, store
from harness.tables.temporary import sweep
from harness.train.preflight import Prepared
from harness.train.unit import Task, is_finished, read_record, result_of

NOT_RUN = {"status": "missing", "error": "", "selected_epoch": None, "val_war": None, "val_uar": None}
RECORD_COLUMNS = (
    "status", "error", "selected_epoch", "val_war", "val_uar", "parameters", "macs", "seconds", "peak_memory_mb",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Session:
    """A study, where its results go, and what it runs on."""

    study: StudySpec
    run: RunPaths
    prepared: Prepared
    device: str
    mirror: Mirror | None = None

    def brain(self) -> Brain:
        """The study's state machine on what storage already holds."""
        self.run.units.mkdir(parents=True, exist_ok=True)
        sweep(self.run.units, *(folder for folder in self.run.units.iterdir() if folder.is_dir()))
        store.write_text(dump_study(self.study), self.run.study_file)
        searched = [name for name, method in self.study.methods.items() if method.search]
        return Brain(
            study=self.study,
            dataset=self.prepared.dataset,
            askers=self._askers(searched),
            is_finished=self._is_finished,
            score=self._remembered(),
            further=self.scores.further,
            clips=self._training_clips() if searched else {},
        )

    def _training_clips(self) -> dict[int, int]:
        return {fold: len(self.prepared.source.fold(fold).train) for fold in search_folds(self.study)}

    def _is_finished(self, unit: Unit) -> bool:
        """Whether nothing of a unit is left to do; what is finished on the mirror alone is fetched."""
        task = self.task(unit)
        if self.mirror is not None and not is_finished(task):
            self.mirror.bring_unit(unit.trial.trial_id)
        return is_finished(task)

    def gone(self, brain: Brain) -> list[str]:
        """Trials that have ended with a result and are not on storage any more: another driver put them aside."""
        ended = (unit for name, unit in brain.units.items() if name not in brain.failed)
        return [unit.trial.trial_id for unit in ended if not self._is_finished(unit)]

    @property
    def storage(self) -> Storage:
        """Where workers mirror results."""
        return Storage(self.mirror.uri) if self.mirror else Storage()

    @property
    def scores(self) -> SearchScores:
        """What the search reads of finished units."""
        return SearchScores(
            study=self.study,
            num_classes=len(self.prepared.source.classes),
            find=lambda unit: result_of(self.task(unit)),
        )

    def _remembered(self) -> Score:
        """The first objective, computed once for each finished training where its predictions' digest is recorded."""
        metric = self.study.search.objectives[0] if self.study.search else "uar"
        if metric not in {"uar", "war"}:
            return self.scores.score
        return RememberedScores(
            self.run.remembered, self.scores.score, lambda unit: self.run.unit(unit.trial.trial_id), metric
        )

    def _askers(self, methods: list[str]) -> dict[str, Asks]:
        """Optuna is imported only for a study that searches."""
        if not methods:
            return {}
        from harness.schedule.search.asking import Asker, open_journal

        dataset, journal = self.prepared.dataset, open_journal(self.run.journal)
        return {name: Asker(self.study, dataset, name, journal) for name in methods}

    def task(self, unit: Unit) -> Task:
        """What a worker is sent for a unit; a search unit carries no test conditions."""
        conditions = self.study.stress.conditions if unit.phase == "confirm" else ()
        asked = self.study.resources_of(unit.method)
        return Task(
            trial=unit.trial,
            conditions=conditions,
            repeats=self.study.stress.repeats,
            audit=self.study.stress.audit and unit.phase == "confirm",
            features=self.study.stress.features and unit.phase == "confirm",
            val_conditions=self.scores.val_conditions if unit.phase == "search" else (),
            stop_after=unit.stop_after,
            units=str(self.run.units.absolute()),
            manifest=str(self.run.manifest.absolute()),
            pack=str(self.prepared.pack.absolute()),
            checkpoint=self.study.methods[unit.method].pretrained,
            threads=max(1, int(asked.cpus)),
            device=self.device if asked.on_gpu else "cpu",
        )

    def write_tables(self, brain: Brain) -> pd.DataFrame:
        """Write the study's trials and epochs tables; the trials table is returned."""
        trials = pd.DataFrame([self._row(unit, brain) for unit in brain.units.values()])
        store.write(trials, schema.TRIALS, self.run.table("trials"))
        ids = sorted(set(trials.loc[trials["status"] == "done", "trial_id"]))
        store.write(epochs_of(self.run, ids), schema.EPOCHS, self.run.table("epochs"))
        if brain.searches:
            store.write(search_rows(self.study, brain.searches), schema.SEARCH, self.run.table("search"))
            self._write_importances()
        return trials

    def _write_importances(self) -> None:
        """Optuna is imported only for a study that searches."""
        from harness.schedule.search.asking_importance import write_importances

        write_importances(self.run, self.study)

    def _row(self, unit: Unit, brain: Brain) -> dict[str, object]:
        paths = self.run.unit(unit.trial.trial_id) if unit.stop_after is None else result_of(self.task(unit))
        record = read_record(paths) if paths is not None and paths.record.exists() else dict(NOT_RUN)
        if key(unit) in brain.failed:
            record = {**record, "status": "failed", "error": brain.failed[key(unit)]}
        created = record.get("created_at")
        return {
            "study": self.study.name,
            "method": unit.method,
            "phase": unit.phase,
            "configuration": unit.configuration,
            "chosen": brain.chosen.get(unit.method) == unit.configuration,
            "dataset": self.study.dataset.name,
            "fold": unit.trial.fold,
            "seed": unit.trial.seed,
            "trial_id": unit.trial.trial_id,
            "recipe": json.dumps(unit.trial.recipe.model_dump(mode="json"), sort_keys=True),
            "searched": json.dumps(unit.values, sort_keys=True),
            **{name: record.get(name) for name in RECORD_COLUMNS},
            "device": record.get("device"),
            "versions": json.dumps(record.get("versions", {}), sort_keys=True),
            "git_commit": record.get("git_commit"),
            "created_at": pd.Timestamp(created) if created else pd.NaT,
        }
