"""In which way an opened data set differs from what is known of it, and from what lies on disk."""

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from harness.data.clip import KnownCounts, Source
from harness.data.files import is_video

ANOTHER = 0.2
"""Share of its clips by which a data set may differ from the known one and still be compared with it count by count."""


def class_counts(source: Source, clip_ids: Sequence[str]) -> tuple[int, ...]:
    """Clips per class, in label order."""
    counts = Counter(source.clips[clip_id].label for clip_id in clip_ids)
    return tuple(counts[label] for label in range(len(source.classes)))


def total(known: KnownCounts) -> int:
    """Clips of the first fold's two parts together."""
    first = min(known.test)
    return sum(known.test[first]) + sum(known.train[first])


def is_another(source: Source, known: KnownCounts) -> bool:
    """Whether there are so many more or fewer clips that counts need not be compared one by one."""
    complete = len(source.classes) == len(known.test[min(known.test)])
    return complete and abs(len(source.clips) - total(known)) > ANOTHER * total(known)


def differences(source: Source, known: KnownCounts | None) -> Iterator[str]:
    """In which folds and classes the counts are not the known ones."""
    if known is None:
        return
    if set(source.folds) != set(known.test):
        yield f"folds {sorted(source.folds)} instead of {sorted(known.test)}"
    for number in sorted(set(source.folds) & set(known.test)):
        fold = source.folds[number]
        for split, ids, expected in (("train", fold.train, known.train), ("test", fold.test, known.test)):
            counts = class_counts(source, ids)
            if len(counts) == len(expected[number]) and counts != expected[number]:
                wrong = [
                    f"{name} {seen} instead of {stated}"
                    for name, seen, stated in zip(source.classes, counts, expected[number], strict=True)
                    if seen != stated
                ]
                yield f"fold {number}, {split}: {', '.join(wrong)}"


def vote_remarks(source: Source) -> Iterator[str]:
    """Where annotators' votes are missing, or do not bear the label out."""
    voted = [clip for clip in source.clips.values() if clip.label_distribution]
    if not voted:
        return
    if len(voted) < len(source.clips):
        without = next(clip.clip_id for clip in source.clips.values() if not clip.label_distribution)
        yield f"{len(source.clips) - len(voted)} clips have no votes of annotators, '{without}' first"
    against = [clip.clip_id for clip in voted if clip.label_distribution[clip.label] < max(clip.label_distribution)]
    if against:
        yield f"{len(against)} clips are labelled otherwise than most annotators chose, '{against[0]}' first"


def unused(source: Source) -> Iterator[Path]:
    """Videos and folders beside the data set's clips that are none of them, nor any that was left out."""
    used = {clip.path for clip in source.clips.values()}
    left_out = {clip_id.rpartition("/")[2].partition(".")[0] for clip_id in source.excluded}
    for folder in sorted({path.parent for path in used}):
        for path in sorted(folder.iterdir()):
            is_clip = is_video(path.name) or (path.is_dir() and not path.name.startswith("."))
            if is_clip and path not in used and path.stem not in left_out:
                yield path
