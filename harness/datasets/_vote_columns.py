"""Columns ``votes:<class>`` of a list of clips: how many annotators chose each class."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from harness.datasets._lists import Problems
from harness.errors import near_miss

VOTES = "votes:"
"""Beginning of the columns' names; the class follows."""


def take_votes(where: str, values: dict[str, str], problems: Problems) -> dict[str, float]:
    """Take the votes out of a row's values: by class, or none where all their cells are empty."""
    cells = {name.removeprefix(VOTES).strip(): values.pop(name) for name in list(values) if name.startswith(VOTES)}
    if not any(cells.values()):
        return {}
    try:
        votes = {name: float(cell or 0) for name, cell in cells.items()}
    except ValueError:
        votes = {"": math.nan}
    if not all(0 <= count < math.inf for count in votes.values()):
        problems.add(where, f"votes are numbers from 0 on, not {', '.join(map(repr, cells.values()))}")
        return {}
    return votes


def check_columns(first: tuple[str, Mapping[str, float]] | None, classes: Sequence[str], problems: Problems) -> None:
    """See that the first row with votes has one for every class, and none for a class that no clip has."""
    if first is None:
        return
    where, votes = first
    missing = [name for name in classes if name not in votes]
    if missing:
        problems.add(where, f"votes are there, but no column is named '{VOTES}{missing[0]}'")
    for name in votes:
        if name not in classes:
            problems.add(where, f"votes for '{name}', which no clip is labelled as. {near_miss(name, classes)}")
