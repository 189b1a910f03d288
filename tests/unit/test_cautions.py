"""What a study asks for and will not quite get is a warning that names the key."""

import io

import pytest
from rich.console import Console

from harness.schedule.cautions import cautions, print_warnings
from harness.spec.study import StudySpec


def study(**changes):
    return StudySpec.model_validate(
        {
            "name": "cautious",
            "question": "?",
            "dataset": {"name": "synthetic"},
            "folds": [1],
            "methods": {"hdf": {"model": {"name": "hdf"}}, "quick": {"model": {"name": "x3d"}, "epochs": 4}},
            **changes,
        }
    )


@pytest.mark.parametrize(
    ("training", "words"),
    [
        ({"epochs": 1, "warmup_epochs": 5}, ["5, and 'hdf' is trained for 1 epochs", "0.5 here"]),
        ({"epochs": 20, "warmup_epochs": 5}, ["'quick' is trained for 4 epochs", "2 here"]),
        ({"epochs": 20, "warmup_epochs": 2}, []),
        ({"epochs": 1}, []),
    ],
)
def test_a_warm_up_that_is_written_and_cut_short_is_told_of(training, words):
    found = list(cautions(study(training=training)))
    assert len(found) == bool(words)
    assert all(word in found[0] for word in words)


def test_processors_that_this_machine_has_not_are_told_of():
    asked = study(resources={"cpus": 64}, training={"warmup_epochs": 0})
    console = Console(file=io.StringIO(), width=200)
    print_warnings(cautions(asked), console)
    assert console.file.getvalue() == ""
    print_warnings(cautions(asked, cores=2), console)
    assert "warning: resources.cpus: 'hdf' asks for 64, and this machine has 2" in console.file.getvalue()
    assert list(cautions(asked, cores=64)) == []
