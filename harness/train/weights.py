"""Published checkpoints that studies start from: named by content in a trial, found by path on a machine."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from torch import nn

from harness.errors import HarnessError
from harness.plugins import load
from harness.spec.study import StudySpec
from harness.spec.trial import TrialSpec
from harness.tables.content import sha256
from harness.train.pretrained import load_pretrained


def with_weights(study: StudySpec) -> StudySpec:
    """The study with the SHA-256 of every ``pretrained`` file written into its method.

    Raises:
        HarnessError: if a file cannot be read, or a study states weights that the file does not have.
    """
    methods = {}
    for name, method in study.methods.items():
        try:
            found = content_hash(Path(method.pretrained)) if method.pretrained else None
        except HarnessError as error:
            raise HarnessError(f"methods.{name}.{error}") from error
        if method.weights is not None and method.weights != found:
            raise HarnessError(
                f"methods.{name}.weights is {method.weights}, but pretrained "
                f"{method.pretrained or '(not given)'} has {found or 'no content'}."
            )
        methods[name] = method.model_copy(update={"weights": found})
    return study.model_copy(update={"methods": methods})


@cache
def content_hash(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal.

    Raises:
        HarnessError: if it cannot be read.
    """
    try:
        return sha256(path.expanduser())
    except OSError as error:
        raise HarnessError(f"pretrained: {path} cannot be read ({error.strerror}).") from error


def start_from(network: nn.Module, trial: TrialSpec, checkpoint: str | None) -> str:
    """Copy the checkpoint that a trial asks for into its network; what became of the tensors, in words.

    Raises:
        HarnessError: if the trial asks for weights that the file does not hold, or the file does not fit.
    """
    wanted = trial.recipe.weights
    if wanted is None:
        return ""
    if checkpoint is None or content_hash(Path(checkpoint)) != wanted:
        raise HarnessError(f"Trial {trial.trial_id} starts from weights {wanted[:12]}..., which {checkpoint} is not.")
    plugin = load("model", trial.recipe.model.name)
    return str(load_pretrained(network, plugin, Path(checkpoint).expanduser()))
