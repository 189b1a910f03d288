"""A small run folder made through the real table writers, with known skills instead of trained networks."""

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import yaml

from harness.paths import RunPaths, UnitPaths
from harness.seeds import derive, digest
from harness.spec.trial import CLEAN_CONDITION, Condition
from harness.tables.schema import AUDIT, EPOCHS, FINGERPRINT_VALUES, FINGERPRINTS, TRIALS, features, predictions
from harness.tables.store import write, write_text

CLASSES = ("Happy", "Sad", "Neutral", "Angry", "Surprise", "Disgust", "Fear")
SHARES = (0.21, 0.16, 0.23, 0.19, 0.13, 0.02, 0.06)
PERTURBATIONS = {
    "brightness": ("illumination", "yes", "Brightness"),
    "contrast": ("illumination", "yes", "Contrast"),
    "gaussian_noise": ("noise", "yes", "Gaussian noise"),
    "gaussian_blur": ("blur", "yes", "Gaussian blur"),
    "frame_drop": ("temporal_loss", "yes", "Frame drop"),
    "global_shuffle": ("temporal_order", "order", "Global shuffle"),
}


@dataclass(frozen=True, kw_only=True)
class Fabrication:
    """What to fabricate. ``skills`` is each method's logit margin on clean clips, in noise standard deviations."""

    skills: dict[str, float] = field(default_factory=lambda: {"hdf": 1.6, "x3d": 1.35, "resnet18_lstm": 0.9})
    folds: tuple[int, ...] = (1, 2)
    seeds: tuple[int, ...] = (0,)
    clips: int = 120
    severities: tuple[int, ...] = (1, 3, 5)
    perturbations: tuple[str, ...] = tuple(PERTURBATIONS)
    seed_noise: float = 0.05
    audit: bool = False
    fingerprints: bool = True
    features: int = 0
    configurations: int = 6

    @property
    def conditions(self) -> list[Condition]:
        perturbed = [Condition(perturbation=p, severity=s) for p in self.perturbations for s in self.severities]
        return [CLEAN_CONDITION, *perturbed]


def fabricate(root: Path, fabrication: Fabrication | None = None, study: str = "fabricated") -> RunPaths:
    """Write a finished study with every file that a report reads."""
    fabrication = fabrication or Fabrication()
    run = RunPaths(root, study)
    rows = [
        _write_trial(run, fabrication, method, fold, seed)
        for method in fabrication.skills
        for fold in fabrication.folds
        for seed in fabrication.seeds
    ]
    rows += _search_rows(run, fabrication)
    write(pd.DataFrame(rows), TRIALS, run.table("trials"))
    write_text(json.dumps(_dataset(fabrication)), run.dataset_file)
    write_text(json.dumps(_suite(fabrication)), run.suite_file)
    methods: dict = {name: {"model": {"name": name}} for name in fabrication.skills}
    methods[_best(fabrication)]["search"] = {"optimizer.sam.rho": {"log_uniform": [0.01, 0.5]}}
    text = {"name": study, "question": "Which of the fabricated methods is best?", "methods": methods}
    write_text(yaml.safe_dump(text, sort_keys=False), run.study_file)
    return run


def labels_of(fabrication: Fabrication, fold: int) -> np.ndarray:
    counts = np.maximum(np.round(np.array(SHARES) * fabrication.clips).astype(int), 2)
    counts[2] += fabrication.clips - counts.sum()
    labels = np.repeat(np.arange(len(CLASSES)), counts)
    return np.random.default_rng(derive("labels", fold)).permutation(labels)


def logits_of(fabrication: Fabrication, method: str, fold: int, seed: int, condition: Condition) -> np.ndarray:
    """Noise shared by all methods plus noise of the run, plus a margin at the label that severity takes away."""
    labels = labels_of(fabrication, fold)
    size = (len(labels), len(CLASSES))
    shared = np.random.default_rng(derive("clip", fold)).normal(size=size)
    own = np.random.default_rng(derive("run", method, fold, seed)).normal(size=size)
    spoilt = np.random.default_rng(derive("spoilt", condition.label, fold)).normal(size=size)
    skill = (
        fabrication.skills[method]
        + fabrication.seed_noise * np.random.default_rng(derive("skill", method, fold, seed)).normal()
    )
    loss = 0.16 if condition.perturbation == "gaussian_noise" else 0.07
    logits = 0.8 * shared + 0.6 * own + 0.15 * condition.severity * spoilt
    logits[np.arange(len(labels)), labels] += skill * (1 - loss * condition.severity)
    return (1.5 * logits).astype(np.float32)


