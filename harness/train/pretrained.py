"""Published weights into a network, with an account of every tensor."""

import pickle
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from harness.errors import CollectedError, HarnessError
from models._blocks.model import Model

WRAPPERS = ("model_state", "state_dict", "model")
"""Keys under which checkpoints keep their tensors: pytorchvideo and SlowFast, Lightning and MMAction, DeiT's line."""

COUNTER = "num_batches_tracked"
"""Batch normalisation's counter, which old checkpoints lack and no result depends on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PretrainedReport:
    """What became of every tensor.

    Attributes:
        matched: the network's tensors that now have published values.
        fresh: the network's tensors that published checkpoints do not have and that keep their fresh values.
        dropped: the checkpoint's tensors that have no place, such as the classifier of other classes.
    """

    matched: tuple[str, ...]
    fresh: tuple[str, ...]
    dropped: tuple[str, ...]

    def __str__(self) -> str:
        return f"{len(self.matched)} tensors loaded, {len(self.fresh)} fresh, {len(self.dropped)} dropped"


def load_pretrained(network: nn.Module, plugin: Model, path: Path) -> PretrainedReport:
    """Copy a checkpoint's tensors into a network.

    Names are translated by the plugin. Shapes must agree up to trailing ones (a linear layer may be stored as a 1x1x1
    convolution). Tensors under the plugin's ``fresh`` names, the classifier above all, are never taken from the
    checkpoint.

    Raises:
        HarnessError: if the file cannot be read as plain tensors, or if anything but the classifier and the plugin's
            own new parts is missing, left over, or of another shape; every such tensor is named and nothing is copied.
    """
    published = _translated(read_checkpoint(path), plugin)
    own = {name: value for name, value in network.state_dict().items() if not name.endswith(COUNTER)}
    wanted = {name: value for name, value in own.items() if not name.startswith(plugin.fresh)}
    found = {name: value for name, value in published.kept.items() if not name.startswith(plugin.fresh)}
    problems = [f"missing: {name}" for name in sorted(wanted.keys() - found.keys())]
    problems += [f"unexpected: {name}" for name in sorted(found.keys() - wanted.keys())]
    problems += [
        f"shape of {name}: {tuple(found[name].shape)} in the file, {tuple(wanted[name].shape)} in the network"
        for name in sorted(wanted.keys() & found.keys())
        if not _fits(found[name], wanted[name])
    ]
    if problems:
        raise CollectedError(f"{path} does not fit {plugin.title} as configured: {len(problems)} mismatches", problems)
    network.load_state_dict({name: found[name].reshape(wanted[name].shape) for name in wanted}, strict=False)
    dropped = sorted([*published.dropped, *(published.kept.keys() - found.keys())])
    return PretrainedReport(
        matched=tuple(sorted(wanted)), fresh=tuple(sorted(own.keys() - wanted.keys())), dropped=tuple(dropped)
    )


def read_checkpoint(path: Path) -> dict[str, Tensor]:
    """The tensors of a checkpoint file by name; pickled code is not run.

    Raises:
        HarnessError: for a file that is absent, is not a checkpoint, or holds more than tensors and plain values.
    """
    if not path.is_file():
        raise HarnessError(f"There is no checkpoint at {path}.")
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError, ValueError) as error:
        first_line = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise HarnessError(f"{path} cannot be read as a file of plain tensors: {first_line}") from error
    tensors = _tensors(content)
    if not tensors:
        raise HarnessError(f"{path} holds no tensors, neither directly nor under {', '.join(WRAPPERS)}.")
    return tensors


@dataclass(frozen=True, slots=True, kw_only=True)
class _Translated:
    """A checkpoint's tensors by their names here, and the names of those without a place."""

    kept: dict[str, Tensor]
    dropped: tuple[str, ...]


def _translated(tensors: Mapping[str, Tensor], plugin: Model) -> _Translated:
    """Names as the plugin translates them; prefixes that parallel training leaves are taken off."""
    kept: dict[str, Tensor] = {}
    dropped: list[str] = []
    for key, value in tensors.items():
        plain = key.removeprefix("module.")
        name = plugin.checkpoint_key(plain)
        if plain.endswith(COUNTER):
            continue
        if name is None:
            dropped.append(plain)
        else:
            kept[name] = value
    return _Translated(kept=kept, dropped=tuple(dropped))


def _tensors(content: Any) -> dict[str, Tensor]:
    """The tensors of a state dict, or of the state dict within."""
    if not isinstance(content, Mapping):
        return {}
    for wrapper in WRAPPERS:
        if isinstance(content.get(wrapper), Mapping):
            return _tensors(content[wrapper])
    return {key: value for key, value in content.items() if isinstance(value, Tensor)}


def _fits(found: Tensor, wanted: Tensor) -> bool:
    """Whether shapes agree up to trailing ones."""
    return _without_trailing_ones(found.shape) == _without_trailing_ones(wanted.shape)


def _without_trailing_ones(shape: torch.Size) -> tuple[int, ...]:
    sides = list(shape)
    while sides and sides[-1] == 1:
        sides.pop()
    return tuple(sides)
