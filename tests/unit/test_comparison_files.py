"""A comparison's files hold what was said, every number in full, and a table that LaTeX reads."""

import pandas as pd
import pytest
from fabricated_run import Fabrication, fabricate

from harness.report.comparison import compare
from harness.report.comparison_files import write_comparison
from harness.report.comparison_question import Question


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    run = fabricate(tmp_path_factory.mktemp("runs"), Fabrication(clips=40, perturbations=()))
    return compare(run, Question(replicates=200))


def test_three_files_say_the_same(found, tmp_path):
    paths = write_comparison(found, tmp_path / "new")
    assert paths["md"].read_text() == found.markdown
    pd.testing.assert_frame_equal(pd.read_csv(paths["csv"]), found.table, check_dtype=False, atol=1e-6, rtol=0)
    lines = paths["tex"].read_text().splitlines()
    rows = lines[lines.index(r"\midrule") + 1 : lines.index(r"\bottomrule")]
    assert len(rows) == len(found.table)
    for row, pair in zip(rows, found.table.to_dict("records"), strict=True):
        assert row.startswith(pair["method"].replace("_", r"\_"))
        assert f"${100 * pair['difference']:+.1f}$" in row
        assert f"$[{100 * pair['low']:+.1f}, {100 * pair['high']:+.1f}]$" in row
        assert row.endswith(r" \\")
        assert row.count(" & ") == 5


def test_files_of_a_comparison_are_replaced(found, tmp_path):
    (tmp_path / "comparison.md").write_text("an older one")
    write_comparison(found, tmp_path)
    assert (tmp_path / "comparison.md").read_text() == found.markdown
