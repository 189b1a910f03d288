"""The cards people read in docs/models.md are those of the code; to write them anew, run this file."""

from pathlib import Path

from harness.plugins import load, names
from models._blocks.cards import tables

PAGE = Path(__file__).parents[2] / "docs" / "models.md"
MARK = "<!-- tables: written by models/_blocks/cards.py -->\n"


def cards() -> str:
    return tables({name: load("model", name) for name in names("model")})


def test_the_page_has_a_card_for_every_network_as_it_is():
    assert PAGE.read_text(encoding="utf-8").partition(MARK)[2].strip() == cards().strip()


if __name__ == "__main__":
    before, mark, _ = PAGE.read_text(encoding="utf-8").partition(MARK)
    PAGE.write_text(f"{before}{mark}\n{cards()}", encoding="utf-8")
