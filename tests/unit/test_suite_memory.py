"""An evaluation holds one condition's clips at a time, however many conditions there are."""

import weakref

import pytest
import torch

from harness.spec.trial import Condition
from harness.train.batches import Batch, ClipReader
from harness.train.predict import Pass, evaluate
from models._blocks.model import Output
from perturbations._suite import suite


class Watched(torch.nn.Module):
    """Counts how many of the inputs it was ever given are still alive."""

    def __init__(self):
        super().__init__()
        self.given, self.most = [], 0

    def forward(self, clips):
        self.given.append(weakref.ref(clips))
        self.most = max(self.most, sum(each() is not None for each in self.given))
        return Output(clips.mean((1, 3, 4)), clips.mean((1, 3, 4)))


class Reader(ClipReader):
    """Three batches of two clips."""

    def __init__(self):
        pass

    def in_order(self, clip_ids, batch_size):
        for start in range(0, len(clip_ids), batch_size):
            ids, none = tuple(clip_ids[start : start + batch_size]), torch.zeros(batch_size, dtype=torch.int64)
            yield Batch(
                clip_ids=ids,
                pixels=torch.zeros(batch_size, 4, 3, 16, 16, dtype=torch.uint8),
                labels=none,
                groups=none,
            )


@pytest.mark.parametrize("count", [2, 24])
def test_the_clips_of_a_condition_are_gone_when_the_next_are_shown(count):
    shown = [Pass(Condition(perturbation=name, severity=1), 0) for name in suite("core").names[:count]]
    network = Watched()
    found = evaluate(network, Reader(), [f"clip-{index}" for index in range(6)], shown, 2, torch.device("cpu"))
    assert found.shape == (count, 6, 3)
    assert len(network.given) == 3 * count
    assert network.most <= 2
