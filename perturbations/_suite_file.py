"""What a suite's file may say; anything else is an error that names the key."""

from collections.abc import Collection, Hashable
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

Number = Annotated[float, Field(strict=True, allow_inf_nan=False, ge=0)]


class _NoRepeatedKeys(yaml.SafeLoader):
    """A loader for which a key that is given twice is an error, instead of the last one winning."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        for place, key in enumerate(keys):
            if key in keys[:place]:
                mark = node.value[place][0].start_mark
                raise yaml.constructor.ConstructorError(None, None, f"key '{key}' is given twice", mark)
        return super().construct_mapping(node, deep)


def _one_way(levels: tuple[float, ...]) -> tuple[float, ...]:
    """Published tables hold a magnitude at two severities now and then, but a severity is never milder."""
    if len({after > before for before, after in pairwise(levels) if after != before}) > 1:
        raise ValueError("levels rise and fall; give them in one direction, from severity 1 to 5")
    return levels


Five = tuple[Number, Number, Number, Number, Number]
Levels = Annotated[Five, AfterValidator(_one_way)]


def _each_once(severities: tuple[int, ...]) -> tuple[int, ...]:
    if len(set(severities)) < len(severities):
        raise ValueError("a severity is given twice")
    return severities


Severity = Annotated[int, Field(ge=1, le=5, strict=True)]
Severities = Annotated[tuple[Severity, ...], Field(min_length=1), AfterValidator(_each_once)]


class VariantOf(BaseModel):
    """A perturbation at levels of the suite's own.

    Attributes:
        of: the perturbation's file; the variant's own name if not given.
        levels: at severities 1 to 5, in one direction; two neighbours may be equal.
        scale: what they, and those of ``second``, are multiplied by, above 0.
        second: what the perturbation's second parameter is at severities 1 to 5, if it has one; fixed if not given. It
            may rise and fall, as the softening of Tiny-ImageNet-C's discs does: what harms is the pair.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    of: str | None = None
    levels: Levels
    scale: Annotated[Number, Field(gt=0)] = 1.0
    second: Five | None = None

    @model_validator(mode="after")
    def _something_grows(self) -> "VariantOf":
        if all(each is None or each[0] == each[-1] for each in (self.levels, self.second)):
            raise ValueError("levels are all the same; severity 5 is to differ from severity 1")
        return self

    @property
    def scaled(self) -> tuple[float, float, float, float, float]:
        """The magnitudes at severities 1 to 5."""
        return self._scaled(self.levels)

    @property
    def scaled_second(self) -> tuple[float, float, float, float, float] | None:
        """The second magnitudes there."""
        return None if self.second is None else self._scaled(self.second)

    def _scaled(self, values: Five) -> tuple[float, float, float, float, float]:
        one, two, three, four, five = (value * self.scale for value in values)
        return one, two, three, four, five


class SuiteFile(BaseModel):
    """A file of ``suites``.

    Attributes:
        title: what the suite is for, in one sentence.
        severities: of every member that has none of its own.
        source: where the levels of variants come from.
        perturbations: files, each with severities of its own or none.
        every_file_but: a suite whose members are left out, while all other files are members.
        variants: perturbations at levels of their own, by the names that they have in this suite.
        missing: what a published suite has and this one has not, with the reason.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    title: str
    severities: Severities
    source: str = ""
    perturbations: dict[str, Severities | None] = Field(default_factory=dict)
    every_file_but: str | None = None
    variants: dict[str, VariantOf] = Field(default_factory=dict)
    missing: dict[str, str] = Field(default_factory=dict)


def _parsed(file: Path) -> Any:
    return yaml.load(file.read_text(encoding="utf-8"), Loader=_NoRepeatedKeys)  # noqa: S506 - derives from SafeLoader


def read(file: Path, known: Collection[str]) -> SuiteFile:
    """A suite's file, checked.

    Args:
        file: the file.
        known: the perturbations that there are.

    Raises:
        ValueError: if it says something that a suite's file may not.
    """
    try:
        told = SuiteFile.model_validate(_parsed(file))
    except yaml.constructor.ConstructorError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else "?"
        raise ValueError(f"{file.name}, line {line}: {error.problem}") from error
    except yaml.YAMLError as error:
        raise ValueError(f"{file.name} is not YAML: {' '.join(str(error).split())}") from error
    except ValidationError as error:
        problems = (
            f"{'.'.join(map(str, each['loc'])) or 'the file'}: {each['msg'].removeprefix('Value error, ')}"
            for each in error.errors()
        )
        raise ValueError(f"{file.name}: {'; '.join(problems)}") from error
    originals = [variant.of or name for name, variant in told.variants.items()]
    unknown = [name for name in (*told.perturbations, *originals) if name not in known]
    if unknown:
        raise ValueError(f"{file.name} names perturbations that there are not: {', '.join(unknown)}.")
    if told.variants and not told.source:
        raise ValueError(f"{file.name} has variants: say in 'source' where their levels come from.")
    if told.every_file_but == file.stem or not (told.perturbations or told.variants or told.every_file_but):
        raise ValueError(f"{file.name} has no members: give 'perturbations', 'variants' or 'every_file_but'.")
    return told
