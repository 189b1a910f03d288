"""The leaderboard as people read it; the golden files were read before they were accepted."""

from pathlib import Path

import pytest
from fabricated_run import Fabrication, fabricate

from harness.report.findings import analyse
from harness.report.leaderboard import csv, markdown
from harness.report.study_results import read_results

GOLDEN = Path(__file__).parent / "leaderboard"


@pytest.fixture(scope="module")
def findings(tmp_path_factory):
    results = read_results(fabricate(tmp_path_factory.mktemp("runs"), Fabrication(seeds=(0, 1, 2), clips=80)))
    return results, analyse(results, 1000)


def test_the_markdown_leaderboard_reads_as_before(findings):
    results, found = findings
    text = markdown(found.leaderboard, results.question, [*found.reading_notes, *found.cautions])
    assert text == (GOLDEN / "leaderboard.md").read_text(encoding="utf-8")


def test_the_leaderboard_in_numbers_is_as_before(findings):
    _, found = findings
    assert csv(found.leaderboard) == (GOLDEN / "leaderboard.csv").read_text(encoding="utf-8")
