"""How long a recipe's step takes on this device: measured on noise of the study's clip shape, not guessed."""

from collections.abc import Callable
from time import perf_counter
from typing import NamedTuple

import torch

from harness.data.clip import Fold, Source
from harness.objectives._contract import TrainState
from harness.spec.method import RecipeSpec
from harness.spec.trial import ClipSpec, TrainingSpec
from harness.train.build import build_model, build_objective, num_features
from harness.train.isolation import isolated
from harness.train.optimizer import build_optimizer
from harness.train.step import Stepper

STEPS = 2
"""Timed steps, and timed forward passes, after one that warms up."""


class ClipSeconds(NamedTuple):
    """Seconds per clip of a training step and of a forward pass, and the bytes of the network's weights."""

    train: float
    forward: float
    weight_bytes: int


def time_recipe(
    recipe: RecipeSpec, source: Source, fold: Fold, clip: ClipSpec, training: TrainingSpec, device: torch.device
) -> ClipSeconds:
    """Seconds per clip, one thread per unit as in a run."""
    with isolated(0, 1, device):
        model = build_model(recipe.model, len(source.classes), clip)
        loss = build_objective(recipe.objective, source, fold, num_features(model, clip)).to(device)
        model.to(device)
        optimizer = build_optimizer([*model.parameters(), *loss.parameters()], recipe.optimizer)
        stepper = Stepper(model, loss, optimizer, recipe.optimizer, clip_gradient=None, precision=training.precision)
        batch = min(training.batch_size, max(2, len(fold.train)))
        clips = torch.rand(batch, clip.frames, 3, clip.size, clip.size, device=device)
        labels = torch.arange(batch, device=device) % len(source.classes)
        state = TrainState(groups=torch.zeros(batch, dtype=torch.long, device=device))
        stepper.step(clips, labels, state)
        train = _seconds(lambda: stepper.step(clips, labels, state), device)
        model.eval()
        with torch.no_grad():
            model(clips)  # kernels of evaluation are loaded when they are first asked for
            forward = _seconds(lambda: model(clips), device)
        weight_bytes = sum(value.numel() * value.element_size() for value in model.state_dict().values())
    return ClipSeconds(train / batch, forward / batch, weight_bytes)


def _seconds(call: Callable[[], object], device: torch.device) -> float:
    """Mean seconds of a call, the device drained before and after."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    started = perf_counter()
    for _ in range(STEPS):
        call()
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return (perf_counter() - started) / STEPS
