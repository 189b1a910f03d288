"""What a study asks for and will not quite get; it is run all the same."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from rich.console import Console

from harness.plan import training_of
from harness.spec.study import StudySpec


def print_warnings(sentences: Iterable[str], console: Console) -> None:
    """Print a line for each sentence, which ends without a full stop."""
    for sentence in sentences:
        console.print(f"warning: {sentence}.", style="yellow", markup=False, highlight=False)


def cautions(study: StudySpec, cores: int | None = None) -> Iterator[str]:
    """A sentence for a warm-up that is written and cut short, and for processors that this machine has not.

    Args:
        study: what is asked.
        cores: of the machine that trains, if it is known before training.
    """
    warmup = study.training.warmup_epochs
    short = {name: epochs for name in study.methods if (epochs := training_of(study, name).epochs) < 2 * warmup}
    if short and "warmup_epochs" in study.training.model_fields_set:
        name, epochs = min(short.items(), key=lambda item: item[1])
        yield (
            f"training.warmup_epochs is {warmup:g}, and '{name}' is trained for {epochs} epochs: a warm-up takes "
            f"half of a training at most, {epochs / 2:g} here"
        )
    asked = {name: study.resources_of(name).cpus for name in study.methods}
    greedy = [name for name, cpus in asked.items() if cores is not None and cpus > cores]
    if greedy:
        yield (
            f"resources.cpus: '{greedy[0]}' asks for {asked[greedy[0]]:g}, and this machine has {cores}; a trial uses "
            "as many threads as it asks for"
        )
