"""The tables people read in docs/perturbations.md are those of the code; to write them anew, run this file."""

from pathlib import Path

from perturbations._document import tables

PAGE = Path(__file__).parents[2] / "docs" / "perturbations.md"
MARK = "<!-- tables: written by perturbations/_document.py -->\n"


def test_the_page_lists_every_perturbation_and_suite_as_they_are():
    assert PAGE.read_text(encoding="utf-8").partition(MARK)[2].strip() == tables().strip()


if __name__ == "__main__":
    before, mark, _ = PAGE.read_text(encoding="utf-8").partition(MARK)
    PAGE.write_text(f"{before}{mark}\n{tables()}", encoding="utf-8")
