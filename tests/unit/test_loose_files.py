"""What somebody adds to this project's folders is named by its source; what it was released with is not."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from loose_files import loose_files
from tiny_unit import make_clips

from harness import plugins
from harness.data.opening import open_source
from harness.errors import HarnessError
from harness.plugins import KINDS, code, names
from harness.sources import RELEASED
from harness.spec.method import RecipeSpec
from harness.stats.kept_metrics import kept_file, metrics_of
from harness.tables import schema, store
from harness.train.conditions import foreign_code
from harness.train.extensions import code_of
from perturbations._suite import perturbation_files, suite

ROOT = Path(plugins.__file__).parent.parent
METRIC = """
from harness.metrics._contract import Metric

strange = Metric(title="Strange", higher_is_better=True, source="test", compute=lambda logits, labels: {value})
"""
READER = """
from dataclasses import dataclass
from pathlib import Path
from harness.data.clip import Clip, OfficialFold, Source

@dataclass(frozen=True)
class Reader:
    title: str = "Strange"
    paper: str = "none"

    def open(self, root, options):
        clips = {{name: Clip(clip_id=name, path=Path(__file__), label={label}) for name in ("a", "b", "c", "d")}}
        return Source(name="strange", root=root, classes=("x", "y"), clips=clips,
                      folds={{1: OfficialFold(("a", "b", {train!r}), ("c", "d"))}}, excluded={{}})

strange = Reader()
"""


@pytest.fixture
def drop(tmp_path):
    with loose_files(tmp_path / "loose") as found:
        yield found


def test_the_lists_of_what_is_released_are_what_git_knows():
    if not (ROOT / ".git").exists():
        pytest.skip("this copy is not under version control")
    done = subprocess.run([sys.executable, ROOT / ".ci" / "released.py", "--check"], check=False)
    assert done.returncode == 0, "run: make released"


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_what_is_released_has_no_code_of_its_own(kind):
    for folder in plugins.package_folders(KINDS[kind]):
        listed = (folder / RELEASED).read_text().split()
        assert {name for name in names(kind) if not code(kind, name)} == {
            one for one in listed if "/" not in one and not one.startswith("_")
        }


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_a_file_that_is_added_is_named_by_its_source(kind, drop):
    found = []
    for value in (1, 2, 1):
        drop(kind, "strange", f"strange = {value}\n")
        found.append(code(kind, "strange"))
    assert found[0] == found[2] != found[1]
    assert "" not in found


@pytest.mark.parametrize(
    "line", ["from models._own import width", "import models._own", "from models import _own", "from . import _own"]
)
def test_what_it_imports_of_other_added_files_counts_too(drop, line):
    found = []
    for width in (1, 2):
        drop("model", "_deep", f"depth = {width}\n")
        drop("model", "_own", "from models._deep import depth\nfrom models.x3d import x3d\nwidth = depth\n")
        drop("model", "strange", f"from models._blocks.model import Model\n{line}\nstrange = 1\n")
        found.append(code("model", "strange"))
    assert found[0] != found[1]


def test_trials_and_conditions_are_named_by_it(drop):
    drop("model", "strange", "strange = 1\n")
    drop("perturbation", "strange", "from perturbations.fog import fog as strange\n")
    assert code_of(RecipeSpec.model_validate({"model": {"name": "strange"}, "optimizer": {"learning_rate": 1.0}}))
    assert code_of(RecipeSpec.model_validate({"model": {"name": "x3d"}, "optimizer": {"learning_rate": 1.0}})) is None
    assert foreign_code("strange")
    assert not foreign_code("fog")


def test_kept_metrics_are_scored_again_when_the_source_of_one_changes(drop, tmp_path):
    rows = pd.DataFrame(
        {
            "trial_id": "t", "selection": "val_uar", "split": "test", "perturbation": "clean",
            "severity": np.float32(0), "repeat": 0, "clip_id": ["a", "b"], "group": "", "domain": "", "label": [0, 1],
            "logits": [np.float32([1, 0]), np.float32([0, 1])],
        }
    )  # fmt: skip
    file = tmp_path / "predictions-test-v4-0.parquet"
    store.write(rows, schema.predictions(2), file)
    seen = []
    for value in (0.25, 0.75):
        drop("metric", "strange", METRIC.format(value=value))
        found = metrics_of(file, ["x", "y"])
        seen.append(found.loc[found["metric"] == "strange", "value"].item())
    assert seen == [0.25, 0.75]
    assert kept_file(file).exists()


def test_a_data_set_is_known_by_the_source_of_its_reader(drop, tmp_path):
    found = []
    for ending in ("", "# another folder of frames\n", ""):
        drop("dataset", "strange", READER.format(label=0, train="a") + ending)
        found.append(open_source("strange", tmp_path, {}).fingerprint)
    assert found[0] == found[2] != found[1]
    plain = make_clips(tmp_path / "made")
    assert plain.code == ""


@pytest.mark.parametrize(
    ("label", "train", "words"),
    [
        (7, "a", "clip 'a' has label 7, and 2 classes are counted from 0 to 1"),
        (0, "ghost", "fold 1, train: there is no clip 'ghost'"),
        ("x / 0", "a", "cannot be opened: NameError: .*line 12"),
    ],
)
def test_a_reader_that_contradicts_itself_is_told_of_with_its_file(drop, tmp_path, label, train, words):
    file = drop("dataset", "strange", READER.format(label=label, train=train))
    with pytest.raises(HarnessError, match=words) as error:
        open_source("strange", tmp_path, {})
    assert str(file) in str(error.value)


def test_a_suite_of_every_file_names_what_it_was_released_with(monkeypatch):
    known = perturbation_files()
    monkeypatch.setattr("perturbations._suite.perturbation_files", lambda: sorted([*known, "strange"]))
    assert "strange" not in suite("full").names
    assert "fog" in suite("full").names
