"""The tables of ``docs/study.md``: every key of a study, written from the models that read it."""

from __future__ import annotations

import json
import types
import typing
from collections.abc import Iterator
from typing import Any, Literal, NamedTuple

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from harness.spec.domain import Value
from harness.spec.strict import PluginSpec
from harness.spec.study import StudySpec

HEAD = "| key | type | default | meaning |\n|:--|:--|:--|:--|"
WORDS = {
    str: "text",
    int: "whole number",
    float: "number",
    bool: "`true` or `false`",
    types.NoneType: "`null`",
    Value: "value",
}
PLURALS = {str: "texts", int: "whole numbers", Value: "values"}
SIGNS = {"ge": "at least", "gt": "above", "le": "at most", "lt": "below"}
ANY_NAME = "<name>"


class Section(NamedTuple):
    """A mapping of a study: the dotted path that it lies at, and the model that reads it."""

    path: str
    model: type[BaseModel]

    @property
    def title(self) -> str:
        """The heading under which its keys are found."""
        return f"`{self.path}`" if self.path else "A study"


def tables() -> str:
    """A section for every mapping of a study, each model once, in Markdown."""
    return "\n\n".join(map(_section, sections())) + "\n"


def sections() -> list[Section]:
    """Every mapping of a study, each model once, at the shallowest place where it is met."""
    found: dict[type[BaseModel], Section] = {}
    waiting = [Section("", StudySpec)]
    while waiting:
        section = waiting.pop(0)
        if section.model not in found:
            found[section.model] = section
            waiting += _inside(section)
    order = ["", *StudySpec.model_fields]
    return sorted(found.values(), key=lambda section: order.index(section.path.partition(".")[0]))


def _inside(section: Section) -> Iterator[Section]:
    for name, field in section.model.model_fields.items():
        path = f"{section.path}.{name}".removeprefix(".")
        for model, suffix in _models(field.annotation, ""):
            if model is not PluginSpec:
                yield Section(path + suffix, model)


def _models(annotation: Any, suffix: str) -> Iterator[tuple[type[BaseModel], str]]:
    """The models within an annotation, each with what its path ends in."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation, suffix
    named = f".{ANY_NAME}" if typing.get_origin(annotation) is dict else ""
    for part in typing.get_args(annotation):
        yield from _models(part, suffix + named)


def _section(section: Section) -> str:
    about = " ".join((section.model.__doc__ or "").split()).replace("``", "`")
    rows = (_row(name, field) for name, field in section.model.model_fields.items() if name != "weights")
    return "\n".join([f"### {section.title}", "", about, "", HEAD, *rows])


def _row(name: str, field: FieldInfo) -> str:
    meaning = " ".join((field.description or "").split()).replace("``", "`")
    cells = (f"`{name}`", _kind(field), _default(field), meaning)
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def _kind(field: FieldInfo) -> str:
    limits = [
        f"{SIGNS[sign]} {getattr(bound, sign):g}"
        for bound in field.metadata
        for sign in SIGNS
        if getattr(bound, sign, None) is not None
    ]
    limits += ["not empty" for bound in field.metadata if getattr(bound, "min_length", None)]
    return " ".join([_words(field.annotation).replace(" or `null`", ""), " and ".join(limits)]).strip()


def _words(annotation: Any) -> str:
    """A type in a reader's words."""
    if annotation in WORDS:
        return WORDS[annotation]
    origin, inside = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is Literal:
        return ", ".join(f"`{value}`" for value in inside)
    if origin is tuple:
        return (
            f"list of {PLURALS.get(inside[0]) or _words(inside[0])}"
            if inside[-1] is ...
            else f"[{', '.join(map(_words, inside))}]"
        )
    if origin is dict:
        return f"mapping of names, each to: {_words(inside[1])}"
    if origin is not None:
        return " or ".join(dict.fromkeys(map(_words, inside)))
    if annotation is PluginSpec:
        return "`{name: ..., its options}`"
    return "mapping (below)"


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    value = field.get_default(call_default_factory=True)
    if isinstance(value, BaseModel):
        return f"`{{name: {value.name}}}`" if type(value) is PluginSpec else "its defaults"
    if isinstance(value, tuple):
        return f"`[{', '.join(map(str, value))}]`"
    return f"`{value if isinstance(value, str) else json.dumps(value)}`"
