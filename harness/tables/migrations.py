"""What became of a table from one version to the next, so that older runs stay readable.

Files are never rewritten: entries carry the SHA-256 of theirs, and evaluation passes only add files. A reader brings an
older table up to date in memory, one version at a time.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pyarrow as pa

from harness.tables.schema import CALIBRATION, ROBUSTNESS, SCORES, SEARCH, TRIALS, VERSION, Table
from harness.tables.selections import AUDITED, RANKED


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What a version changed in a table.

    Attributes:
        table: its name.
        since: the version that is changed; the result is the next one.
        change: the table of that version to the table of the next.
    """

    table: str
    since: int
    change: Callable[[pa.Table], pa.Table]


def added(table: Table, since: int, *names: str) -> Step:
    """New columns that older runs do not know: empty, in their places."""

    def change(found: pa.Table) -> pa.Table:
        for name in names:
            empty = pa.nulls(len(found), table.schema.field(name).type)
            place = min(table.schema.get_field_index(name), found.num_columns)
            found = found.add_column(place, table.schema.field(name), empty)
        return found

    return Step(table=table.name, since=since, change=change)


def _by_rule(table: Table, since: int) -> Step:
    """A column for the selection rule, which a scope could name until then (``clean:last``)."""

    def change(found: pa.Table) -> pa.Table:
        rules = [RANKED] * len(found)
        if "scope" in found.column_names:
            scopes = [scope.rpartition(":") for scope in found.column("scope").to_pylist()]
            rules = [tail if tail in AUDITED else RANKED for _, _, tail in scopes]
            kept = [head if tail in AUDITED else head + colon + tail for head, colon, tail in scopes]
            place = found.column_names.index("scope")
            found = found.set_column(place, table.schema.field("scope"), pa.array(kept, pa.string()))
        return found.add_column(1, table.schema.field("selection"), pa.array(rules, pa.string()))

    return Step(table=table.name, since=since, change=change)


def _known_from_rounds(found: pa.Table) -> pa.Table:
    """What a configuration was asked by: until then, all of its method's earlier rounds."""
    rounds = list(zip(found.column("method").to_pylist(), found.column("round").to_pylist(), strict=True))
    known = [sum(other == method and earlier < round_ for other, earlier in rounds) for method, round_ in rounds]
    place = found.column_names.index("round")
    return found.set_column(place, SEARCH.schema.field("known"), pa.array(known, pa.int32()))


STEPS = (
    added(TRIALS, 1, "macs"),
    _by_rule(SCORES, 2),
    _by_rule(ROBUSTNESS, 2),
    _by_rule(CALIBRATION, 2),
    Step(table=SEARCH.name, since=3, change=_known_from_rounds),
)
"""Every change so far. A step is never altered once runs of its version exist."""


def migrated(found: pa.Table, name: str, version: int, steps: tuple[Step, ...] = STEPS) -> pa.Table:
    """A table of an older version as it would be written today."""
    for passed in range(version, VERSION):
        for step in steps:
            if step.table == name and step.since == passed:
                found = step.change(found)
    return found
