"""Options of networks and objectives that cannot be are one line, before any training."""

import pytest

from harness.errors import HarnessError
from harness.plugins import load
from harness.spec.strict import PluginSpec
from harness.spec.trial import ClipSpec
from harness.train.build import build_model
from harness.train.options import typed_options

CLIP = ClipSpec(frames=8, size=48)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"name": "resnet18_lstm", "width": -8}, "model 'resnet18_lstm': option 'width' must be above 0, not -8"),
        ({"name": "x3d", "width": -1}, "option 'width' must be above 0"),
        ({"name": "x3d", "width": 1, "depth": -3}, "option 'depth' must be above 0"),
        ({"name": "x3d", "width": 0}, "option 'width' must be above 0"),
        ({"name": "mvit_v2_s", "depths": [1, 2, 0, 2]}, "option 'depths' must be above 0"),
        ({"name": "c3d", "dropout": 1.5}, "option 'dropout' must be at least 0 and below 1"),
    ],
)
def test_a_network_of_no_size_is_refused_by_its_options_name(options, message):
    with pytest.raises(HarnessError, match=message):
        build_model(PluginSpec(**options), 4, CLIP)


def test_a_share_of_an_objective_is_below_one():
    options = load("objective", "cross_entropy").options
    with pytest.raises(HarnessError, match="objective 'cross_entropy': option 'label_smoothing' must be at least 0"):
        typed_options("objective 'cross_entropy'", options, {"label_smoothing": -0.1})


@pytest.mark.parametrize("raised", [RuntimeError("negative\ndimension"), ZeroDivisionError("by zero"), IndexError("3")])
def test_what_a_network_raises_is_one_line_with_its_options(raised, monkeypatch):
    def build(*_):
        raise raised

    plugin = load("model", "x3d")
    monkeypatch.setattr(
        "harness.train.build.load", lambda *_: type("Broken", (), {"config": plugin.config, "build": build})
    )
    with pytest.raises(HarnessError, match=rf"8 frames of 48 px, width: 3: {type(raised).__name__}") as error:
        build_model(PluginSpec(name="x3d", width=3), 4, CLIP)
    assert "\n" not in str(error.value)
