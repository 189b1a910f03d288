"""Seconds and bytes of a study's trials: what each costs, what all cost, and what of that remains."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch

from harness.data.clip import Source
from harness.data.split import carve
from harness.paths import pack_folder
from harness.plan import Count, training_of
from harness.schedule.forecasting.stored_costs import COSTS, StoredCosts, folder_bytes
from harness.spec.study import StudySpec
from harness.tables.selections import RULES
from harness.train.showing import different, passes_of
from harness.train.space import trial_bytes
from harness.train.timing import time_recipe

START_SECONDS = 12.0
"""Starting Ray and its workers, once per study (measured 8 to 15 s on two cores)."""


@dataclass(frozen=True, kw_only=True)
class Each:
    """What one trial of a method costs.

    Attributes:
        basis: what the numbers are taken from.
        search_epoch: seconds of an epoch in the search, validation included.
        confirm_epoch: seconds of an epoch of a confirmed trial, its audit included.
        testing: seconds in which one confirmed trial is shown all test clips under all conditions.
        search_bytes: on storage.
        confirm_bytes: on storage.
    """

    basis: str
    search_epoch: float
    confirm_epoch: float
    testing: float
    search_bytes: float
    confirm_bytes: float


@dataclass(frozen=True, kw_only=True)
class Done:
    """What storage holds of a method: finished trials by phase, and the epochs that were trained for them."""

    search: int = 0
    confirm: int = 0
    search_epochs: int = 0
    confirm_epochs: int = 0


@dataclass(frozen=True, kw_only=True)
class MethodCosts:
    """One method's trials.

    Attributes:
        method: the study's name for it.
        each: what one costs.
        count: trials, at most.
        search_epochs: of all search trials, at most.
        confirm_epochs: of all confirmed trials.
        done: what storage holds.
        gpus: that one trial asks for.
    """

    method: str
    each: Each
    count: Count
    search_epochs: int
    confirm_epochs: int
    done: Done
    gpus: float

    @property
    def seconds(self) -> float:
        """Of all trials, one after another."""
        return replace(self, done=Done()).left_seconds

    @property
    def left_seconds(self) -> float:
        """Of what remains."""
        search = max(0, self.search_epochs - self.done.search_epochs) * self.each.search_epoch
        confirm = max(0, self.confirm_epochs - self.done.confirm_epochs) * self.each.confirm_epoch
        return search + confirm + max(0, self.count.confirm - self.done.confirm) * self.each.testing

    @property
    def gpu_hours(self) -> float:
        """Of what remains."""
        return self.left_seconds * self.gpus / 3600

    @property
    def num_bytes(self) -> float:
        """Of all trials on storage."""
        return self.count.search * self.each.search_bytes + self.count.confirm * self.each.confirm_bytes


def method_costs(study: StudySpec, method: str, each: Each, count: Count, done: Done, gpus: float) -> MethodCosts:
    """All trials of a method."""
    confirm_epochs = count.confirm * training_of(study, method).epochs
    return MethodCosts(
        method=method,
        each=each,
        count=count,
        search_epochs=count.epochs - confirm_epochs,
        confirm_epochs=confirm_epochs,
        done=done,
        gpus=gpus,
    )


def each_costs(study: StudySpec, source: Source, method: str, stored: StoredCosts | None, device: str) -> Each:
    """What one trial costs: as its finished trials did; what they do not tell is measured on this machine."""
    fold = carve(source, study.folds[0], study.validation)
    shown = len(fold.test) * len(different(passes_of(study.stress.conditions, study.stress.repeats))[0])
    told = stored.told(shown) if stored else {}
    needed = set(COSTS) if study.methods[method].search else set(COSTS) - {"search_epoch", "search_bytes"}
    basis = f"{stored.trials} finished trials" if stored else "measured now"
    if needed <= set(told):
        return Each(basis=basis, **{**dict.fromkeys(COSTS, 0.0), **told})
    measured = _measured(study, source, method, shown, device)
    return replace(measured, basis=f"{basis}, the rest measured now" if stored else basis, **told)


def _measured(study: StudySpec, source: Source, method: str, shown: int, device: str) -> Each:
    """What one trial costs by the time of a few steps on this machine."""
    fold = carve(source, study.folds[0], study.validation)
    recipe = study.methods[method].recipe
    took = time_recipe(recipe, source, fold, study.clip, study.training, torch.device(device))
    each = trial_bytes(study, fold, len(source.classes), took.weight_bytes)
    search_epoch = len(fold.train) * took.train + len(fold.val) * took.forward
    audited, networks = (len(fold.test), len(RULES)) if study.stress.audit else (0, 1)
    return Each(
        basis="measured now",
        search_epoch=search_epoch,
        confirm_epoch=search_epoch + audited * took.forward,
        testing=shown * networks * took.forward,
        search_bytes=float(each.search),
        confirm_bytes=float(each.confirm),
    )


def pack_bytes(study: StudySpec, source: Source) -> tuple[int, bool]:
    """Bytes of the packed clips and whether they are packed; if they are not, it is the most that they can take."""
    clip = study.clip
    pack = pack_folder(source.fingerprint, clip.size, clip.max_stored_frames)
    if pack.is_dir():
        return folder_bytes(pack), True
    return len(source.clips) * clip.max_stored_frames * 3 * clip.size**2, False
