"""Plugin options: from what a study says to the plugin's own typed settings."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

from pydantic import TypeAdapter, ValidationError

from harness.errors import HarnessError, near_miss
from harness.spec.words import said

SIZES = {"width", "depth", "depths", "blocks", "hidden", "head_width", "bottleneck", "layers", "instance_length", "tau"}
"""Options of these names are above 0, whatever the plugin: a network rounds a width of -1 to one that it can build."""
SHARES = {"dropout", "stochastic_depth", "label_smoothing"}
"""Options of these names are from 0 up and below 1."""


def typed_options(plugin: str, settings: type, options: dict[str, Any]) -> Any:
    """The plugin's frozen dataclass filled with a study's options.

    Args:
        plugin: how errors call the plugin, for example ``model 'hdf'``.
        settings: the plugin's dataclass.
        options: what the study says.

    Raises:
        HarnessError: for an unknown option (with the nearest known one), a value of the wrong type, or one that cannot
            be, such as a negative width.
    """
    known = [field.name for field in dataclasses.fields(settings)]
    for name in options:
        if name not in known:
            raise HarnessError(f"{plugin} has no option '{name}'. {near_miss(name, known)}")
    try:
        filled: Any = TypeAdapter(settings).validate_python(options)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise HarnessError(f"{plugin}: option '{where}': {said(first)} (seen: {first['input']!r})") from None
    except ValueError as error:
        raise HarnessError(f"{plugin}: {error}") from error
    for name in known:
        _check_range(plugin, name, getattr(filled, name))
    return filled


def _check_range(plugin: str, name: str, value: Any) -> None:
    """See that a size is a size and a share a share."""
    numbers = [one for one in (value if isinstance(value, tuple) else (value,)) if isinstance(one, int | float)]
    if name in SIZES and not all(0 < one < math.inf for one in numbers):
        raise HarnessError(f"{plugin}: option '{name}' must be above 0, not {value}.")
    if name in SHARES and not all(0 <= one < 1 for one in numbers):
        raise HarnessError(f"{plugin}: option '{name}' must be at least 0 and below 1, not {value}.")
