"""Published checkpoints land tensor for tensor, or not at all."""

from pathlib import Path

import pytest
import torch
from torch import nn
from torchvision.models import video

from harness import plugins
from harness.errors import HarnessError
from harness.train.pretrained import load_pretrained, read_checkpoint
from models._blocks.model import ClipShape, Model


def build(name: str, seed: int = 0, **options) -> tuple[Model, nn.Module]:
    plugin = plugins.load("model", name)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return plugin, plugin.build(plugin.config(**{**plugin.small, **options}), 7, plugin.examples[0])


@pytest.fixture
def kinetics_x3d(tmp_path: Path) -> Path:
    """A checkpoint as pytorchvideo publishes them: 400 classes, tensors under ``model_state``."""
    theirs = pytest.importorskip("pytorchvideo.models.x3d", reason="pytorchvideo is not installed")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(3)
        network = theirs.create_x3d(input_clip_length=4, input_crop_size=32, width_factor=0.5, depth_factor=0.2)
    path = tmp_path / "X3D.pyth"
    torch.save({"model_state": network.state_dict(), "epoch": 300}, path)
    return path


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_x3d_takes_kinetics_weights_and_keeps_its_own_classifier(kinetics_x3d):
    plugin, network = build("x3d", head_width=2048)
    before = network.classifier.weight.clone()
    report = load_pretrained(network, plugin, kinetics_x3d)
    published = torch.load(kinetics_x3d, weights_only=True)["model_state"]
    assert torch.equal(network.trunk.stem[0].weight, published["blocks.0.conv.conv_t.weight"])
    assert torch.equal(
        network.trunk.stages[3][0].filter[1].running_var,
        published["blocks.4.res_blocks.0.branch2.norm_b.0.running_var"],
    )
    assert torch.equal(network.classifier.weight, before)
    assert set(report.fresh) == {"classifier.weight", "classifier.bias"}
    assert set(report.dropped) == {"classifier.weight", "classifier.bias"}
    floats = {name for name in network.state_dict() if not name.endswith("num_batches_tracked")}
    assert {*report.matched, *report.fresh} == floats
    assert str(report).startswith(f"{len(report.matched)} tensors loaded")


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_hdf_takes_the_trunk_and_leaves_its_attention_fresh(kinetics_x3d):
    plugin, network = build("hdf")
    report = load_pretrained(network, plugin, kinetics_x3d)
    assert all(name.startswith("trunk.") for name in report.matched)
    assert all(name.startswith(("attention.", "classifier.")) for name in report.fresh)
    assert any(name.startswith("attention.") for name in report.fresh)
    assert any("post_conv" in name for name in report.dropped)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_weights_of_another_size_are_refused_with_every_tensor_named(kinetics_x3d):
    plugin, network = build("x3d", head_width=2048, width=1.0)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    with pytest.raises(HarnessError, match="mismatches") as caught:
        load_pretrained(network, plugin, kinetics_x3d)
    assert "shape of trunk" in str(caught.value)
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())


def test_torchvision_weights_fit_the_networks_built_on_them(tmp_path):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(5)
        theirs = video.mc3_18(weights=None)
    path = tmp_path / "mc3_18.pth"
    torch.save({f"module.{key}": value for key, value in theirs.state_dict().items()}, path)
    plugin, network = build("mc3_18")
    report = load_pretrained(network, plugin, path)
    assert torch.equal(network.encoder.layer4[1].conv2[0].weight, theirs.layer4[1].conv2[0].weight)
    assert set(report.dropped) == {"fc.weight", "fc.bias"}


def test_a_missing_and_an_unexpected_tensor_are_both_named(tmp_path):
    plugin, network = build("c3d")
    state = network.state_dict()
    state["stages.99.weight"] = state.pop("stages.0.weight")
    torch.save(state, tmp_path / "c3d.pt")
    with pytest.raises(HarnessError) as caught:
        load_pretrained(network, plugin, tmp_path / "c3d.pt")
    assert "missing: stages.0.weight" in str(caught.value)
    assert "unexpected: stages.99.weight" in str(caught.value)


class Harmful:
    """What a malicious checkpoint holds: a call that is made when it is unpickled."""

    def __init__(self, evidence: Path) -> None:
        self.evidence = evidence

    def __reduce__(self):
        return (Path.touch, (self.evidence,))


def test_a_checkpoint_with_code_in_it_is_refused_and_not_run(tmp_path):
    path = tmp_path / "evil.pt"
    torch.save({"state_dict": Harmful(tmp_path / "evidence")}, path)
    with pytest.raises(HarnessError, match="cannot be read as a file of plain tensors"):
        read_checkpoint(path)
    assert not (tmp_path / "evidence").exists()


@pytest.mark.parametrize(
    ("content", "message"),
    [(None, "There is no checkpoint"), (b"not a checkpoint", "cannot be read"), ({}, "no tensors")],
)
def test_a_file_that_is_no_checkpoint_is_an_error_in_words(tmp_path, content, message):
    path = tmp_path / "weights.pt"
    if isinstance(content, bytes):
        path.write_bytes(content)
    elif content is not None:
        torch.save(content, path)
    with pytest.raises(HarnessError, match=message):
        read_checkpoint(path)


def test_weights_travel_between_clip_shapes(tmp_path):
    plugin, network = build("x3d")
    torch.save(network.state_dict(), tmp_path / "own.pt")
    with torch.random.fork_rng(devices=[]):
        other = plugin.build(plugin.config(**plugin.small), 3, ClipShape(8, 64))
    report = load_pretrained(other, plugin, tmp_path / "own.pt")
    assert torch.equal(other.project.weight, network.project.weight)
    assert set(report.dropped) == {"classifier.weight", "classifier.bias"}
