"""Plugin options: from what a study says to the plugin's own typed settings."""

from __future__ import annotations

import dataclasses
from typing import Any

from pydantic import TypeAdapter, ValidationError

from harness.errors import HarnessError, near_miss


def typed_options(plugin: str, settings: type, options: dict[str, Any]) -> Any:
    """The plugin's frozen dataclass filled with a study's options.

    Args:
        plugin: how errors call the plugin, for example ``model 'hdf'``.
        settings: the plugin's dataclass.
        options: what the study says.

    Raises:
        HarnessError: for an unknown option (with the nearest known one) or a value of the wrong type.
    """
    known = [field.name for field in dataclasses.fields(settings)]
    for name in options:
        if name not in known:
            raise HarnessError(f"{plugin} has no option '{name}'. {near_miss(name, known)}")
    try:
        return TypeAdapter(settings).validate_python(options)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise HarnessError(f"{plugin}: option '{where}': {first['msg']} (seen: {first['input']!r})") from None
    except ValueError as error:
        raise HarnessError(f"{plugin}: {error}") from error
