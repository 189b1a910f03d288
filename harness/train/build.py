"""Networks and objectives from a recipe."""

from __future__ import annotations

import torch
from torch import nn

from harness.data.clip import Fold, Source
from harness.errors import HarnessError, raised
from harness.objectives._contract import Objective, TrainingData
from harness.plugins import load, source_file
from harness.spec.strict import PluginSpec
from harness.spec.trial import ClipSpec
from harness.train.options import typed_options
from models._blocks.cost import cost_of
from models._blocks.model import ClipShape, Model


def build_model(spec: PluginSpec, num_classes: int, clip: ClipSpec) -> nn.Module:
    """The network of a recipe with fresh weights, drawn from torch's (forked, seeded) generator.

    Raises:
        HarnessError: if an option is unknown or the network does not accept clips of this shape.
    """
    plugin: Model = load("model", spec.name)
    config = typed_options(f"model '{spec.name}'", plugin.config, spec.options)
    try:
        return plugin.build(config, num_classes, ClipShape(clip.frames, clip.size))
    except Exception as error:
        raise no_model(spec, clip, error) from error


def no_model(spec: PluginSpec, clip: ClipSpec, error: Exception) -> HarnessError:
    """What a network's own error says, with the options that a user can change."""
    said = str(error) if isinstance(error, ValueError) else raised(error, source_file("model", spec.name))
    options = "".join(f", {name}: {value}" for name, value in spec.options.items())
    return HarnessError(f"model '{spec.name}' with {clip.frames} frames of {clip.size} px{options}: {said}")


def count_macs(spec: PluginSpec, num_classes: int, clip: ClipSpec) -> int:
    """Multiply-accumulates of one clip's forward pass, at the clip shape of the study; nothing is drawn or computed."""
    plugin: Model = load("model", spec.name)
    config = typed_options(f"model '{spec.name}'", plugin.config, spec.options)
    return cost_of(plugin, config, num_classes, ClipShape(clip.frames, clip.size)).multiply_accumulates


def build_objective(spec: PluginSpec, source: Source, fold: Fold, num_features: int) -> nn.Module:
    """The objective of a recipe, told the class counts and domains of the training split."""
    plugin: Objective = load("objective", spec.name)
    options = typed_options(f"objective '{spec.name}'", plugin.options, spec.options)
    labels = [source.clips[clip_id].label for clip_id in fold.train]
    domains = {clip.domain for clip in source.clips.values()}
    counts = tuple(labels.count(index) for index in range(len(source.classes)))
    data = TrainingData(class_counts=counts, num_groups=len(domains), num_features=num_features)
    try:
        return plugin.build(options, data)
    except ValueError as error:
        raise HarnessError(f"objective '{spec.name}': {error}") from error


def num_features(model: nn.Module, clip: ClipSpec) -> int:
    """Width of the feature vector, read off one grey clip in evaluation mode."""
    training = model.training
    model.eval()
    with torch.no_grad():
        output = model(torch.full((1, clip.frames, 3, clip.size, clip.size), 0.5))
    model.train(training)
    return int(output.features.shape[1])
