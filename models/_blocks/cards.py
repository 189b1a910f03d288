"""Model cards as text: what a network is, costs and takes, and what it was checked against (``docs/models.md``)."""

import dataclasses
import inspect
import re
from collections.abc import Mapping
from typing import Any

from models._blocks.cost import Cost, cost_of
from models._blocks.model import Model

CLASSES = 7
"""The basic expressions of DFEW and FERV39k."""


def summary(plugin: Model) -> str:
    """One line for lists: title, input, parameters, multiply-accumulates, licence, paper."""
    cost = _published_cost(plugin)
    shape = plugin.input
    return (
        f"{plugin.title} ({shape.frames}x{shape.size}x{shape.size}, {cost.parameters:,} parameters, "
        f"{cost.multiply_accumulates / 1e9:.2f} G MACs, {plugin.licence}). {plugin.paper}"
    )


def tables(plugins: Mapping[str, Model]) -> str:
    """Markdown: a table of all networks, then a section for each."""
    head = [
        "| name | network | input | parameters | G MACs | licence of the original |",
        "|:--|:--|:--|--:|--:|:--|",
        *(_row(name, plugins[name]) for name in sorted(plugins)),
    ]
    return "\n".join(head) + "\n" + "".join(_section(name, plugins[name]) for name in sorted(plugins))


def _row(name: str, plugin: Model) -> str:
    cost, shape = _published_cost(plugin), plugin.input
    size = f"{shape.frames} x {shape.size} x {shape.size}"
    return (
        f"| `{name}` | {plugin.title} | {size} | {cost.parameters:,} | {cost.multiply_accumulates / 1e9:.2f} "
        f"| {plugin.licence} |"
    )


def _section(name: str, plugin: Model) -> str:
    """Paper, what was verified, and every option with its default and its meaning."""
    lines = [f"\n### `{name}`: {plugin.title}\n", f"{plugin.paper}\n", f"Checked: {plugin.verified}\n"]
    meanings = option_meanings(plugin.config)
    fields: tuple[dataclasses.Field[Any], ...] = dataclasses.fields(plugin.config)
    if fields:
        lines += ["| option | default | meaning |", "|:--|:--|:--|"]
        lines += [f"| `{one.name}` | `{_shown(one.default)}` | {meanings[one.name]} |" for one in fields]
    else:
        lines.append("No options.")
    return "\n".join(lines) + "\n"


def option_meanings(config: type) -> dict[str, str]:
    """The Attributes section of a dataclass's docstring, by attribute.

    Raises:
        KeyError: for a field that the docstring does not describe.
    """
    _, _, section = (inspect.getdoc(config) or "").partition("Attributes:\n")
    entries = re.findall(r"^    (\w+): (.*?)(?=^    \w|\Z)", section, flags=re.MULTILINE | re.DOTALL)
    found = {name: " ".join(text.replace("``", "`").split()) for name, text in entries}
    return {field.name: found[field.name] for field in dataclasses.fields(config)}


def _published_cost(plugin: Model) -> Cost:
    """At the original's input, for seven classes."""
    return cost_of(plugin, plugin.config(), CLASSES, plugin.input)


def _shown(default: Any) -> str:
    """A default as a study writes it."""
    if isinstance(default, bool):
        return str(default).lower()
    return str(list(default)) if isinstance(default, tuple) else str(default)
