"""Whether a study's folds can teach and test every class, and whom they have on both sides."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from harness.data.clip import Source
from harness.errors import CollectedError, HarnessError

TWO_SIDED = "on both sides: what is learned of them in training helps in test. folds: k_fold keeps groups apart"


def check_classes(source: Source, tested: Sequence[int], searched: Iterable[int] = ()) -> None:
    """See that every class is trained on in every fold, and tested in at least one.

    Args:
        source: the data set.
        tested: the study's folds.
        searched: further folds, which are only trained on.

    Raises:
        HarnessError: for a class without training clips in a fold, or without test clips in all of them; with counts.
    """
    problems = list(_problems(source, tested, searched))
    advice = "Correct the label, or leave the class out with the data set's option 'classes'."
    if len(problems) == 1:
        raise HarnessError(f"{source.name}: {problems[0]}. {advice}")
    if problems:
        raise CollectedError(f"{source.name}: classes that cannot be learned or tested. {advice}", problems)


def _problems(source: Source, tested: Sequence[int], searched: Iterable[int]) -> Iterator[str]:
    folds = dict.fromkeys((*tested, *searched))
    train = {number: _counts(source, source.fold(number).train) for number in folds}
    test = {number: _counts(source, source.fold(number).test) for number in folds}
    for label, name in enumerate(source.classes):
        what = f"class '{name}'{_written_otherwise(name, source.classes)}"
        for number in (number for number in folds if not train[number][label]):
            yield f"fold {number}: {what} has 0 training and {test[number][label]} test clips"
        if not any(test[number][label] for number in tested):
            numbers = ", ".join(map(str, tested))
            yield f"{what} has no test clip in fold {numbers}, and {train[tested[0]][label]} training clips"


def two_sided_groups(source: Source, folds: Iterable[int]) -> Iterator[str]:
    """For each fold that has groups in training and in test, a sentence that counts them and their test clips."""
    known = len({clip.group for clip in source.clips.values()} - {""})
    for number in folds:
        fold = source.fold(number)
        trained = {source.clips[clip_id].group for clip_id in fold.train}
        clips = Counter(source.clips[clip_id].group for clip_id in fold.test)
        both = sorted((trained & set(clips)) - {""})
        if both:
            shown = sum(clips[group] for group in both)
            yield (
                f"fold {number}: {len(both)} of {known} groups, with {shown} of {len(fold.test)} test clips, are "
                f"{TWO_SIDED} ('{both[0]}' first)"
            )


def _counts(source: Source, clip_ids: Iterable[str]) -> Counter[int]:
    return Counter(source.clips[clip_id].label for clip_id in clip_ids)


def _written_otherwise(name: str, classes: Sequence[str]) -> str:
    """A class whose name differs only in case or spaces is most likely a slip."""
    alike = [other for other in classes if other != name and _plain(other) == _plain(name)]
    return f" (there is also '{alike[0]}')" if alike else ""


def _plain(name: str) -> str:
    return "".join(name.lower().split())
