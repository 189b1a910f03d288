"""Suites: which perturbations at which severities, as data in ``suites/*.yaml``."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

FOLDER = Path(__file__).parent / "suites"


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
        members: perturbations by the name they are loaded by, each once.
    """

    name: str
    title: str
    members: tuple[Member, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """The perturbations, in the suite's order."""
        return tuple(member.perturbation for member in self.members)

    @property
    def conditions(self) -> tuple[tuple[str, int], ...]:
        """Every perturbation with every severity; the clean clip is not one of them."""
        return tuple((member.perturbation, severity) for member in self.members for severity in member.severities)


def suites() -> tuple[str, ...]:
    """The names of all suites, sorted."""
    return tuple(sorted(path.stem for path in FOLDER.glob("*.yaml")))


def suite(name: str) -> Suite:
    """A suite by name.

    Raises:
        ValueError: for an unknown name, a perturbation given twice, or a severity outside 1..5.
    """
    if name not in suites():
        raise ValueError(f"No suite named '{name}'. Known: {', '.join(suites())}.")
    data: dict[str, Any] = yaml.safe_load((FOLDER / f"{name}.yaml").read_text(encoding="utf-8"))
    members = tuple(
        Member(perturbation=perturbation, severities=tuple(severities or data["severities"]))
        for perturbation, severities in data["perturbations"].items()
    )
    wrong = [member.perturbation for member in members if not set(member.severities) <= set(range(1, 6))]
    if wrong:
        raise ValueError(f"{name}.yaml gives severities outside 1..5 for {', '.join(wrong)}.")
    return Suite(name=name, title=data["title"], members=members)
