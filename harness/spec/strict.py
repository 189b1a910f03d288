"""The two kinds of settings: those we know every key of, and those that a plugin owns."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict


class Strict(BaseModel):
    """Frozen settings in which an unknown key is an error. What a key means is said below it, for docs/study.md too."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, use_attribute_docstrings=True)


class PluginSpec(BaseModel):
    """A plugin by name, with the options that it alone understands: ``{name: hdf, width: 1.0}``.

    The options are checked by the plugin when it is loaded, before anything is trained.
    """

    model_config = ConfigDict(frozen=True, extra="allow", allow_inf_nan=False, use_attribute_docstrings=True)

    name: str
    """One of those that ``dferbench list`` shows."""

    @property
    def options(self) -> dict[str, Any]:
        """Everything but the name."""
        return dict(self.model_extra or {})
