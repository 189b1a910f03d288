"""What a study can name, in one line each."""

from __future__ import annotations

from typing import Any

from harness.errors import HarnessError, unknown
from harness.plugins import KINDS, load, names
from harness.spec.load import bundled_studies, load_study
from harness.spec.ready_spaces import ready_space, ready_spaces
from harness.train.conditions import suite
from models._blocks.cards import summary
from perturbations._suite import Suite, suites

PLURALS = {f"{kind}s": kind for kind in KINDS}


def lines(plural: str) -> list[str]:
    """One line for everything of a kind: its name, its title, and where it comes from.

    Raises:
        HarnessError: for a kind that there is not.
    """
    if plural == "spaces":
        spaces = {name: ready_space(name) for name in sorted(ready_spaces())}
        return [f"{name:28} {space.title}: {', '.join(space.search)}. {space.source}" for name, space in spaces.items()]
    if plural == "studies":
        return [f"{name:28} {load_study(path).question}" for name, path in sorted(bundled_studies().items())]
    if plural == "suites":
        return [f"{name:28} {_suite(suite(name))}" for name in suites()]
    if plural not in PLURALS:
        raise unknown("kind", plural, [*PLURALS, "spaces", "studies", "suites"])
    kind = PLURALS[plural]
    return [f"{name:28} {_line(kind, name)}" for name in names(kind)]


def _suite(one: Suite) -> str:
    return f"{one.title} {len(one.names)} perturbations, {len(one.conditions)} conditions."


def _line(kind: str, name: str) -> str:
    """What a plugin says of itself; one that cannot be loaded, such as another package's, leaves the others listed."""
    try:
        return _describe(kind, load(kind, name))
    except HarnessError as error:
        return str(error)
    except Exception as error:
        return f"cannot be loaded: {type(error).__name__}: {error}"


def _describe(kind: str, plugin: Any) -> str:
    """Title and source; a model also its cost and licence, a perturbation its levels and what becomes of the label."""
    if kind == "model":
        return f"{summary(plugin)} Verified: {plugin.verified}"
    if kind != "perturbation":
        return f"{plugin.title}. {getattr(plugin, 'paper', None) or getattr(plugin, 'source', '')}"
    levels = " ".join(f"{level:g}" for level in plugin.levels)
    order = "" if plugin.label_preserving == "yes" else ", destroys order"
    return f"{plugin.title} ({plugin.family}, {plugin.granularity}{order}): {levels} {plugin.unit}. {plugin.source}"
