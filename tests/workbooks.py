"""DFEW's annotation workbook, as spreadsheet programs write it."""

import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from xml.sax.saxutils import escape

from harness.datasets._dfew_votes import VOTE_COLUMNS, VOTES_FILE

NAMESPACE = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
COLUMNS = (*VOTE_COLUMNS, "order", "label")


def write_workbook(path: Path, rows: list[tuple], shared: bool = True) -> Path:
    """A workbook with its texts in a shared table, as spreadsheet programs write them, or inline, as some tools do."""
    path.parent.mkdir(parents=True, exist_ok=True)
    strings: list[str] = []

    def cell(name: str, value: object) -> str:
        if not isinstance(value, str):
            return f'<c r="{name}"><v>{value}</v></c>'
        if not shared:
            return f'<c r="{name}" t="inlineStr"><is><t>{escape(value)}</t></is></c>'
        strings.append(value)
        return f'<c r="{name}" t="s"><v>{len(strings) - 1}</v></c>'

    lines = [
        f'<row r="{number}">'
        + "".join(cell(f"{'ABCDEFGHI'[i]}{number}", value) for i, value in enumerate(row))
        + "</row>"
        for number, row in enumerate(rows, start=1)
    ]
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(
            "xl/worksheets/sheet1.xml", f"<worksheet {NAMESPACE}><sheetData>{''.join(lines)}</sheetData></worksheet>"
        )
        if shared:
            items = "".join(f"<si><t>{escape(text)}</t></si>" for text in strings)
            archive.writestr("xl/sharedStrings.xml", f"<sst {NAMESPACE}>{items}</sst>")
    return path


def write_votes(root: Path, votes: Mapping[str, Sequence[int]]) -> Path:
    """The workbook of a DFEW tree: a row per clip, labelled 0 where fewer than six of ten agree, as in the original."""
    rows = [
        (*chosen, int(clip_id), chosen.index(max(chosen)) + 1 if max(chosen) >= 6 else 0)
        for clip_id, chosen in votes.items()
    ]
    return write_workbook(root / VOTES_FILE, [COLUMNS, *rows])
