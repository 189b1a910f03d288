"""The tables people read in docs/perturbations.md are those of the code; to write them anew, run this file."""

import re
from pathlib import Path

import pytest

from perturbations._document import tables
from perturbations._suite import load, perturbation_files

PAGE = Path(__file__).parents[2] / "docs" / "perturbations.md"
MARK = "<!-- tables: written by perturbations/_document.py -->\n"
TAXONOMY = PAGE.read_text(encoding="utf-8").partition("## The taxonomy, row by row")[2].partition("\n## ")[0]
ROWS = [[cell.strip() for cell in line.split("|")[1:-1]] for line in TAXONOMY.splitlines() if line.startswith("| ")][1:]
PARTS = {"": 1, "px": 112, "frames": 16}
"""What levels are multiplied by: fractions of the height, shares of the clip."""


def test_the_page_lists_every_perturbation_and_suite_as_they_are():
    assert PAGE.read_text(encoding="utf-8").partition(MARK)[2].strip() == tables().strip()


def named(cell):
    return re.findall(r"`([a-z0-9_]+)`", cell)


@pytest.mark.parametrize("row", ROWS, ids=[row[0] for row in ROWS])
def test_a_planned_row_has_its_levels_here_or_a_reason(row):
    _, levels, here, reason = row
    *numbers, unit = levels.split() if levels[-1].isalpha() else [*levels.split(), ""]
    planned = [float(number) for number in numbers]
    assert len(planned) == 5
    assert named(here) or reason
    for name in named(here):
        own = [level * PARTS[unit] for level in load(name).levels]
        assert own == pytest.approx(planned, rel=1e-3) or reason, f"{name}: {own}"


def test_every_perturbation_is_in_one_row_of_the_taxonomy():
    assert sorted(name for row in ROWS for name in named(row[2])) == perturbation_files()


def test_every_perturbation_has_its_picture_and_there_is_no_other():
    assert sorted(path.stem for path in (PAGE.parent / "images" / "perturbations").iterdir()) == perturbation_files()


if __name__ == "__main__":
    before, mark, _ = PAGE.read_text(encoding="utf-8").partition(MARK)
    PAGE.write_text(f"{before}{mark}\n{tables()}", encoding="utf-8")
