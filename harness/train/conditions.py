"""Perturbations and suites by the names that studies give them."""

from __future__ import annotations

from collections.abc import Sequence

from harness.errors import LISTED, HarnessError, near_miss, unknown
from harness.plugins import code, load, names
from harness.seeds import digest
from harness.spec.study import StudySpec
from perturbations import _suite
from perturbations._contract import Perturbation


def perturbation(name: str) -> Perturbation:
    """A perturbation: a file (``fog``), another package's, or a suite's variant of one (``imagenet_c.fog``).

    Raises:
        HarnessError: for a name that is none of them.
    """
    if "." not in name:
        plugin: Perturbation = load("perturbation", name)
        return plugin
    try:
        return _suite.load(name)
    except ValueError as error:
        raise HarnessError(str(error)) from error


def parts(name: str) -> frozenset[str]:
    """A perturbation's name and those of all that it contains: ``combined_pixelate`` contains ``pixelate``.

    Raises:
        HarnessError: for an unknown name.
    """
    return frozenset({name}).union(*(parts(part) for part in perturbation(name).made_of))


def foreign_code(name: str) -> str:
    """What tells the source of those of a perturbation's parts that dferbench was not released with; empty without any.

    Raises:
        HarnessError: for an unknown name.
    """
    found = [part_code for part in sorted(parts(name)) if (part_code := code("perturbation", part))]
    return digest(found) if found else ""


def suite(name: str) -> _suite.Suite:
    """A suite by name.

    Raises:
        HarnessError: for an unknown one, with the nearest, or a file that is not one of a suite.
    """
    if name not in _suite.suites():
        raise unknown("suite", name, _suite.suites())
    try:
        return _suite.suite(name)
    except ValueError as error:
        raise HarnessError(str(error)) from error


def with_suite(study: StudySpec) -> StudySpec:
    """The study with its suite written out as members, so that the file that is kept says what was tested.

    Raises:
        HarnessError: for an unknown suite.
    """
    if study.stress.suite is None:
        return study
    if study.stress.suite not in _suite.suites():
        known = near_miss(study.stress.suite, _suite.suites(), LISTED["suite"])
        raise HarnessError(f"stress.suite: no suite named '{study.stress.suite}'. {known}")
    members = {each.perturbation: each.severities for each in suite(study.stress.suite).members}
    stress = study.stress.model_copy(update={"suite": None, "members": {**members, **study.stress.members}})
    return study.model_copy(update={"stress": stress})


def expand(wanted: Sequence[str]) -> dict[str, Perturbation]:
    """The perturbations of names and of suites, each once, by name.

    Raises:
        HarnessError: for a name that is neither.
    """
    found: dict[str, Perturbation] = {}
    for name in wanted:
        if name in _suite.suites():
            found |= {each: perturbation(each) for each in suite(name).names}
        elif "." in name or name in names("perturbation"):
            found[name] = perturbation(name)
        else:
            raise unknown("perturbation or suite", name, [*names("perturbation"), *_suite.suites()])
    return found
