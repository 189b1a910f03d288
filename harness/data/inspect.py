"""A look at a data set before it is trusted: layout, counts beside the known ones, lengths, damage, duplicates."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from harness.data.clip import EmptyClassError, KnownCounts, Source
from harness.data.health import Duplicate, Health, examine_all, near_duplicates
from harness.data.opening import open_source
from harness.data.remarks import differences, is_another, total, unused, vote_remarks
from harness.errors import CollectedError, HarnessError
from harness.plugins import load, names

GENERAL = ("clip_folder", "synthetic", "cross")
"""Readers that are not tried, or only last: one takes any folder, the others read other sets' layouts."""

LENGTHS = (1, 8, 16, 32, 48, 64, 96, 128, 192, 256)
"""Left edges of the bins of the clip-length histogram, in frames; the last bin is open."""

OnProgress = Callable[[int, int], None]


@dataclass(frozen=True, kw_only=True)
class Inspection:
    """What was found under a root.

    Attributes:
        root: where it was looked.
        dataset: the reader whose layout it is.
        source: what lists and files say; ``None`` if they contradict each other.
        problems: what is wrong with lists and files.
        remarks: in which way the data differs from what is known of the data set.
        known: published counts, if there are any.
        healths: one per clip, empty if no clip was looked at.
        duplicates: near-duplicate clips.
        unused: videos and folders that lie beside the clips, and that no list names (or no list that is used).
    """

    root: Path
    dataset: str
    source: Source | None
    problems: tuple[str, ...]
    remarks: tuple[str, ...] = ()
    known: KnownCounts | None = None
    healths: tuple[Health, ...] = ()
    duplicates: tuple[Duplicate, ...] = ()
    unused: tuple[Path, ...] = ()

    @property
    def partial(self) -> bool:
        """Whether classes are missing, so that counts cannot be compared with the known ones."""
        if self.source is None or self.known is None:
            return False
        return any(len(counts) != len(self.source.classes) for counts in self.known.test.values())

    @property
    def unreadable(self) -> dict[str, str]:
        """Clips that cannot be read, with the reason."""
        return {health.clip_id: health.problem for health in self.healths if health.problem}

    @property
    def lengths(self) -> tuple[int, ...]:
        """Frames of every readable clip, sorted."""
        return tuple(sorted(health.num_frames for health in self.healths if not health.problem))

    @property
    def histogram(self) -> dict[int, int]:
        """Clips per bin of ``LENGTHS``."""
        counts, _ = np.histogram(self.lengths, bins=[*LENGTHS, np.inf])
        return dict(zip(LENGTHS, counts.tolist(), strict=True))

    @property
    def straddling(self) -> dict[int, list[Duplicate]]:
        """Near-duplicates of which one is a training and one a test clip, by fold."""
        if self.source is None:
            return {}
        sides = {number: (set(fold.train), set(fold.test)) for number, fold in self.source.folds.items()}
        return {
            number: [pair for pair in self.duplicates if _parted(pair, train, test)]
            for number, (train, test) in sides.items()
        }


def inspect(
    root: Path,
    dataset: str | None = None,
    options: Mapping[str, Any] | None = None,
    *,
    decode: bool = True,
    workers: int = 1,
    on_progress: OnProgress | None = None,
) -> Inspection:
    """Find out which data set lies under a root and what is the matter with it.

    Args:
        root: the folder.
        dataset: its reader; by default every reader is tried and the one with the fewest problems is taken.
        options: the reader's.
        decode: whether every clip is decoded, for damage, lengths and duplicates.
        workers: decoding processes.
        on_progress: called with (clips done, clips in all).

    Raises:
        HarnessError: if no reader knows the layout; what each of them missed is named.
    """
    found = _recognise(root, dataset, dict(options or {}))
    source = found.source
    if source is None:
        return found
    if found.known is not None and is_another(source, found.known):
        counts = f"{len(source.clips)} clips instead of {total(found.known)}"
        remark = f"{counts}: another data set, or a part of it, in the layout of {found.dataset}"
        found = replace(found, known=None, remarks=(*found.remarks, remark))
    found = replace(found, remarks=(*found.remarks, *differences(source, found.known), *vote_remarks(source)))
    found = replace(found, unused=tuple(unused(source)))
    if not decode:
        return found
    healths = []
    clips = list(source.clips.values())
    for health in examine_all(clips, workers):
        healths.append(health)
        if on_progress is not None:
            on_progress(len(healths), len(clips))
    found = replace(found, healths=tuple(healths), duplicates=tuple(near_duplicates(healths)))
    return replace(found, remarks=(*found.remarks, *_health_remarks(found)))


def _recognise(root: Path, dataset: str | None, options: dict[str, Any]) -> Inspection:
    """The reader that fits a root best: without problems, else with the fewest."""
    tried = [dataset] if dataset else [name for name in names("dataset") if name not in GENERAL]
    missed: dict[str, str] = {}
    candidates: list[Inspection] = []
    for name in tried:
        try:
            candidates.append(_opened(name, root, options))
        except HarnessError as error:
            missed[name] = str(error)
    if not candidates and dataset is None:
        return _recognise(root, GENERAL[0], options)
    if not candidates:
        reasons = "; ".join(missed.values())
        raise HarnessError(f"No reader knows the layout of {root}: {reasons}")
    return min(candidates, key=lambda found: len(found.problems))


def _opened(name: str, root: Path, options: dict[str, Any]) -> Inspection:
    """A root as one reader sees it; clips without files are problems, and classes without clips a remark.

    Raises:
        HarnessError: if the layout is not this reader's.
    """
    plugin = load("dataset", name)
    known = getattr(plugin, "known", None)
    remarks: tuple[str, ...] = ()
    try:
        try:
            source = open_source(name, root, {"on_bad_clip": "drop", **options})
        except EmptyClassError as error:
            present = ", ".join(error.present)
            remarks = (f"only {len(error.present)} classes have clips; a study must say classes: [{present}]",)
            source = open_source(name, root, {"on_bad_clip": "drop", **options, "classes": error.present})
    except CollectedError as error:
        return Inspection(root=root, dataset=name, source=None, problems=error.problems, known=known)
    problems = tuple(source.excluded.values())
    return Inspection(root=root, dataset=name, source=source, problems=problems, remarks=remarks, known=known)


def _health_remarks(found: Inspection) -> Iterator[str]:
    """What decoding showed, in words."""
    short = sum(length < 16 for length in found.lengths)
    known = found.known.shorter_than_16 if found.known else None
    if known is not None and short != known and not found.partial:
        yield f"{short} clips have fewer than 16 frames instead of {known}"
    gaps = [health.clip_id for health in found.healths if health.gap]
    if gaps:
        yield f"{len(gaps)} frame folders skip a number, '{gaps[0]}' first: frames may be missing"
    for number, pairs in found.straddling.items():
        if pairs:
            nearest = pairs[0]
            yield (
                f"fold {number}: {len(pairs)} near-duplicates are on both sides, "
                f"'{nearest.one}' and '{nearest.other}' first ({nearest.distance:.1%} of hash bits differ)"
            )


def _parted(pair: Duplicate, train: set[str], test: set[str]) -> bool:
    return (pair.one in train and pair.other in test) or (pair.one in test and pair.other in train)
