"""A data set opened by its reader, and what that says checked, whoever wrote it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from harness.data.clip import Dataset, Source
from harness.errors import CollectedError, HarnessError, raised
from harness.plugins import code, load, source_file


def open_source(name: str, root: Path | None, options: dict[str, Any]) -> Source:
    """What the reader of a data set says of a folder.

    Raises:
        HarnessError: for what the reader finds wrong, and what is wrong with a reader itself.
    """
    reader: Dataset = load("dataset", name)
    told = code("dataset", name)
    try:
        source = reader.open(root, options)
    except HarnessError:
        raise
    except Exception as error:
        if not told:
            raise
        file = source_file("dataset", name)
        raise HarnessError(f"dataset '{name}' cannot be opened: {raised(error, file)}") from error
    _check(name, source)
    return replace(source, code=told) if told else source


def _check(name: str, source: Source) -> None:
    """See that labels are labels of classes and folds are of clips."""
    problems = list(_problems(source))
    headline = f"dataset '{name}' ({source_file('dataset', name)})"
    if len(problems) == 1:
        raise HarnessError(f"{headline}: {problems[0]}.")
    if problems:
        raise CollectedError(f"{headline}: {len(problems)} mistakes of its reader", problems)


def _problems(source: Source) -> Iterator[str]:
    count = len(source.classes)
    for clip_id, clip in source.clips.items():
        if clip_id != clip.clip_id:
            yield f"clip '{clip.clip_id}' is among the clips as '{clip_id}'"
        if not 0 <= clip.label < count:
            yield f"clip '{clip_id}' has label {clip.label}, and {count} classes are counted from 0 to {count - 1}"
    for number, fold in source.folds.items():
        for part, clip_ids in zip(fold._fields, fold, strict=True):
            for clip_id in clip_ids:
                if clip_id not in source.clips:
                    yield f"fold {number}, {part}: there is no clip '{clip_id}'"
