"""Suites: which perturbations at which severities, as data in ``suites/*.yaml``.

A suite may give its own level tables to perturbations, as published ones do. Such a variant is a perturbation with a
name of its own, ``imagenet_c.gaussian_noise``, so that no table of results can confuse it with ``gaussian_noise``.
"""

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import yaml

from perturbations._combine import member
from perturbations._contract import Perturbation

PACKAGE = Path(__file__).parent


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A perturbation of a suite and its severities."""

    perturbation: str
    severities: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Suite:
    """A named set of conditions.

    Attributes:
        name: the file it is written in.
        title: what it is for, in one sentence.
        members: perturbations by the name that ``load`` knows them by, each once.
        missing: what a published suite has and this one has not, with the reason.
    """

    name: str
    title: str
    members: tuple[Member, ...]
    missing: dict[str, str] = field(default_factory=dict)

    @property
    def names(self) -> tuple[str, ...]:
        """The perturbations, in the suite's order."""
        return tuple(each.perturbation for each in self.members)

    @property
    def conditions(self) -> tuple[tuple[str, int], ...]:
        """Every perturbation with every severity; the clean clip is not one of them."""
        return tuple((each.perturbation, severity) for each in self.members for severity in each.severities)


def suites() -> tuple[str, ...]:
    """The names of all suites, sorted."""
    return tuple(sorted(path.stem for path in (PACKAGE / "suites").glob("*.yaml")))


def suite(name: str) -> Suite:
    """A suite by name.

    Raises:
        ValueError: for an unknown name, or a severity outside 1..5.
    """
    data = _read(name)
    severities = {**_every_file_but(data), **(data.get("perturbations") or {})}
    severities |= {f"{name}.{variant}": None for variant in data.get("variants", {})}
    members = tuple(
        Member(perturbation=perturbation, severities=tuple(own or data["severities"]))
        for perturbation, own in severities.items()
    )
    wrong = [each.perturbation for each in members if not set(each.severities) <= set(range(1, 6))]
    if wrong:
        raise ValueError(f"{name}.yaml gives severities outside 1..5 for {', '.join(wrong)}.")
    return Suite(name=name, title=data["title"], members=members, missing=data.get("missing", {}))


def load(name: str) -> Perturbation:
    """A perturbation of this package: a file (``fog``), or a suite's variant of one (``imagenet_c.fog``).

    Raises:
        ValueError: for a name that is neither.
    """
    of_suite, dot, variant = name.partition(".")
    if not dot:
        if name not in perturbation_files():
            raise ValueError(f"No perturbation named '{name}'. Known: {', '.join(perturbation_files())}.")
        return member(name)
    data = _read(of_suite)
    variants: dict[str, Any] = data.get("variants", {})
    if variant not in variants:
        raise ValueError(f"Suite '{of_suite}' has no variant '{variant}'. Known: {', '.join(variants) or 'none'}.")
    told = variants[variant]
    base = member(told.get("of", variant))
    levels = tuple(float(level) * told.get("scale", 1.0) for level in told["levels"])
    return replace(base, title=f"{base.title} ({of_suite})", levels=levels, source=data["source"])


def _read(name: str) -> dict[str, Any]:
    if name not in suites():
        raise ValueError(f"No suite named '{name}'. Known: {', '.join(suites())}.")
    data: dict[str, Any] = yaml.safe_load((PACKAGE / "suites" / f"{name}.yaml").read_text(encoding="utf-8"))
    return data


def perturbation_files() -> list[str]:
    """The names of all perturbation files, sorted; nothing is imported."""
    return sorted(path.stem for path in PACKAGE.glob("*.py") if not path.name.startswith("_"))


def _every_file_but(data: dict[str, Any]) -> dict[str, None]:
    """All perturbation files but those of the suite named by ``every_file_but``; none without that key."""
    if "every_file_but" not in data:
        return {}
    other = set(suite(data["every_file_but"]).names)
    return {name: None for name in perturbation_files() if name not in other}