def clip_ids(fabrication: Fabrication, fold: int) -> list[str]:
    return [f"{fold}-{index:05d}" for index in range(fabrication.clips)]


def prediction_rows(fabrication: Fabrication, method: str, fold: int, seed: int, trial_id: str) -> pd.DataFrame:
    frames = []
    for condition in fabrication.conditions:
        frame = pd.DataFrame({"clip_id": clip_ids(fabrication, fold)})
        frame["trial_id"] = trial_id
        frame["selection"] = "validation"
        frame["split"] = "test"
        frame["perturbation"] = condition.perturbation
        frame["severity"] = condition.severity
        frame["repeat"] = 0
        frame["group"] = [f"{fold}-id{index % 20:02d}" for index in range(fabrication.clips)]
        frame["domain"] = "studio"
        frame["label"] = labels_of(fabrication, fold)
        frame["logits"] = list(logits_of(fabrication, method, fold, seed, condition))
        frames.append(frame)
    return pd.concat(frames, ignore_index=True)


def _write_trial(run: RunPaths, fabrication: Fabrication, method: str, fold: int, seed: int) -> dict:
    trial_id = digest(["fabricated", method, fold, seed, fabrication.skills[method]])
    unit = run.unit(trial_id)
    rows = prediction_rows(fabrication, method, fold, seed, trial_id)
    write(rows, predictions(len(CLASSES)), unit.test_predictions_file("1", "0"))
    clean = rows[rows["perturbation"] == "clean"]
    val = clean.assign(split="val", clip_id="val-" + clean["clip_id"])
    write(val, predictions(len(CLASSES)), unit.predictions("val"))
    write(_epochs(trial_id, fabrication.skills[method]), EPOCHS, unit.epochs)
    if fabrication.fingerprints:
        write(_fingerprints(fabrication, fold), FINGERPRINTS, unit.fingerprints_file("1", "0"))
    if fabrication.audit:
        _write_audit(unit, rows, trial_id)
        write(_at_other_epochs(val), predictions(len(CLASSES)), unit.audit_val_predictions)
    if fabrication.features:
        write(_features(fabrication, fold, trial_id), features(fabrication.features), unit.features)
    return _trial_row(method, "confirm", 0, fold, seed) | {"trial_id": trial_id}


def _fingerprints(fabrication: Fabrication, fold: int) -> pd.DataFrame:
    """Block means of two clips under every condition, the same for every trial of a fold."""
    rows = []
    for condition in fabrication.conditions:
        for clip_id in clip_ids(fabrication, fold)[:2]:
            draw = np.random.default_rng(derive("fingerprint", condition.label, clip_id))
            values = draw.uniform(0, 255, size=FINGERPRINT_VALUES).astype(np.float32)
            key = {"perturbation": condition.perturbation, "severity": np.float32(condition.severity), "repeat": 0}
            rows.append(key | {"clip_id": clip_id, "values": values})
    return pd.DataFrame(rows)


def _at_other_epochs(rows: pd.DataFrame) -> pd.DataFrame:
    """A last epoch with every tenth clip's logits turned around, and a best epoch that knows every tenth clip."""
    last, best = rows.copy(), rows.copy()
    last["selection"], best["selection"] = "last", "best_on_test"
    last["logits"] = [-row if index % 10 == 0 else row for index, row in enumerate(rows["logits"])]
    best["logits"] = [
        row + 20 * (np.arange(len(CLASSES)) == label).astype(np.float32) if index % 10 == 5 else row
        for index, (row, label) in enumerate(zip(rows["logits"], rows["label"], strict=True))
    ]
    return pd.concat([last, best], ignore_index=True)


def _write_audit(unit: UnitPaths, rows: pd.DataFrame, trial_id: str) -> None:
    """The selection audit of a training, whose test score falls after the fourth epoch."""
    write(_at_other_epochs(rows), predictions(len(CLASSES)), unit.audit_predictions_file("1", "0"))
    scores = np.array([0.2, 0.35, 0.5, 0.55, 0.53, 0.52])
    curve = {"trial_id": trial_id, "epoch": np.arange(1, 7), "test_war": scores, "test_uar": scores - 0.05}
    write(pd.DataFrame(curve), AUDIT, unit.audit)


