"""An inspection as plain text: tables for people, and plain words for what differs."""

from collections.abc import Iterator, Sequence
from statistics import median

from harness.data.clip import Source
from harness.data.coverage import two_sided_groups
from harness.data.inspect import LENGTHS, Inspection
from harness.data.remarks import class_counts

SHOWN = 20
"""Lines of one kind that are printed before the rest is counted."""

BAR = 40
"""Characters of the histogram's longest bar."""


def inspection_text(found: Inspection) -> str:
    """The whole report, ending with what differs from what is known."""
    blocks = [
        [f"{found.root}: laid out as {found.dataset}"],
        [*_problems(found)],
        [*_counts(found)],
        [*_lengths(found)],
        [*_unreadable(found)],
        [*_duplicates(found)],
        [*_verdict(found)],
    ]
    return "\n\n".join("\n".join(block) for block in blocks if block) + "\n"


def _problems(found: Inspection) -> Iterator[str]:
    if found.problems:
        yield f"{len(found.problems)} problems in lists and files:"
        yield from _first(found.problems)


def _counts(found: Inspection) -> Iterator[str]:
    """Class by fold counts; the known count is beside each one that has one."""
    if found.source is None:
        return
    source = found.source
    yield f"{len(source.clips)} clips of {len(source.classes)} classes in {len(source.folds)} folds, {_groups(source)}"
    rows = [["fold", "part", *source.classes, "all"]]
    for number, fold in source.folds.items():
        for split, ids in (("train", fold.train), ("test", fold.test)):
            known = getattr(found.known, split, {}).get(number, ()) if found.known else ()
            rows.append([str(number), split, *_beside(class_counts(source, ids), known)])
    yield from _table(rows)
    if found.known:
        yield "(in brackets: the known count, where it differs)"
    yield from two_sided_groups(source, source.folds)
    if found.unused:
        first = found.unused[0].name
        yield f"{len(found.unused)} clips lie beside these and are in no list that is used, '{first}' first"


def _groups(source: Source) -> str:
    groups = {clip.group for clip in source.clips.values()} - {""}
    domains = {clip.domain for clip in source.clips.values()} - {""}
    return f"{len(groups) or 'no known'} groups, {len(domains) or 'no known'} domains"


def _beside(counts: Sequence[int], known: Sequence[int]) -> list[str]:
    """Counts and their sum, each with the known one in brackets if it differs."""
    seen = [*counts, sum(counts)]
    stated = [*known, sum(known)] if len(known) == len(counts) else seen
    return [f"{one} ({other})" if one != other else str(one) for one, other in zip(seen, stated, strict=True)]


def _lengths(found: Inspection) -> Iterator[str]:
    lengths = found.lengths
    if not lengths:
        return
    yield f"frames per clip: {lengths[0]} to {lengths[-1]}, median {median(lengths):g}, {sum(lengths)} in all"
    highest = max(found.histogram.values())
    for low, high in zip(LENGTHS, [*LENGTHS[1:], None], strict=True):
        count = found.histogram[low]
        label = f"{low} to {high - 1}" if high else f"{low} and more"
        yield f"{label:>12} {count:>7} {'#' * round(BAR * count / highest)}"


def _unreadable(found: Inspection) -> Iterator[str]:
    if found.healths:
        yield (
            f"{len(found.unreadable)} clips cannot be read:"
            if found.unreadable
            else "every clip can be read to its end"
        )
        yield from _first([f"{clip_id}: {reason}" for clip_id, reason in found.unreadable.items()])


def _duplicates(found: Inspection) -> Iterator[str]:
    if found.healths:
        yield (
            f"{len(found.duplicates)} pairs of clips look the same:"
            if found.duplicates
            else "no two clips look the same"
        )
        yield from _first([f"{one} and {other}: {share:.1%} of bits differ" for one, other, share in found.duplicates])


def _verdict(found: Inspection) -> Iterator[str]:
    if found.remarks:
        yield "what differs:"
        yield from _first(found.remarks)
    elif found.known and not found.problems:
        yield f"This is {found.dataset} as it is known."


def _first(lines: Sequence[str]) -> Iterator[str]:
    yield from (f"  - {line}" for line in lines[:SHOWN])
    if len(lines) > SHOWN:
        yield f"  ... and {len(lines) - SHOWN} more"


def _table(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        yield "  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True))
