"""The classes of a study: all of a data set's, or some of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from harness.data.clip import EmptyClassError, OfficialFold, Source
from harness.data.votes import regrouped
from harness.errors import HarnessError, unknown


def keep_classes(source: Source, classes: Sequence[str] | None) -> Source:
    """The data set with some of its classes, relabelled in the given order; ``None`` keeps all.

    Raises:
        HarnessError: for an unknown or repeated class, or a class without a clip.
    """
    kept = tuple(classes) if classes is not None else source.classes
    for name in kept:
        if name not in source.classes:
            raise unknown("class", name, source.classes)
    if len(set(kept)) != len(kept) or len(kept) < 2:
        raise HarnessError(f"{source.name}, option 'classes': give two or more different classes, not {list(kept)}.")
    new_label = {source.classes.index(name): label for label, name in enumerate(kept)}
    own = [[source.classes.index(name)] for name in kept]
    clips = {
        clip_id: replace(clip, label=new_label[clip.label], label_distribution=regrouped(clip.label_distribution, own))
        for clip_id, clip in source.clips.items()
        if clip.label in new_label
    }
    folds = {
        index: OfficialFold(*(tuple(clip_id for clip_id in split if clip_id in clips) for split in fold))
        for index, fold in source.folds.items()
    }
    _check_none_empty(source, kept, {clip.label for clip in clips.values()})
    return replace(source, classes=kept, clips=clips, folds=folds)


def _check_none_empty(source: Source, classes: Sequence[str], labels: set[int]) -> None:
    """See that every class has a clip; a class without one can be neither learned nor recalled."""
    empty = [name for label, name in enumerate(classes) if label not in labels]
    if empty:
        present = [name for label, name in enumerate(classes) if label in labels]
        raise EmptyClassError(
            f"{source.name} at {source.root}: empty class {', '.join(repr(name) for name in empty)}: no clip has it. "
            f"To leave it out, set the data set's option classes: [{', '.join(present)}].",
            tuple(present),
        )
