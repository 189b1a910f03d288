"""Everything that can be wrong is found before the first training: data, folds, options, shapes."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.data.clip import Fold, Source
from harness.data.coverage import check_classes
from harness.data.opening import open_source
from harness.data.sampling import SAMPLERS
from harness.data.split import carve
from harness.data.store import pack
from harness.datasets.synthetic import synthetic_home
from harness.errors import CollectedError, HarnessError, near_miss
from harness.paths import RunPaths, pack_folder
from harness.plugins import load
from harness.spec.study import StudySpec
from harness.spec.trial import CLEAN, ClipSpec, DataRef
from harness.tables.storage import storage
from harness.tables.store import write_text
from harness.tables.temporary import sweep
from harness.train.conditions import foreign_code, perturbation
from harness.train.manifest import write_manifest
from harness.train.pretrained import load_pretrained
from harness.train.rehearsal import check_conditions, check_metrics, check_recipe
from harness.train.space import check_space
from harness.train.targets import check_soft_labels, check_targets
from perturbations._apply import SUITE_VERSION

OnProgress = Callable[[int, int], None]


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """A study whose data is open and packed.

    Attributes:
        source: the data set, without clips dropped on request.
        dataset: the data set as trials know it.
        pack: folder of the packed clips.
    """

    source: Source
    dataset: DataRef
    pack: Path


def open_dataset(study: StudySpec) -> Source:
    """The study's data set; relative roots are taken from the working directory.

    Raises:
        HarnessError: if the root is missing, the lists do not fit, a fold does not exist, or a class cannot be learned
            or tested.
    """
    sweep(synthetic_home())
    root = Path(study.dataset.root).expanduser() if study.dataset.root else None
    policy = {"on_bad_clip": "drop"} if study.dataset.on_bad_clip == "drop" else {}
    source = open_source(study.dataset.name, root, {**study.dataset.options, **policy})
    _check_classes(study, source)
    return source


def _check_classes(study: StudySpec, source: Source) -> None:
    searched = (study.search.folds or ()) if study.search else ()
    for key, folds in (("folds", study.folds), ("search.folds", searched)):
        for number in folds:
            if number not in source.folds:
                raise HarnessError(
                    f"{key}: {source.name} has no fold {number}. {near_miss(str(number), map(str, source.folds))}"
                )
    check_classes(source, study.folds, searched)


def _carved(study: StudySpec, source: Source) -> list[Fold]:
    """The study's folds with their validation splits, which every class must be in."""
    _check_classes(study, source)
    return [carve(source, index, study.validation) for index in study.folds]


def data_ref(study: StudySpec, source: Source) -> DataRef:
    """The data set as it enters a trial's identity."""
    return DataRef(name=study.dataset.name, fingerprint=source.identity(soft_labels=study.training.soft_labels))


def check_plugins(study: StudySpec, source: Source) -> dict[str, int]:
    """Load every plugin that the study names, fill its options, and try them: a clip for networks and perturbations.

    Returns:
        the bytes of each method's weights.

    Raises:
        CollectedError: what does not fit, each with the method it belongs to.
    """
    for key in ("train_sampler", "test_sampler"):
        if (sampler := getattr(study.clip, key)) not in SAMPLERS:
            raise HarnessError(f"clip.{key}: no sampler named '{sampler}'. {near_miss(sampler, SAMPLERS)}")
    folds = _carved(study, source)
    check_soft_labels(study, source)
    check_metrics(len(source.classes))
    check_conditions(study)
    problems: list[str] = []
    weights: dict[str, int] = {}
    for name, method in study.methods.items():
        try:
            check_targets(method.recipe, study.training)
            network = check_recipe(method.recipe, source, folds[0], study.clip)
            weights[name] = sum(value.numel() * value.element_size() for value in network.state_dict().values())
            if method.pretrained:
                plugin = load("model", method.model.name)
                load_pretrained(network, plugin, Path(method.pretrained).expanduser())
        except HarnessError as error:
            problems.append(f"methods.{name}: {error}")
    if len(problems) == 1:
        raise HarnessError(problems[0])
    if problems:
        raise CollectedError(f"study '{study.name}': {len(problems)} mistakes", problems)
    return weights


def pack_clips(study: StudySpec, source: Source, workers: int, on_progress: OnProgress) -> tuple[Source, Path]:
    """Decode every clip once into the packed store; what cannot be read is an error, or dropped if the study says so.

    Raises:
        CollectedError: every unreadable clip with its file.
        StorageError: if the packed clips cannot be written.
    """
    clip: ClipSpec = study.clip
    folder = pack_folder(source.fingerprint, clip.size, clip.max_stored_frames)
    with storage(folder.parent, "set DFERBENCH_CACHE to another folder"):
        packed = pack(source, clip.size, clip.max_stored_frames, workers=workers, on_progress=on_progress)
    if packed.bad and study.dataset.on_bad_clip == "error":
        problems = [f"clip '{clip_id}': {reason}" for clip_id, reason in sorted(packed.bad.items())]
        advice = "Mend the files, or set dataset.on_bad_clip: drop to leave them out of every split."
        raise CollectedError(f"{len(problems)} clips cannot be read. {advice}", problems)
    return source.without(packed.bad), folder


def prepare(study: StudySpec, run: RunPaths, workers: int, on_progress: OnProgress) -> Prepared:
    """Open, check and pack; then write down what the study runs on, for workers and for the report.

    Raises:
        HarnessError: anything that would fail later.
    """
    source = open_dataset(study)
    weights = check_plugins(study, source)
    source, folder = pack_clips(study, source, workers, on_progress)
    _carved(study, source)
    check_space(study, source, weights, run.units)
    write_manifest(source, run.manifest)
    write_text(json.dumps(describe_dataset(study, source), indent=1, ensure_ascii=False), run.dataset_file)
    write_text(json.dumps(describe_suite(study), indent=1), run.suite_file)
    return Prepared(source=source, dataset=data_ref(study, source), pack=folder)


def describe_dataset(study: StudySpec, source: Source) -> dict[str, Any]:
    """What the report says of the data."""
    labels = [clip.label for clip in source.clips.values()]
    return {
        "name": source.name,
        "title": load("dataset", source.name).title,
        "fingerprint": source.fingerprint,
        "classes": list(source.classes),
        "num_clips": len(labels),
        "class_counts": {name: labels.count(index) for index, name in enumerate(source.classes)},
        "folds": sorted(source.folds),
        "excluded": source.excluded,
        "bad_clips_policy": study.dataset.on_bad_clip,
    }


def describe_suite(study: StudySpec) -> dict[str, Any]:
    """What the report says of the conditions: family, and whether the label survives."""
    conditions = []
    for condition in study.stress.conditions:
        if condition.perturbation == CLEAN:
            continue
        plugin, code = perturbation(condition.perturbation), foreign_code(condition.perturbation)
        conditions.append(
            {
                "perturbation": condition.perturbation,
                "severity": condition.severity,
                "family": plugin.family,
                "label_preserving": plugin.label_preserving,
                "title": plugin.title,
                **({"code": code} if code else {}),
            }
        )
    return {"version": SUITE_VERSION, "conditions": conditions}
