"""Trials that share a GPU: how many, how much memory each may take, and what a trial checks before it begins."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import HarnessError
from harness.schedule.cluster import gpu_guard
from harness.schedule.cluster.gpu_guard import NEEDED_ALONE, check_given, wait_for_memory
from harness.schedule.cluster.packing import CONTEXT_MB, HEADROOM, MOST, Measured, memory_fraction, trials_per_gpu
from harness.schedule.cluster.placing import Offer, Request, at_once


@given(st.floats(1, 200_000), st.floats(8_000, 200_000))
def test_what_is_packed_on_a_gpu_fits_on_it_with_headroom(reserved, total):
    trials = trials_per_gpu(Measured(reserved, total))
    assert 1 <= trials <= MOST
    assert trials == 1 or trials * (reserved * HEADROOM + CONTEXT_MB) <= total
    fits_one_more = (trials + 1) * (reserved * HEADROOM + CONTEXT_MB) <= total
    assert trials == MOST or not fits_one_more


@given(st.floats(1, 200_000), st.floats(8_000, 200_000))
def test_a_trial_may_take_what_it_was_measured_to_need_and_all_together_no_more_than_there_is(reserved, total):
    trials = trials_per_gpu(Measured(reserved, total))
    fraction = memory_fraction(trials, total)
    if trials == 1:
        assert fraction is None
        return
    assert fraction * total >= reserved
    assert trials * (fraction * total + CONTEXT_MB) <= total * (1 + 1e-9)


@pytest.mark.parametrize("trials", range(1, MOST + 1))
def test_the_share_of_so_many_trials_lets_ray_place_so_many(trials):
    assert at_once(Request(0.01, 1 / trials), Offer("n", 64, 1)) == trials


def test_a_trial_on_a_gpu_that_was_not_given_is_refused():
    with pytest.raises(HarnessError, match=r"resources\.gpus"):
        check_given([], "cuda")
    check_given([], "cpu")
    check_given([0], "cuda")


@pytest.fixture
def clock(monkeypatch):
    """Seconds that pass only while somebody sleeps."""
    now = [0.0]
    monkeypatch.setattr(gpu_guard.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(gpu_guard.time, "sleep", lambda seconds: now.__setitem__(0, now[0] + seconds))
    return now


def test_memory_that_a_dead_process_still_holds_is_waited_for(clock):
    free = iter([(1e9, 16e9), (2e9, 16e9), (9e9, 16e9)])
    wait_for_memory(0.5, lambda: next(free))
    assert clock[0] == 2 * gpu_guard.LOOK_SECONDS


@pytest.mark.parametrize("fraction", [0.5, None])
def test_memory_that_stays_taken_is_named_after_a_while(fraction, clock):
    needed = fraction or NEEDED_ALONE
    with pytest.raises(HarnessError, match=rf"1000 of 16000 MB free.*needs {16000 * needed:.0f}"):
        wait_for_memory(fraction, lambda: (1e9, 16e9))
    assert clock[0] >= gpu_guard.PATIENCE_SECONDS
