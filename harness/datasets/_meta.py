"""``meta.csv`` beside a data set: who is in each clip, and how it was captured."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import NamedTuple

from harness.datasets._lists import Problems, column, read_text

CLIP_COLUMNS = ("video_name", "clip_id", "clip")
GROUP_COLUMNS = ("identity", "group")
DOMAIN_COLUMNS = ("style", "domain")


class Meta(NamedTuple):
    """A clip's group and domain; empty where the file has no such column."""

    group: str
    domain: str


def read_meta(path: Path, digits: int, problems: Problems) -> dict[str, Meta]:
    """Group and domain by clip id; ids of digits only are padded to ``digits``. Empty without the file."""
    if not path.is_file():
        return {}
    rows = list(csv.reader(io.StringIO(read_text(path))))
    header = rows[0] if rows else []
    clip = column(header, CLIP_COLUMNS)
    if clip is None:
        problems.add(f"{path}:1", f"no column is named {' or '.join(CLIP_COLUMNS)}")
        return {}
    group, domain = column(header, GROUP_COLUMNS), column(header, DOMAIN_COLUMNS)
    found: dict[str, Meta] = {}
    for number, row in enumerate(rows[1:], start=2):
        if not row:
            continue
        if len(row) != len(header):
            problems.add(f"{path}:{number}", f"{len(row)} cells under a header of {len(header)}")
            continue
        clip_id = row[clip].strip().zfill(digits)
        if clip_id in found:
            problems.add(f"{path}:{number}", f"clip '{clip_id}' is there twice")
        found[clip_id] = Meta(
            group=row[group].strip() if group is not None else "",
            domain=row[domain].strip() if domain is not None else "",
        )
    return found
