"""Trials that share a GPU: how many, how much memory each may take, and what a trial checks before it begins."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import HarnessError
from harness.schedule.cluster import gpu_guard
from harness.schedule.cluster.gpu_guard import NEEDED_ALONE, NEEDED_SHARED, check_given, wait_for_memory
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
    fraction = memory_fraction(1 / trials, total)
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
    assert wait_for_memory(0.5, lambda: next(free)) == 0.5 - CONTEXT_MB / 16_000
    assert clock[0] == 2 * gpu_guard.LOOK_SECONDS


@pytest.mark.parametrize(("share", "needed"), [(0.5, NEEDED_SHARED * (8000 - CONTEXT_MB)), (1.0, NEEDED_ALONE * 16000)])
def test_memory_that_stays_taken_is_named_after_a_while(share, needed, clock):
    with pytest.raises(HarnessError, match=rf"1000 of 16000 MB free.*needs {needed:.0f}"):
        wait_for_memory(share, lambda: (1e9, 16e9))
    assert clock[0] >= gpu_guard.PATIENCE_SECONDS


@pytest.mark.parametrize("trials", range(2, MOST + 1))
@pytest.mark.parametrize("total", [24e9, 80e9])
def test_the_next_of_many_trials_begins_while_all_others_hold_what_they_may_and_cuda_somewhat_more(trials, total):
    left = total / trials - 1.1 * CONTEXT_MB * 1e6
    assert wait_for_memory(1 / trials, lambda: (left, total)) == memory_fraction(1 / trials, total / 1e6)


def test_a_share_that_cuda_alone_fills_is_refused():
    with pytest.raises(HarnessError, match=r"share of 0\.02 of a GPU of 24000 MB.*resources\.gpus"):
        wait_for_memory(0.02, lambda: (24e9, 24e9))


def test_a_desktop_on_the_gpu_is_room_that_trials_do_not_have():
    assert trials_per_gpu(Measured(3000, 24_000)) > trials_per_gpu(Measured(3000, 24_000 - 5000)) >= 1
    assert trials_per_gpu(Measured(float("inf"), 24_000)) == 1
