"""A file that is only appended to keeps every whole line, wherever a kill or a full disk cut it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.tables import json_lines

VALUES = [{"method": "a\u2028b}", "fold": 1}, ["uar:aa", 0.25], {"é": None}]


def test_what_is_appended_is_read(tmp_path):
    for value in VALUES:
        json_lines.append([value], tmp_path / "x.jsonl")
    assert list(json_lines.read(tmp_path / "x.jsonl")) == VALUES
    assert list(json_lines.read(tmp_path / "none.jsonl")) == []


@pytest.mark.parametrize("spoilt", [b"", b"\0\0", b"\xff"])
@given(cut=st.integers(0, len(json_lines.text(VALUES).encode())))
def test_a_cut_loses_only_the_line_that_it_hits(tmp_path_factory, spoilt, cut):
    path = tmp_path_factory.mktemp("lines") / "x.jsonl"
    content = json_lines.text(VALUES).encode()[:cut]
    path.write_bytes(content + spoilt)
    json_lines.append(VALUES, path)
    whole = content.count(b"\n")
    found = list(json_lines.read(path))
    assert found[:whole] == VALUES[:whole]
    assert found[-len(VALUES) :] == VALUES
    assert len(found) <= whole + 1 + len(VALUES)
