"""What ``dferbench list`` shows."""

import pytest

from harness.errors import HarnessError
from harness.train import catalogue


def test_every_suite_is_listed_with_its_size():
    found = {line.split()[0]: line for line in catalogue.lines("suites")}
    assert {"core", "full", "tiny_c"} <= set(found)
    assert found["full"].endswith("conditions.")


def test_a_kind_that_there_is_not_offers_those_that_there_are():
    with pytest.raises(HarnessError, match="Did you mean 'suites'"):
        catalogue.lines("suite")


def test_a_plugin_that_cannot_be_loaded_leaves_the_others_listed(monkeypatch):
    def load(kind, name):
        if name == "broken":
            raise ImportError("no such library")
        return original(kind, name)

    original = catalogue.load
    monkeypatch.setattr(catalogue, "load", load)
    monkeypatch.setattr(catalogue, "names", lambda kind: ("broken", "fog"))
    broken, fog = catalogue.lines("perturbations")
    assert broken.endswith("cannot be loaded: ImportError: no such library")
    assert fog.startswith("fog ")
    assert "cannot" not in fog
