"""One training: epochs of steps on the training split, the best epoch by the validation split kept."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any

import numpy as np
import pandas as pd
import torch
from scipy.special import logsumexp
from torch import Tensor, nn
from torch.nn import functional as F

from harness.data.clip import Fold
from harness.metrics.uar import uar
from harness.metrics.war import war
from harness.objectives._contract import TrainState
from harness.seeds import derive
from harness.spec.trial import TrialSpec
from harness.train.ahead import read_ahead
from harness.train.augment import augment
from harness.train.batch_transforms import mix
from harness.train.batches import Batch, ClipReader, soft_targets
from harness.train.build import build_model, build_objective, num_features
from harness.train.optimizer import build_optimizer, set_learning_rate
from harness.train.predict import EVALUATION_BATCH, evaluate, to_floats
from harness.train.schedule import learning_rate
from harness.train.showing import CLEAN_PASS
from harness.train.step import Stepper, StepReport


@dataclass(frozen=True, kw_only=True)
class Fitted:
    """A finished training.

    Attributes:
        model: the network with the weights of the selected epoch.
        epochs: rows of the epochs table.
        selected_epoch: counted from 1.
        val_logits: ``n k`` logits of the validation clips at the selected epoch.
    """

    model: nn.Module
    epochs: pd.DataFrame
    selected_epoch: int
    val_logits: np.ndarray


@dataclass(kw_only=True)
class Kept:
    """The best epoch so far, by the validation split; ties go to the lower loss, then to the lower epoch."""

    score: tuple[float, float] = (-np.inf, -np.inf)
    epoch: int = 0
    weights: dict[str, Tensor] = field(default_factory=dict)
    logits: np.ndarray = field(default_factory=lambda: np.empty((0, 0)))


@dataclass(kw_only=True)
class Course:
    """How far a training has come: rows of the epochs table, and the best epoch of them."""

    rows: list[dict[str, Any]] = field(default_factory=list)
    kept: Kept = field(default_factory=Kept)

    @property
    def epoch(self) -> int:
        """Epochs trained."""
        return len(self.rows)

    def fitted(self, model: nn.Module) -> Fitted:
        """The training as it is now; the network takes the weights of the best epoch."""
        model.load_state_dict(self.kept.weights)
        return Fitted(
            model=model,
            epochs=pd.DataFrame(self.rows),
            selected_epoch=self.kept.epoch,
            val_logits=self.kept.logits,
        )


class Training:
    """The state of one training between epochs.

    Test clips are not among what a training can open: the fold it is given must have an empty test split.

    Raises:
        ValueError: if the fold still carries test clips.
    """

    def __init__(
        self, trial: TrialSpec, fold: Fold, reader: ClipReader, device: torch.device, accumulation: int = 1
    ) -> None:
        if fold.test:
            raise ValueError("a training must not be given test clips")
        self.trial, self.fold, self.reader, self.device = trial, fold, reader, device
        recipe, classes = trial.recipe, reader.source.classes
        self.model = build_model(recipe.model, len(classes), trial.clip)
        features = num_features(self.model, trial.clip)
        self.loss = build_objective(recipe.objective, reader.source, fold, features)
        self.model.to(device)
        self.loss.to(device)
        parameters = [*self.model.parameters(), *self.loss.parameters()]
        self.optimizer = build_optimizer(parameters, recipe.optimizer)
        self.stepper = Stepper(
            self.model,
            self.loss,
            self.optimizer,
            recipe.optimizer,
            clip_gradient=trial.training.clip_gradient,
            precision=trial.training.precision,
        )
        self.stepper.accumulation = accumulation

    def epoch(self, number: int) -> dict[str, Any]:
        """Train one epoch (counted from 1) and measure the validation split; a row of the epochs table."""
        started = perf_counter()
        training, seed = self.trial.training, self.trial.seed
        batches = -(-len(self.fold.train) // training.batch_size)
        reports: list[tuple[StepReport, Tensor]] = []  # with labels; a batch held on to would keep all clips in memory
        rate = 0.0
        self.model.train()
        shuffled = self.reader.shuffled(self.fold.train, training.batch_size, seed, number)
        for index, batch in enumerate(read_ahead(shuffled, self.device)):
            rate = learning_rate(
                self.trial.recipe.optimizer.learning_rate, training, number - 1 + (index + 1) / batches
            )
            set_learning_rate(self.optimizer, rate)
            progress = (number - 1 + index / batches) / training.epochs
            reports.append((self._step(batch, number, progress), batch.labels))
        return {
            "trial_id": self.trial.trial_id,
            "epoch": number,
            **_train_columns(reports),
            "learning_rate": rate,
            "seconds": perf_counter() - started,
        }

    def state(self) -> dict[str, Any]:
        """Everything that the next epoch depends on beside the trial: tensors, numbers and containers of them."""
        return {
            "model": self.model.state_dict(),
            "loss": self.loss.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "steps": self.stepper.step_index,
            "last_norm": self.stepper.last_norm,
        }

    def take(self, state: dict[str, Any]) -> None:
        """Be where another training of this trial was when it gave its state."""
        self.model.load_state_dict(state["model"])
        self.loss.load_state_dict(state["loss"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.stepper.step_index = state["steps"]
        norm = state["last_norm"]
        self.stepper.last_norm = None if norm is None else norm.to(self.device)

    def _step(self, batch: Batch, epoch: int, progress: float) -> StepReport:
        clips = to_floats(batch.pixels, self.device)
        clips = augment(clips, self.trial.clip.augment, self.trial.seed, epoch, batch.clip_ids)
        labels, groups = (values.to(self.device, non_blocking=True) for values in (batch.labels, batch.groups))
        targets = soft_targets(batch, self.device) if self.trial.training.soft_labels else None
        mixing = self.trial.training.mix
        if mixing is not None:
            generator = np.random.default_rng(derive(self.trial.seed, "mix", epoch, *batch.clip_ids))
            single = F.one_hot(labels, len(self.reader.source.classes)).float() if targets is None else targets
            clips, targets = mix(mixing.name, clips, single, mixing.alpha, generator)
        state = TrainState(progress=progress, groups=groups, label_distributions=targets)
        return self.stepper.step(clips, labels, state)

    def validate(self) -> tuple[dict[str, float], np.ndarray]:
        """Metrics and logits ``n k`` of the validation split."""
        logits = evaluate(self.model, self.reader, self.fold.val, CLEAN_PASS, EVALUATION_BATCH, self.device)[0]
        labels = np.array([self.reader.source.clips[clip_id].label for clip_id in self.fold.val])
        nll = float(np.mean(logsumexp(logits, axis=1) - logits[np.arange(len(labels)), labels]))
        return {
            "val_war": war.compute(logits, labels),
            "val_uar": uar.compute(logits, labels),
            "val_loss": nll,
        }, logits


def fit(training: Training, course: Course, last: int) -> Iterator[dict[str, Any]]:
    """Train on to epoch ``last``, and stop after every epoch to give its row of the epochs table.

    An epoch has been selected or not when its row is given; whoever looks at the network then (an audit, a checkpoint)
    tells the training nothing. The caller isolates torch's generator and seeds it with ``fit_seed``.

    Raises:
        Diverged: if the loss stops being finite.
    """
    select_on = training.trial.training.select_on
    for number in range(course.epoch + 1, last + 1):
        row = training.epoch(number)
        measured, logits = training.validate()
        course.rows.append({**row, **measured})
        _keep(course.kept, number, select_on, measured, (training.model, logits))
        yield course.rows[-1]


def fit_seed(trial: TrialSpec) -> int:
    """The seed of a training's first weights and dropout: shared by methods, so that runs are paired by seed."""
    return derive(trial.seed, "fit")