def _features(fabrication: Fabrication, fold: int, trial_id: str) -> pd.DataFrame:
    """Clips scattered around a centre per class."""
    labels = labels_of(fabrication, fold)
    draw = np.random.default_rng(derive("features", trial_id))
    centers = draw.normal(size=(len(CLASSES), fabrication.features)) * 2
    points = centers[labels] + draw.normal(size=(len(labels), fabrication.features))
    rows = list(points.astype(np.float32))
    return pd.DataFrame({"trial_id": trial_id, "clip_id": clip_ids(fabrication, fold), "features": rows})


def _epochs(trial_id: str, skill: float, epochs: int = 6) -> pd.DataFrame:
    rise = 1 - np.exp(-np.arange(epochs) / 2)
    return pd.DataFrame(
        {
            "trial_id": trial_id,
            "epoch": np.arange(epochs),
            "train_loss": 2 - skill * rise,
            "train_parts": [[("cross_entropy", float(2 - skill * value))] for value in rise],
            "train_war": 0.2 + 0.5 * rise,
            "val_war": 0.2 + 0.4 * rise,
            "val_uar": 0.15 + 0.4 * rise,
            "val_loss": 2 - skill * rise * 0.8,
            "learning_rate": 1e-3,
            "gradient_norm": 1.0,
            "seconds": 0.5,
        }
    )


def _trial_row(method: str, phase: str, configuration: int, fold: int, seed: int) -> dict:
    recipe = {
        "model": {"name": method, "width": 0.5},
        "objective": {"name": "cross_entropy"},
        "optimizer": {"name": "adamw", "learning_rate": 5e-4, "sam": {"rho": 0.05}},
    }
    return {
        "study": "fabricated",
        "method": method,
        "phase": phase,
        "configuration": configuration,
        "chosen": phase == "confirm" or configuration == 1,
        "dataset": "fabricated",
        "fold": fold,
        "seed": seed,
        "trial_id": digest([method, phase, configuration, fold, seed]),
        "status": "done",
        "error": None,
        "recipe": json.dumps(recipe, sort_keys=True),
        "searched": "{}",
        "selected_epoch": 4,
        "val_war": 0.6,
        "val_uar": 0.5,
        "parameters": 3_000_000 if method != "resnet18_lstm" else 12_000_000,
        "macs": 2_000_000_000 if method != "resnet18_lstm" else 5_000_000_000,
        "seconds": 12.5,
        "peak_memory_mb": 512.0,
        "device": "cpu",
        "versions": json.dumps({"python": "3.11", "torch": "2.15.0"}),
        "git_commit": "0123456789abcdef",
        "created_at": datetime(2026, 1, 1, tzinfo=UTC),
    }


def _best(fabrication: Fabrication) -> str:
    return max(fabrication.skills, key=lambda method: fabrication.skills[method])


def _search_rows(run: RunPaths, fabrication: Fabrication) -> list[dict]:
    best = _best(fabrication)
    rows = []
    for configuration in range(fabrication.configurations):
        rho, tau = 0.02 * (configuration + 1), 0.1 + 0.07 * ((configuration * 5) % 6)
        row = _trial_row(best, "search", configuration, fabrication.folds[0], 1000)
        row["searched"] = json.dumps({"optimizer.sam.rho": rho, "objective.tau": tau})
        row["val_uar"] = 0.2 + 0.3 / (1 + (rho - 0.05) ** 2 * 100) + 0.1 * tau
        rows.append(row)
    return rows


def _dataset(fabrication: Fabrication) -> dict:
    labels = np.concatenate([labels_of(fabrication, fold) for fold in fabrication.folds])
    counts = np.bincount(labels, minlength=len(CLASSES)).tolist()
    return {
        "name": "fabricated",
        "title": "Fabricated clips",
        "fingerprint": "f00dfeed",
        "classes": list(CLASSES),
        "num_clips": len(labels),
        "class_counts": dict(zip(CLASSES, counts, strict=True)),
        "folds": list(fabrication.folds),
        "excluded": {},
        "bad_clips_policy": "error",
    }


def _suite(fabrication: Fabrication) -> dict:
    conditions = [
        {"perturbation": "clean", "severity": 0, "family": "clean", "label_preserving": "yes", "title": "Clean"}
    ]
    for condition in fabrication.conditions[1:]:
        family, preserving, title = PERTURBATIONS[condition.perturbation]
        conditions.append(
            {
                "perturbation": condition.perturbation,
                "severity": condition.severity,
                "family": family,
                "label_preserving": preserving,
                "title": title,
            }
        )
    return {"version": "1", "conditions": conditions}
