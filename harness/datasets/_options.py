"""Options of a data set, checked with the near miss offered."""

from __future__ import annotations

from typing import Any, TypeVar

from pydantic import ValidationError

from harness.errors import HarnessError, near_miss
from harness.spec.strict import Strict
from harness.spec.words import said

T = TypeVar("T", bound=Strict)


def read_options(model: type[T], dataset: str, options: dict[str, Any]) -> T:
    """The options of a data set as its own type.

    Raises:
        HarnessError: for an unknown option or a value that does not fit; the option is named.
    """
    for name in options:
        if name not in model.model_fields:
            raise HarnessError(f"dataset {dataset} has no option '{name}'. {near_miss(name, model.model_fields)}")
    try:
        return model.model_validate(options)
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(str(part) for part in first["loc"])
        raise HarnessError(f"dataset {dataset}, option '{name}': {said(first)}, not {first['input']!r}.") from None
