"""An extension is a file; a seed is the hash of what it is for."""

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import CollectedError, HarnessError
from harness.plugins import KINDS, load, names
from harness.seeds import canonical_json, derive, digest


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_every_file_of_a_kind_exports_an_object_of_its_own_name(kind):
    assert names(kind)
    for name in names(kind):
        assert load(kind, name) is not None


def test_an_unknown_name_is_answered_with_the_nearest_one():
    with pytest.raises(HarnessError, match=r"No model named 'x3e'. Did you mean 'x3d'?"):
        load("model", "x3e")


def test_a_file_that_exports_nothing_of_its_name_is_an_error(tmp_path, monkeypatch):
    package = tmp_path / "strangers"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "empty.py").write_text("x = 1\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setitem(KINDS, "model", "strangers")
    assert names("model") == ("empty",)
    with pytest.raises(HarnessError, match="exports no object named 'empty'"):
        load("model", "empty")


def test_listing_names_imports_no_plugin():
    code = "import sys; from harness.plugins import names; names('model'); sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_help_needs_neither_torch_nor_ray():
    code = (
        "import sys; from typer.testing import CliRunner; from harness.cli import app; "
        "assert CliRunner().invoke(app, ['--help']).exit_code == 0; "
        "sys.exit(bool({'torch', 'ray', 'optuna', 'kornia', 'pandas'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@given(st.lists(st.one_of(st.text(), st.integers(), st.floats(allow_nan=False, allow_infinity=False)), max_size=4))
def test_a_seed_depends_on_its_parts_and_fits_63_bits(parts):
    assert derive(*parts) == derive(*parts)
    assert 0 <= derive(*parts) < 2**63
    assert derive(*parts) != derive(*parts, "more")


def test_the_parts_of_a_seed_do_not_run_together():
    assert derive("ab", "c") != derive("a", "bc")
    assert derive("1") != derive(1)


def test_equal_values_have_equal_digests_whatever_their_key_order():
    assert digest({"a": 1, "b": [1, 2]}) == digest({"b": [1, 2], "a": 1})
    assert digest({"a": 1}) != digest({"a": 1.5})
    with pytest.raises(ValueError, match="Out of range"):
        canonical_json(float("nan"))


def test_a_long_list_of_problems_is_shortened_and_counted():
    error = CollectedError("many", (f"p{i}" for i in range(30)))
    assert len(error.problems) == 30
    assert "... and 10 more" in str(error)