def _keep(
    kept: Kept, epoch: int, select_on: str, measured: Mapping[str, float], found: tuple[nn.Module, np.ndarray]
) -> None:
    """Keep this epoch if it is the last one asked for, or better on validation; ties go to the lower loss."""
    score = (float(epoch), 0.0) if select_on == "last" else (measured[f"val_{select_on}"], -measured["val_loss"])
    if score > kept.score:
        model, kept.logits = found
        kept.score, kept.epoch = score, epoch
        kept.weights = {name: value.detach().clone() for name, value in model.state_dict().items()}


def _train_columns(reports: list[tuple[StepReport, Tensor]]) -> dict[str, Any]:
    """Epoch means over steps and the labels of their batches, weighted by batch size."""
    sizes = np.array([len(labels) for _, labels in reports], dtype=float)
    names = sorted({name for report, _ in reports for name in report.parts})
    correct = [float((report.logits.argmax(1).cpu() == labels).float().mean()) for report, labels in reports]
    return {
        "train_loss": float(np.average([report.loss for report, _ in reports], weights=sizes)),
        "train_parts": [
            (name, float(np.average([report.parts.get(name, 0.0) for report, _ in reports], weights=sizes)))
            for name in names
        ],
        "train_war": float(np.average(correct, weights=sizes)),
        "gradient_norm": float(np.average([report.gradient_norm for report, _ in reports], weights=sizes)),
    }
