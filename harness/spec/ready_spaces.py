"""Search spaces that come ready: a yaml file of domains, each with the published value and the reason for its range."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from harness.errors import near_miss
from harness.plugins import package_folders
from harness.spec.domain import Domain
from harness.spec.strict import Strict


class ReadyDomain(Domain):
    """A domain, what the method's authors use, and why the range is what it is.

    ``published`` is written into a recipe that says nothing of it, so that configuration 0 is the method as published.
    """

    published: Any
    why: str

    @property
    def domain(self) -> dict[str, Any]:
        """The domain alone, as a study file would say it."""
        return self.model_dump(mode="json", exclude={"published", "why"}, exclude_defaults=True)


class ReadySpace(Strict):
    """A named search space."""

    title: str
    source: str
    search: dict[str, ReadyDomain]


def ready_spaces() -> dict[str, Path]:
    """The files of all named spaces."""
    folders = package_folders("studies")
    return {path.stem: path for folder in folders for path in sorted((folder / "spaces").glob("*.yaml"))}


@lru_cache
def ready_space(name: str) -> ReadySpace:
    """A space by name.

    Raises:
        ValueError: for an unknown one; the nearest is offered.
    """
    known = ready_spaces()
    if name not in known:
        raise ValueError(f"no search space named '{name}'. {near_miss(name, known)}")
    return ReadySpace.model_validate(yaml.safe_load(known[name].read_text(encoding="utf-8")))


def expanded(method: dict[str, Any]) -> dict[str, Any]:
    """A method's yaml with its ``space`` written out as ``search``, and published values where the recipe has none.

    What ``search`` says itself comes first; ``null`` there takes a path out of the space.

    Raises:
        ValueError: for an unknown space, or ``null`` for a path that no space has.
    """
    named = method["space"]
    domains: dict[str, Any] = {}
    recipe = {key: value for key, value in method.items() if key != "space"}
    for name in [named] if isinstance(named, str) else list(named):
        for path, ready in ready_space(str(name)).search.items():
            domains[path] = ready.domain
            recipe = _written(recipe, path.split("."), ready.published)
    own = method.get("search") or {}
    unknown = [path for path, domain in own.items() if domain is None and path not in domains]
    if unknown:
        raise ValueError(f"search.{unknown[0]} is null, but no named space has it. {near_miss(unknown[0], domains)}")
    domains.update(own)
    return {**recipe, "search": {path: domain for path, domain in domains.items() if domain is not None}}


def _written(node: Any, parts: list[str], published: Any) -> Any:
    """The mapping with a value at a path, unless it has one; parts of a plugin or optimiser that is absent stay so."""
    if not isinstance(node, Mapping):
        return node
    first, *rest = parts
    if rest:
        return {**node, first: _written(node[first], rest, published)} if first in node else dict(node)
    return {**node, first: node.get(first, published)}
