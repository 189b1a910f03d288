"""What a study names, tried once before anything is trained: networks, objectives, metrics, perturbations."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from harness.data.clip import Fold, Source
from harness.errors import CollectedError, HarnessError, raised
from harness.objectives._contract import LossParts, Objective, TrainState
from harness.plugins import code, load, names, source_file
from harness.spec.method import RecipeSpec
from harness.spec.study import StudySpec
from harness.spec.trial import CLEAN, ClipSpec, Condition
from harness.train.build import build_model, build_objective, no_model
from harness.train.conditions import foreign_code, parts, perturbation
from models._blocks.model import Output
from perturbations._apply import key, perturb

CLIPS = 4
"""Clips that an objective is tried on: two of one class, so that contrasts have pairs."""
SCORED = 64
"""Clips that a metric is tried on."""


def check_recipe(recipe: RecipeSpec, source: Source, fold: Fold, clip: ClipSpec) -> nn.Module:
    """Build everything that a recipe names and pass one clip through it, so that mistakes show before any training.

    Raises:
        HarnessError: what does not fit, named.
    """
    num_classes = len(source.classes)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = build_model(recipe.model, num_classes, clip)
        output = _shown(model, recipe, clip)
        _check_output(output, recipe, num_classes)
        objective = build_objective(recipe.objective, source, fold, int(output.features.shape[1]))
        _check_loss(objective, recipe, output)
    return model


def _shown(model: nn.Module, recipe: RecipeSpec, clip: ClipSpec) -> Any:
    """What a network returns for one grey clip in evaluation mode, whatever that is."""
    model.eval()
    try:
        with torch.no_grad():
            output = model(torch.full((1, clip.frames, 3, clip.size, clip.size), 0.5))
    except Exception as error:
        raise no_model(recipe.model, clip, error) from error
    model.train()
    return output


def _check_output(output: Any, recipe: RecipeSpec, num_classes: int) -> None:
    """See that a network returns what networks return, one row for one clip and one score for each class."""
    name = f"model '{recipe.model.name}' ({source_file('model', recipe.model.name)})"
    if not isinstance(output, Output) or not all(isinstance(part, Tensor) for part in output[:2]):
        raise HarnessError(
            f"{name} returns {_described(output)} for a clip: return Output(logits, features) of models._blocks.model."
        )
    for what, scores in (("logits", output.logits), ("auxiliary scores", output.auxiliary)):
        if scores is not None and scores.shape != (1, num_classes):
            raise HarnessError(
                f"{name} returns {what} of shape {tuple(scores.shape)} for 1 clip and {num_classes} classes, which "
                f"should be (1, {num_classes}): its build is given num_classes."
            )
    if output.features.ndim != 2 or len(output.features) != 1:
        raise HarnessError(
            f"{name} returns features of shape {tuple(output.features.shape)} for 1 clip, which should be (1, width)."
        )


def _described(value: Any) -> str:
    shape = f" of shape {tuple(value.shape)}" if isinstance(value, Tensor) else ""
    return f"a {type(value).__name__}{shape}"


def _check_loss(objective: nn.Module, recipe: RecipeSpec, output: Output) -> None:
    """See that an objective makes a loss of random logits and features that gradients flow back from."""
    name = recipe.objective.name
    file, plugin = source_file("objective", name), load("objective", name)
    num_classes = output.logits.shape[1]
    logits = torch.randn(CLIPS, num_classes, requires_grad=True)
    features = torch.randn(CLIPS, output.features.shape[1], requires_grad=True)
    labels = torch.arange(CLIPS) // 2 % num_classes
    try:
        for state in _states(plugin, output, labels):
            result = objective(logits, features, labels, state)
            if not isinstance(result, LossParts) or result.loss.shape != ():
                raise TypeError(f"it returns {_described(result)}, not LossParts of a single number and its parts")
            result.loss.backward()
    except Exception as error:
        raise HarnessError(f"objective '{name}' ({file}): {raised(error, file)}") from error


def _states(plugin: Objective, output: Output, labels: Tensor) -> list[TrainState]:
    """What an objective is told: labels alone, and class probabilities if it takes them."""
    num_classes = output.logits.shape[1]
    auxiliary = None if output.auxiliary is None else torch.randn(CLIPS, num_classes)
    plain = TrainState(groups=torch.zeros(CLIPS, dtype=torch.int64), auxiliary=auxiliary)
    if not plugin.takes_distributions:
        return [plain]
    shares = nn.functional.one_hot(labels, num_classes).float()
    soft = TrainState(groups=plain.groups, auxiliary=auxiliary, label_distributions=shares)
    return [plain, soft]


def check_metrics(num_classes: int) -> None:
    """See that metrics of others, which every report computes, make numbers of random logits.

    Raises:
        HarnessError: the first that does not.
    """
    generator = np.random.default_rng(0)
    logits, labels = generator.standard_normal((SCORED, num_classes)), np.arange(SCORED) % num_classes
    for name in names("metric"):
        if not code("metric", name):
            continue
        metric, file = load("metric", name), source_file("metric", name)
        try:
            float(metric.compute(logits.astype(np.float32), labels))
        except Exception as error:
            raise HarnessError(f"metric '{name}' ({file}): {raised(error, file)}") from error


def check_conditions(study: StudySpec) -> None:
    """Show one random clip of the study's shape under its perturbations.

    Those that dferbench was released with are tested elsewhere and shown at their highest severity, others at all.

    Raises:
        CollectedError: the perturbations that raise or return anything but clips like those they are given.
    """
    shown = _worth_showing(study.stress.conditions)
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.manual_seed(0)
        clip = torch.randint(0, 256, (1, study.clip.frames, 3, study.clip.size, study.clip.size), dtype=torch.uint8)
        problems = {name: said for name, each in shown.items() if (said := _problem(clip, each))}
    if len(problems) == 1:
        raise HarnessError(next(iter(problems.values())))
    if problems:
        raise CollectedError(f"study '{study.name}': {len(problems)} perturbations fail", problems.values())


def _worth_showing(conditions: tuple[Condition, ...]) -> dict[str, list[Condition]]:
    """Conditions by perturbation."""
    found: dict[str, list[Condition]] = {}
    for condition in conditions:
        if condition.perturbation != CLEAN:
            found.setdefault(condition.perturbation, []).append(condition)
    return {
        name: each if foreign_code(name) else [max(each, key=lambda condition: condition.severity)]
        for name, each in found.items()
    }


def _problem(clip: Tensor, conditions: list[Condition]) -> str:
    """What is wrong with a perturbation; empty if nothing is."""
    for condition in conditions:
        name = condition.perturbation
        file = source_file("perturbation", min(parts(name) - {name}, default=name) if "." in name else name)
        try:
            perturb(clip.clone(), perturbation(name), condition.severity, [key(name, condition.severity, "tried", 0)])
        except Exception as error:
            frames, size = clip.shape[1], clip.shape[-1]
            return (
                f"perturbation '{name}' ({file}) at severity {condition.severity:g} on {frames} frames of {size} px: "
                f"{raised(error, file)}"
            )
    return ""
