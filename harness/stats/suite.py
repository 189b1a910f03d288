"""The conditions of a study with their families: what is averaged with what, and what is kept apart."""

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from harness.errors import HarnessError
from harness.spec.trial import CLEAN, Condition


@dataclass(frozen=True, slots=True, kw_only=True)
class SuiteCondition:
    """A condition and what the suite says about it.

    Attributes:
        condition: perturbation and severity.
        family: conditions of a family are averaged before families are.
        label_preserving: ``yes``, or ``order`` where the order of frames is destroyed.
        title: the perturbation's name for people.
        code: what tells the source of a perturbation of another package.
    """

    condition: Condition
    family: str
    label_preserving: str
    title: str
    code: str = ""


@dataclass(frozen=True, kw_only=True)
class Suite:
    """All perturbed conditions of a study, in their order; the clean condition is not among them."""

    version: str
    conditions: tuple[SuiteCondition, ...]

    @cached_property
    def by_condition(self) -> dict[Condition, SuiteCondition]:
        """What the suite says about a condition."""
        return {entry.condition: entry for entry in self.conditions}

    def families(self, label_preserving: str = "yes") -> dict[str, tuple[Condition, ...]]:
        """The families that preserve the label (or the order-destroying ones), each with its conditions."""
        found: dict[str, list[Condition]] = {}
        for entry in self.conditions:
            if entry.label_preserving == label_preserving:
                found.setdefault(entry.family, []).append(entry.condition)
        return {family: tuple(conditions) for family, conditions in found.items()}

    def perturbations(self) -> dict[str, tuple[SuiteCondition, ...]]:
        """Each perturbation's conditions by rising severity."""
        found: dict[str, list[SuiteCondition]] = {}
        for entry in self.conditions:
            found.setdefault(entry.condition.perturbation, []).append(entry)
        return {
            name: tuple(sorted(entries, key=lambda entry: entry.condition.severity)) for name, entries in found.items()
        }

    def restricted_to(self, conditions: tuple[Condition, ...]) -> "Suite":
        """The suite without the conditions that were not tested everywhere."""
        kept = tuple(entry for entry in self.conditions if entry.condition in conditions)
        return Suite(version=self.version, conditions=kept)


def read_suite(path: Path) -> Suite:
    """Read ``suite.json``: ``{"version": ..., "conditions": [{"perturbation", "severity", "family", ...}]}``.

    Raises:
        HarnessError: if the file is missing or a condition lacks one of its five keys.
    """
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        entries = tuple(_entry(row) for row in data["conditions"] if row["perturbation"] != CLEAN)
    except FileNotFoundError:
        raise HarnessError(f"There is no {path.name} in {path.parent}. Run the study first.") from None
    except (json.JSONDecodeError, KeyError, TypeError) as error:
        raise HarnessError(f"{path} is not a suite file ({error!r}). Run the study again to write it anew.") from error
    return Suite(version=str(data["version"]), conditions=entries)


def _entry(row: dict[str, str | float]) -> SuiteCondition:
    condition = Condition(perturbation=str(row["perturbation"]), severity=float(row["severity"]))
    return SuiteCondition(
        condition=condition,
        family=str(row["family"]),
        label_preserving=str(row["label_preserving"]),
        title=str(row["title"]),
        code=str(row.get("code", "")),
    )
