"""Suites: which perturbations at which severities, as data in ``suites/*.yaml``.

A suite may give its own level tables to perturbations, as published ones do. Such a variant is a perturbation with a
name of its own, ``imagenet_c.gaussian_noise``, so that no table of results can confuse it with ``gaussian_noise``.
"""

from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path

from perturbations._combine import member
from perturbations._contract import Perturbation
from perturbations._published import with_pairs
from perturbations._suite_file import SuiteFile, read
from perturbations._trial import try_out

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
        ValueError: for an unknown name, or a file that is not one of a suite.
    """
    return _written_out(name, ())


def _written_out(name: str, asked_by: tuple[str, ...]) -> Suite:
    told = _told(name)
    severities = {**_every_file_but(told.every_file_but, (*asked_by, name)), **told.perturbations}
    severities |= {f"{name}.{variant}": None for variant in told.variants}
    members = tuple(
        Member(perturbation=perturbation, severities=own or told.severities) for perturbation, own in severities.items()
    )
    return Suite(name=name, title=told.title, members=members, missing=told.missing)


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
    told = _told(of_suite)
    if variant not in told.variants:
        known = ", ".join(told.variants) or "none"
        raise ValueError(f"Suite '{of_suite}' has no variant '{variant}'. Known: {known}.")
    return _variant(of_suite, told, variant)


def _variant(of_suite: str, told: SuiteFile, variant: str) -> Perturbation:
    own = told.variants[variant]
    file = own.of or variant
    base = member(file)
    second = own.scaled_second
    at_levels = with_pairs(base, own.scaled, second) if second else replace(base, levels=own.scaled)
    source = f"{told.source}; what they are levels of: {base.source}"
    return replace(at_levels, title=f"{base.title} ({of_suite})", source=source, made_of=(file,))


def _told(name: str) -> SuiteFile:
    if name not in suites():
        raise ValueError(f"No suite named '{name}'. Known: {', '.join(suites())}.")
    return _once_read(PACKAGE / "suites" / f"{name}.yaml")


@cache
def _once_read(file: Path) -> SuiteFile:
    """A suite's file, which is looked at for every condition of its variants, all of them tried."""
    told = read(file, perturbation_files())
    for variant in told.variants:
        try:
            try_out(_variant(file.stem, told, variant))
        except ValueError as error:
            raise ValueError(f"{file.name}: variants.{variant}: {error}") from error
    return told


def perturbation_files() -> list[str]:
    """The names of all perturbation files, sorted; nothing is imported."""
    return sorted(path.stem for path in PACKAGE.glob("*.py") if not path.name.startswith("_"))


def _every_file_but(other: str | None, asked_by: tuple[str, ...]) -> dict[str, None]:
    """All released perturbation files but those of another suite; none where no other is named."""
    if other is None:
        return {}
    asking = f"{asked_by[-1]}.yaml: every_file_but"
    if other in asked_by:
        raise ValueError(f"{asking}: suites leave out each other's members: {' -> '.join((*asked_by, other))}")
    if other not in suites():
        raise ValueError(f"{asking}: no suite named '{other}'. Known: {', '.join(suites())}.")
    left_out = set(_written_out(other, asked_by).names)
    return {name: None for name in _released_files() if name not in left_out}


def _released_files() -> list[str]:
    """The perturbation files of this suite version: what somebody adds to the folder is in no suite that names all."""
    released = (PACKAGE / "released.txt").read_text(encoding="utf-8").split()
    return [name for name in perturbation_files() if name in released]
