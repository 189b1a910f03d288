"""Batches read ahead of a GPU are those that would have been read."""

import threading

import pytest
import torch

from harness.train.ahead import read_ahead
from harness.train.batches import Batch

CPU, ELSEWHERE = torch.device("cpu"), torch.device("meta")


def batch(number: int) -> Batch:
    pixels = torch.full((2, 1, 3, 4, 4), number, dtype=torch.uint8)
    none = torch.zeros(2, dtype=torch.int64)
    return Batch(clip_ids=(str(number), "b"), pixels=pixels, labels=none, groups=none)


class Reading:
    """Batches that note which were read, and by which threads."""

    def __init__(self, count: int, fails_at: int = -1) -> None:
        self.read: list[int] = []
        self.threads: set[str] = set()
        self._count, self._fails_at = count, fails_at

    def __iter__(self):
        for number in range(self._count):
            if number == self._fails_at:
                raise OSError("the disk is gone")
            self.read.append(number)
            self.threads.add(threading.current_thread().name)
            yield batch(number)


@pytest.mark.parametrize("device", [CPU, ELSEWHERE])
@pytest.mark.parametrize("count", [0, 1, 5])
def test_all_batches_come_once_and_in_order(device, count):
    found = list(read_ahead(iter(Reading(count)), device))
    assert [int(one.clip_ids[0]) for one in found] == list(range(count))
    assert all(bool((one.pixels == number).all()) for number, one in enumerate(found))


def test_one_batch_is_read_ahead_by_another_thread_and_no_more():
    reading = Reading(5)
    batches = read_ahead(iter(reading), ELSEWHERE)
    next(batches)
    second = next(batches)
    batches.close()
    assert second.clip_ids[0] == "1"
    assert reading.read == [0, 1, 2]
    assert threading.current_thread().name not in reading.threads


def test_a_cpu_is_not_read_ahead_for():
    reading = Reading(5)
    next(read_ahead(iter(reading), CPU))
    assert reading.read == [0]
    assert reading.threads == {threading.current_thread().name}


@pytest.mark.parametrize("device", [CPU, ELSEWHERE])
def test_what_went_wrong_while_reading_is_told_after_the_batches_before_it(device):
    found = []
    with pytest.raises(OSError, match="the disk is gone"):  # noqa: PT012 - it comes while batches are taken
        for one in read_ahead(iter(Reading(5, fails_at=2)), device):
            found.append(one)  # noqa: PERF402 - what came before the error is looked at
    assert [one.clip_ids[0] for one in found] == ["0", "1"]


def test_nobody_reads_on_when_who_took_the_batches_is_gone():
    batches = read_ahead(iter(Reading(5)), ELSEWHERE)
    next(batches)
    batches.close()
    assert not [one for one in threading.enumerate() if one.name.startswith("read-ahead")]
