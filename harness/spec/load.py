"""From a yaml file to a StudySpec; every mistake in it is named with its key and the nearest valid one."""

from __future__ import annotations

import typing
from collections.abc import Hashable
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ValidationError

from harness.errors import CollectedError, HarnessError, near_miss
from harness.plugins import package_folders
from harness.spec.study import StudySpec
from harness.spec.words import said

YAML: dict[type, str] = {list: "list", str: "text", int: "number", float: "number"}


class _NoRepeatedKeys(yaml.SafeLoader):
    """A loader for which a key that is given twice is an error, instead of the last one winning."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        for index, key in enumerate(keys):
            if key in keys[:index]:
                raise yaml.constructor.ConstructorError(
                    None, None, f"key '{key}' is given twice", node.value[index][0].start_mark
                )
        return super().construct_mapping(node, deep)


def bundled_studies() -> dict[str, Path]:
    """The studies that come with dferbench, by name."""
    return {path.stem: path for folder in package_folders("studies") for path in folder.glob("*.yaml")}


def find_study(study: str) -> Path:
    """The file that a study argument means: a path, or the name of a bundled study.

    Raises:
        HarnessError: if there is neither.
    """
    path, bundled = Path(study), bundled_studies()
    if path.is_file():
        return path
    if study in bundled:
        return bundled[study]
    raise HarnessError(f"There is no study file {study}, nor a bundled study of that name. {near_miss(study, bundled)}")


def load_study(path: Path) -> StudySpec:
    """Read and check a study.

    Raises:
        HarnessError: if the file cannot be read, is not yaml, or says something that a study cannot say.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise HarnessError(f"{path}: cannot be read ({error}).") from error
    return parse_study(text, str(path))


def parse_study(text: str, name: str) -> StudySpec:
    """A study from yaml text; ``name`` is how errors call the file."""
    try:
        data = yaml.load(text, Loader=_NoRepeatedKeys)  # noqa: S506 - derives from SafeLoader
    except yaml.YAMLError as error:
        raise HarnessError(f"{name}: not valid yaml: {' '.join(str(error).split())}") from error
    if not isinstance(data, dict):
        seen = "it is empty" if data is None else f"this is a {YAML.get(type(data), 'value')}"
        raise HarnessError(f"{name}: a study is a mapping of keys, and {seen}. See docs/study.md for an example.")
    try:
        return StudySpec.model_validate(data)
    except ValidationError as error:
        problems = [f"{name}: {_sentence(item)}" for item in _own_mistakes(error)]
        if len(problems) == 1:
            raise HarnessError(problems[0]) from None
        raise CollectedError(f"{name}: {len(problems)} mistakes", problems) from None


def anchored(study: StudySpec) -> StudySpec:
    """The study with the root of its data as an absolute path; relative ones are taken from the working directory."""
    if study.dataset.root is None:
        return study
    root = str(Path(study.dataset.root).expanduser().absolute())
    return study.model_copy(update={"dataset": study.dataset.model_copy(update={"root": root})})


def dump_study(study: StudySpec) -> str:
    """The study as yaml text, every default written out."""
    return yaml.safe_dump(study.model_dump(mode="json"), sort_keys=False, allow_unicode=True)


def _own_mistakes(error: ValidationError) -> list[Any]:
    """The mistakes, without lists that are too short only because what stands in them is a mistake."""
    places = [item["loc"] for item in error.errors()]
    return [
        item
        for item, place in zip(error.errors(), places, strict=True)
        if item["type"] != "too_short" or not any(one[:-1] == place for one in places)
    ]


def _sentence(error: Any) -> str:
    """One mistake in words: where, what, and the nearest valid key."""
    where = ".".join(str(part) for part in error["loc"])
    if error["type"] == "extra_forbidden":
        known = _fields(StudySpec, error["loc"][:-1])
        return f"unknown key '{where}'. {near_miss(str(error['loc'][-1]), known)}"
    if error["type"] == "missing":
        return f"key '{where}' is missing."
    message = said(error)
    seen = error.get("input")
    shown = f" (seen: {seen!r})" if isinstance(seen, str | int | float | bool | None) else ""
    return f"{where + ': ' if where else ''}{message}{shown}"


def _fields(model: Any, location: tuple[str | int, ...]) -> tuple[str, ...]:
    """The keys that are allowed at a location of a study."""
    annotation: Any = model
    for part in location:
        if typing.get_origin(annotation) is dict:
            annotation = typing.get_args(annotation)[1]
        elif _is_model(annotation) and str(part) in annotation.model_fields:
            field = annotation.model_fields[str(part)].annotation
            inside = (field, *typing.get_args(field))
            annotation = next((one for one in inside if _is_model(one) or typing.get_origin(one) is dict), None)
    return tuple(annotation.model_fields) if _is_model(annotation) else ()


def _is_model(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)
