"""A study: one question, the methods that answer it, and the conditions they are judged under."""

from __future__ import annotations

import re

from pydantic import Field, field_validator, model_validator

from harness.spec.each_once import each_once
from harness.spec.method import MethodSpec
from harness.spec.resources import ResourcesSpec
from harness.spec.search import SearchSpec
from harness.spec.strict import Strict
from harness.spec.trial import CLEAN, CLEAN_CONDITION, ClipSpec, Condition, DatasetSpec, TrainingSpec, ValidationSpec

TRIALS_FOLDER = "units"
"""Lies beside the studies' own folders in a runs folder."""
LONGEST_NAME = 100
"""Characters of a study's name; file systems allow 255 in a folder's, and jobs are named after studies."""


class StressSpec(Strict):
    """The perturbations that trained networks are tested under, beside the clean clips."""

    suite: str | None = None
    """A suite (``dferbench list suites``) whose members are added; suites are files of ``perturbations/suites``."""
    perturbations: tuple[str, ...] = ()
    """Perturbations (``dferbench list perturbations``) that are shown at all of ``severities``."""
    severities: tuple[int, ...] = (1, 3, 5)
    """1 to 5; the clean clip is always included."""
    members: dict[str, tuple[int, ...]] = Field(default_factory=dict)
    """Perturbations with severities of their own: ``{fog: [2, 4]}``."""
    repeats: int = Field(default=1, ge=1)
    """Draws of each perturbation that draws; every clip is tested under each."""
    features: bool = False
    """Stores the pooled features of the clean test clips for the report's map of them."""
    audit: bool = True
    """Measures every epoch of a confirmed trial on the clean test clips after its training has moved on, and tests its
    last epoch and its best one on the test fold under all conditions, so that the report can show every number under
    three rules of selection. That is up to three times the testing (clips are perturbed once for all) and three times
    the weights on storage."""

    @model_validator(mode="after")
    def _documented_levels(self) -> StressSpec:
        for severities in (self.severities, *self.members.values()):
            if any(severity not in range(1, 6) for severity in severities):
                raise ValueError(
                    f"severities are 1 to 5 (0, the clean clip, is always included), not {list(severities)}"
                )
        bare = [name for name, severities in self._severities.items() if not severities]
        if bare:
            raise ValueError(f"{', '.join(bare)}: no severities are given; give some of 1 to 5, or take the name out")
        if CLEAN in self.names:
            raise ValueError(f"'{CLEAN}' is no perturbation: the clean clip is always included; take the name out")
        return self

    @property
    def names(self) -> tuple[str, ...]:
        """Every perturbation that is named here, each once."""
        return tuple(self._severities)

    @property
    def conditions(self) -> tuple[Condition, ...]:
        """The clean condition and every perturbation at every severity, each once."""
        perturbed = (
            Condition(perturbation=name, severity=severity)
            for name, severities in self._severities.items()
            for severity in dict.fromkeys(severities)
        )
        return (CLEAN_CONDITION, *perturbed)

    @property
    def _severities(self) -> dict[str, tuple[int, ...]]:
        """The severities of every perturbation that is named here."""
        return dict.fromkeys(self.perturbations, self.severities) | self.members


class StudySpec(Strict):
    """What one yaml says: one question, and all that its answer depends on."""

    name: str
    """Names the study's folder: lower-case letters, digits, - and _."""
    question: str
    """What the study asks, in one sentence; heads the report."""
    dataset: DatasetSpec
    """What it is trained and tested on."""
    folds: tuple[int, ...] = Field(min_length=1)
    """Numbers of the data set's folds, from 1."""
    seeds: tuple[int, ...] = Field(default=(0,), min_length=1)
    """Every method is trained on every fold with each of them."""
    clip: ClipSpec = ClipSpec()
    """What a network sees of a video."""
    validation: ValidationSpec = ValidationSpec()
    """What is set aside of each training fold."""
    training: TrainingSpec = TrainingSpec()
    """How every method is trained."""
    methods: dict[str, MethodSpec] = Field(min_length=1)
    """What is compared, by the names that the report uses."""
    search: SearchSpec | None = None
    """How the methods' searched numbers are searched; ``null`` without any."""
    stress: StressSpec = StressSpec()
    """What trained networks are tested under."""
    resources: ResourcesSpec = ResourcesSpec()
    """What one trial is given."""

    @field_validator("name")
    @classmethod
    def _name_is_a_folder(cls, name: str) -> str:
        if not re.fullmatch(r"[a-z0-9][a-z0-9_-]*", name):
            raise ValueError(f"'{name}' must be lower-case letters, digits, - and _, because it names a folder")
        if len(name) > LONGEST_NAME:
            raise ValueError(f"'{name}' has {len(name)} characters, and a folder's name at most {LONGEST_NAME}")
        if name == TRIALS_FOLDER:
            raise ValueError(f"'{name}' is what the folder of all studies' trials is called")
        return name

    @field_validator("methods")
    @classmethod
    def _names_are_one_line(cls, methods: dict[str, MethodSpec]) -> dict[str, MethodSpec]:
        for name in methods:
            if not re.fullmatch(r"[^./\\\s][^/\\\x00-\x1f\x7f]*", name) or len(name) > LONGEST_NAME:
                raise ValueError(
                    f"{name!r} must be a line of at most {LONGEST_NAME} characters without slashes that begins with "
                    "neither a dot nor a space, because it names a folder"
                )
        return methods

    @field_validator("folds", "seeds")
    @classmethod
    def _no_repeats(cls, values: tuple[int, ...]) -> tuple[int, ...]:
        return each_once(values)

    @field_validator("seeds")
    @classmethod
    def _counted_from_0(cls, seeds: tuple[int, ...]) -> tuple[int, ...]:
        if min(seeds, default=0) < 0:
            raise ValueError(f"seeds are whole numbers from 0 up, not {min(seeds)}")
        return seeds

    @model_validator(mode="after")
    def _search_is_consistent(self) -> StudySpec:
        searched = [name for name, method in self.methods.items() if method.search]
        if searched and self.search is None:
            raise ValueError(f"methods {searched} give search domains, but the study has no search section")
        pointed = [name for name, method in self.methods.items() if method.points and not method.search]
        if pointed:
            raise ValueError(f"methods {pointed} give points, but no search domains")
        if self.search and self.search.seed in self.seeds:
            raise ValueError(f"search.seed {self.search.seed} is also in seeds: the search would pick its own judges")
        return self

    def resources_of(self, method: str) -> ResourcesSpec:
        """What a trial of a method asks of the scheduler: its own resources, or the study's."""
        return self.methods[method].resources or self.resources
