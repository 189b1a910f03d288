"""What all readers share: the options every data set has, and the last steps from lists and files to a Source."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal

from pydantic import Field

from harness.data.clip import Clip, OfficialFold, Source
from harness.data.folds import k_fold, leave_out
from harness.datasets._classes import keep_classes
from harness.datasets._lists import Problems
from harness.errors import HarnessError
from harness.spec.strict import Strict

Protocol = Literal["official", "k_fold", "leave_group_out", "leave_domain_out"]


class ReaderOptions(Strict):
    """Options that every data set on disk has.

    Attributes:
        classes: classes to keep, in the order of their new labels; by default all.
        folds: the data set's own folds, or folds made here: stratified by class, groups whole.
        k: number of folds that ``k_fold`` makes.
        on_bad_clip: whether listed clips that are missing, empty or pointer stubs are an error or are left out and
            listed in ``Source.excluded``.
    """

    classes: tuple[str, ...] | None = None
    folds: Protocol = "official"
    k: int = Field(default=5, ge=2)
    on_bad_clip: Literal["error", "drop"] = "error"


def finish(source: Source, options: ReaderOptions, problems: Problems) -> Source:
    """Raise what was found, leave out what may be left out, keep the chosen classes, and make the chosen folds.

    Args:
        source: what lists and files say; without folds, k folds are made.
        options: the study's.
        problems: found on the way.

    Raises:
        HarnessError: for problems, an empty class, folds that cannot be made, or a ``k`` that makes none.
    """
    if options.on_bad_clip == "error":
        problems.found.extend(problems.bad.values())
    problems.raise_if_any(f"{source.name} at {source.root}: the lists and the files do not fit")
    source = keep_classes(source.without(problems.bad), options.classes)
    clips = source.clips.values()
    if "k" in options.model_fields_set and (options.folds.startswith("leave") or _own_folds(source, options)):
        raise HarnessError(
            f"{source.name}, option 'k': folds: {options.folds} makes no k folds, so k: {options.k} would be ignored. "
            "Set folds: k_fold, or leave k out."
        )
    if options.folds == "leave_group_out":
        return replace(source, folds=leave_out(clips, "group"))
    if options.folds == "leave_domain_out":
        return replace(source, folds=leave_out(clips, "domain"))
    if not _own_folds(source, options):
        return replace(source, folds=k_fold(clips, options.k, source.classes))
    return source


def _own_folds(source: Source, options: ReaderOptions) -> bool:
    """Whether the data set's own folds are used."""
    return options.folds == "official" and bool(source.folds)


def source_of(
    name: str, root: Path, classes: Sequence[str], clips: Iterable[Clip], folds: dict[int, OfficialFold]
) -> Source:
    """A Source with its clips by id."""
    return Source(
        name=name,
        root=root,
        classes=tuple(classes),
        clips={clip.clip_id: clip for clip in clips},
        folds=folds,
        excluded={},
    )


def class_label(word: str, classes: Sequence[str]) -> int:
    """The label of a class by its name, compared without case.

    Raises:
        HarnessError: for any other word; the classes are named.
    """
    lowered = [name.lower() for name in classes]
    if word.lower() not in lowered:
        raise HarnessError(f"'{word}' is none of the classes {', '.join(classes)}")
    return lowered.index(word.lower())
