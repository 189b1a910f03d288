"""Whether a study's data and objectives can do with soft labels what it asks of them."""

from __future__ import annotations

from harness.data.clip import Source
from harness.errors import HarnessError
from harness.objectives._contract import Objective
from harness.plugins import load
from harness.spec.method import RecipeSpec
from harness.spec.study import StudySpec
from harness.spec.trial import TrainingSpec

NAMED = 5
"""Clips without votes that a complaint names."""


def check_soft_labels(study: StudySpec, source: Source) -> None:
    """See that every clip has votes if the study trains on them.

    Raises:
        HarnessError: if some have none; the first are named and all are counted.
    """
    if not study.training.soft_labels:
        return
    without = [clip.clip_id for clip in source.clips.values() if not clip.label_distribution]
    if len(without) == len(source.clips):
        raise HarnessError(
            f"training.soft_labels: {source.name} at {source.root} has no annotators' votes. "
            "DFEW's are in Annotation/annotation.xlsx; clip_folder's in columns 'votes:<class>' of its list."
        )
    if without:
        more = f" and {len(without) - NAMED} more" if len(without) > NAMED else ""
        raise HarnessError(
            f"training.soft_labels: {len(without)} of {len(source.clips)} clips of {source.name} have no votes: "
            f"{', '.join(without[:NAMED])}{more}. Complete the votes, or train on labels."
        )


def check_targets(recipe: RecipeSpec, training: TrainingSpec) -> None:
    """See that a recipe's objective takes class probabilities if the training gives it some.

    Raises:
        HarnessError: if it knows single labels only.
    """
    asked = [name for name in ("soft_labels", "mix") if getattr(training, name)]
    objective: Objective = load("objective", recipe.objective.name)
    if asked and not objective.takes_distributions:
        raise HarnessError(
            f"objective '{recipe.objective.name}' goes by single labels, and training.{asked[0]} gives class "
            "probabilities. Choose another objective, or leave it out."
        )
