"""DFEW's annotators: the workbook is read as spreadsheets write it, and agreement becomes a clip's domain."""

import pytest
from tiny_clips import dfew_labels, write_dfew
from workbooks import COLUMNS, write_workbook

from harness.datasets._dfew_votes import agreement, read_votes
from harness.datasets.dfew import dfew
from harness.errors import HarnessError


@pytest.mark.parametrize("shared", [True, False])
def test_votes_are_read_by_column_name_and_clip_number(tmp_path, shared):
    rows = [COLUMNS, (7, 0, 3, 0, 0, 0, 0, 1, 1), (0, 0, 2, 2, 2, 2, 2.0, 16372, 0)]
    votes = read_votes(write_workbook(tmp_path / "annotation.xlsx", rows, shared))
    assert votes == {"00001": (7, 0, 3, 0, 0, 0, 0), "16372": (0, 0, 2, 2, 2, 2, 2)}


def test_agreement_becomes_the_domain_if_a_study_says_so(tmp_path):
    root = write_dfew(tmp_path)
    rows = [
        (*(8 if k == label - 1 else 2 * (k == label % 7) for k in range(7)), int(i), label)
        for i, label in dfew_labels().items()
    ]
    write_workbook(root / "Annotation" / "annotation.xlsx", [COLUMNS, *rows[1:]])
    clips = dfew.open(root, {"domain": "agreement"}).clips
    assert clips["00002"].domain == "8 of 10 agree"
    assert clips["00001"].domain == "no votes"
    assert dfew.open(root, {}).clips["00002"].domain == ""


def test_agreement_counts_the_votes_there_are():
    assert agreement((6, 4, 0, 0, 0, 0, 0)) == "6 of 10 agree"
    assert agreement(()) == "no votes"


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([("happy", *COLUMNS[1:])], "no column is named '1happy'; there are happy, 2sad"),
        ([COLUMNS, (*"1234567", 1, 1), (*"123456x", 2, 1)], "row 3"),
        ([], "there are none"),
    ],
)
def test_another_workbook_is_refused_in_words(tmp_path, rows, message):
    with pytest.raises(HarnessError, match=message):
        read_votes(write_workbook(tmp_path / "annotation.xlsx", rows))


def test_a_file_that_is_no_workbook_is_refused_in_words(tmp_path):
    (tmp_path / "annotation.xlsx").write_bytes(b"order,label\n")
    with pytest.raises(HarnessError, match="not a readable xlsx"):
        read_votes(tmp_path / "annotation.xlsx")
    with pytest.raises(HarnessError, match="no such file"):
        dfew.open(write_dfew(tmp_path / "tree"), {"domain": "agreement"})
