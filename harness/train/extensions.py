"""What others add to a study: a trial is named by its source, too, so that changed code gives new trials."""

from __future__ import annotations

from harness.errors import HarnessError
from harness.plugins import code
from harness.seeds import digest
from harness.spec.method import RecipeSpec
from harness.spec.study import StudySpec


def with_code(study: StudySpec) -> StudySpec:
    """The study with what tells the source of networks and objectives of others written into its methods."""
    methods = {name: method.model_copy(update={"code": code_of(method)}) for name, method in study.methods.items()}
    return study.model_copy(update={"methods": methods})


def code_of(recipe: RecipeSpec) -> str | None:
    """What tells the source of a recipe's network and objective; ``None`` if dferbench was released with both."""
    found = [code("model", recipe.model.name), code("objective", recipe.objective.name)]
    return digest(found) if any(found) else None


def check_code(recipe: RecipeSpec) -> None:
    """See that this machine has the source that a trial is named by.

    Raises:
        HarnessError: if it has another.
    """
    if code_of(recipe) != recipe.code:
        raise HarnessError(
            f"The network '{recipe.model.name}' or the objective '{recipe.objective.name}' is not one that "
            "dferbench was released with, and its source on this machine is not the one that the study was started "
            "with. Install the same, or run the study again."
        )
