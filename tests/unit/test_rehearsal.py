"""What a study names is tried once before anything is trained; what does not fit is one line that names its file."""

import pytest
from loose_files import loose_files
from tiny_unit import FRAMES, RECIPE, SIZE, make_clips
from torch import nn

from harness.data.split import carve
from harness.errors import HarnessError
from harness.objectives._contract import LossParts
from harness.plugins import load
from harness.spec.method import RecipeSpec
from harness.spec.study import StudySpec
from harness.spec.trial import ClipSpec, ValidationSpec
from harness.train import rehearsal
from harness.train.rehearsal import check_conditions, check_metrics, check_recipe

CLIP = ClipSpec(frames=FRAMES, size=SIZE, max_stored_frames=12)
NETWORK = """
from dataclasses import dataclass
from torch import nn
from models._blocks.model import Model, Output

@dataclass(frozen=True)
class Options: pass

class Net(nn.Module):
    def __init__(self, num_classes):
        super().__init__()
        self.layer = nn.Linear(3, num_classes)
    def forward(self, clips):
        pooled = clips.mean((1, 3, 4))
        return {returned}

strange = Model(title="S", paper="", licence="", config=Options, verified="",
                build=lambda config, num_classes, shape: Net({classes}))
"""
SPOILER = """
from perturbations._contract import Perturbation

def apply(pixels, params):
    {body}

strange = Perturbation(title="Strange", family="noise", unit="", levels=(1.0, 2.0, 3.0, 4.0, 5.0), granularity="clip",
                       label_preserving="yes", source="test", draw=lambda level, key, shape: {{}}, apply=apply)
"""


@pytest.fixture
def drop(tmp_path):
    with loose_files(tmp_path / "loose") as found:
        yield found


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    return make_clips(tmp_path_factory.mktemp("clips"))


def check_network(source, name="strange"):
    options = RECIPE["model"] if name == "x3d" else {"name": name}
    recipe = RecipeSpec.model_validate({**RECIPE, "model": options})
    return check_recipe(recipe, source, carve(source, 1, ValidationSpec()), CLIP)


@pytest.mark.parametrize(
    ("returned", "classes", "words"),
    [
        ("Output(self.layer(pooled), pooled)", "7", r"logits of shape \(1, 7\) for 1 clip and 2 classes"),
        ("self.layer(pooled)", "num_classes", r"returns a Tensor of shape \(1, 2\).*return Output\(logits, features\)"),
        ("Output(self.layer(pooled), clips)", "num_classes", r"features of shape \(1, 4, 3, 32, 32\)"),
        ("Output(self.layer(pooled), pooled, pooled)", "num_classes", r"auxiliary scores of shape \(1, 3\)"),
        (
            "self.later(pooled)",
            "num_classes",
            r"4 frames of 32 px: AttributeError: .*'later' \(.*strange.py, line 15\)",
        ),
    ],
)
def test_a_network_that_returns_something_else_is_told_of(drop, source, returned, classes, words):
    drop("model", "strange", NETWORK.format(returned=returned, classes=classes))
    with pytest.raises(HarnessError, match=words) as error:
        check_network(source)
    assert "strange" in str(error.value)
    assert "\n" not in str(error.value)


def test_a_network_that_fits_is_built(drop, source):
    drop("model", "strange", NETWORK.format(returned="Output(self.layer(pooled), pooled)", classes="num_classes"))
    assert check_network(source).layer.out_features == 2
    assert check_network(source, "x3d").training


@pytest.mark.parametrize(
    ("loss", "words"),
    [
        (lambda logits, *_: logits.mean(), "it returns a Tensor of shape"),
        (lambda logits, *_: LossParts(logits.mean(1), {}), "a single number"),
        (lambda logits, *_: LossParts(logits.mean().detach(), {}), "RuntimeError: .*does not require grad"),
        (lambda logits, features, labels: LossParts(logits.mean(), {}), "TypeError: .*4 were given"),
    ],
)
def test_an_objective_that_makes_no_loss_is_told_of(source, monkeypatch, loss, words):
    monkeypatch.setattr(rehearsal, "build_objective", lambda *_: Loss(loss))
    with pytest.raises(HarnessError, match=rf"objective 'cross_entropy' \(.*cross_entropy.py\): .*{words}"):
        check_network(source, "x3d")


class Loss(nn.Module):
    def __init__(self, loss):
        super().__init__()
        self.loss = loss

    def forward(self, *told):
        return self.loss(*told)


def stressed(*names):
    return StudySpec.model_validate(
        {
            "name": "tried",
            "question": "?",
            "dataset": {"name": "synthetic"},
            "folds": [1],
            "clip": {"frames": FRAMES, "size": SIZE},
            "methods": {"x3d": RECIPE},
            "stress": {"perturbations": names, "severities": [1, 3]},
        }
    )


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("return pixels[:, 1:]", r"uint8 of shape \(1, 3, 3, 32, 32\).*keep both"),
        ("return pixels.float()", "makes float32"),
        ("pixels[:] = 0; return pixels", "writes into the clips"),
        ("return pixels[7]", r"at severity 1 on 4 frames of 32 px: IndexError: .*strange.py, line 5"),
        ("return None", "AttributeError"),
    ],
)
def test_a_perturbation_that_spoils_more_than_a_clip_is_told_of(drop, body, words):
    file = drop("perturbation", "strange", SPOILER.format(body=body))
    with pytest.raises(HarnessError, match=words) as error:
        check_conditions(stressed("strange", "fog"))
    assert f"perturbation 'strange' ({file})" in str(error.value)
    assert "\n" not in str(error.value)


def test_perturbations_of_others_are_shown_at_all_severities_and_ours_at_the_highest(monkeypatch, drop):
    drop("perturbation", "strange", SPOILER.format(body="return pixels.flip(-1)"))
    shown, original = [], rehearsal.perturb
    monkeypatch.setattr(
        rehearsal,
        "perturb",
        lambda clip, one, severity, keys: shown.append((one.title, severity)) or original(clip, one, severity, keys),
    )
    check_conditions(stressed("strange", "fog"))
    assert shown == [("Strange", 1), ("Strange", 3), (load("perturbation", "fog").title, 3)]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (
            "strange = Metric(title='S', source='t', higher_is_better=True, compute=lambda logits, labels: logits[99])",
            "IndexError",
        ),
        ("strange = Metric(title=", "SyntaxError"),
    ],
)
def test_a_metric_that_would_break_the_report_is_told_of(drop, line, words):
    file = drop("metric", "strange", f"from harness.metrics._contract import Metric\n\n{line}\n")
    with pytest.raises(HarnessError, match=rf"etric 'strange' .*{words}: .*\({file}, line 3\)"):
        check_metrics(3)


def test_a_file_that_cannot_be_imported_is_told_with_its_line(drop):
    file = drop("model", "strange", "x = 1\ndef broken(:\n")
    with pytest.raises(HarnessError, match=rf"The model 'strange' cannot be loaded: SyntaxError: .*{file}, line 2"):
        load("model", "strange")
    drop("model", "strange", "import torch\n\nstrange = torch.nothing\n")
    with pytest.raises(HarnessError, match=rf"cannot be loaded: AttributeError: .*{file}, line 3"):
        load("model", "strange")
