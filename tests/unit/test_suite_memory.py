"""An evaluation holds one condition's clips at a time, however many conditions there are."""

import os
import weakref
from pathlib import Path

import pytest
import torch

from harness.spec.trial import Condition
from harness.train.batches import Batch, ClipReader
from harness.train.predict import evaluate
from harness.train.showing import Pass
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
    """Batches of black clips."""

    def __init__(self, frames=4, side=16):
        self.shape = (frames, 3, side, side)

    def in_order(self, clip_ids, batch_size):
        for start in range(0, len(clip_ids), batch_size):
            ids, none = tuple(clip_ids[start : start + batch_size]), torch.zeros(batch_size, dtype=torch.int64)
            yield Batch(
                clip_ids=ids,
                pixels=torch.zeros(batch_size, *self.shape, dtype=torch.uint8),
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


class Weighed(torch.nn.Module):
    """Notes the resident memory of the process, in bytes, whenever it is given clips."""

    def __init__(self):
        super().__init__()
        self.resident = []

    def forward(self, clips):
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        self.resident.append(pages * os.sysconf("SC_PAGE_SIZE"))
        self.clip_bytes = clips.nbytes
        return Output(clips.mean((1, 3, 4)), clips.mean((1, 3, 4)))


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="Linux tells what is resident")
def test_what_is_kept_of_a_condition_does_not_break_up_the_memory_of_its_clips():
    shown = [Pass(Condition(perturbation="reverse", severity=3), repeat) for repeat in range(80)]
    network = Weighed()
    evaluate(network, Reader(16, 64), [f"clip-{index}" for index in range(32)], shown, 32, torch.device("cpu"))
    assert network.resident[-1] - network.resident[5] < 4 * network.clip_bytes
