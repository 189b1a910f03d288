"""Signals while Ray starts and ends: whoever called us finds his own handlers and timers as they were."""

import signal

import pytest

from harness.schedule.signals import interrupt_on_sigterm, leaving_ray, starting_ray

SECONDS = 1000.0


@pytest.fixture
def timer():
    """A caller's own timer, as a notebook or a test runner sets one."""
    handlers = {one: signal.getsignal(one) for one in (signal.SIGALRM, signal.SIGTERM, signal.SIGUSR1)}

    def mine(*_: object) -> None:
        pytest.fail("the timer was not due")

    signal.signal(signal.SIGALRM, mine)
    signal.setitimer(signal.ITIMER_REAL, SECONDS, SECONDS)
    yield mine
    signal.setitimer(signal.ITIMER_REAL, 0)
    for one, handler in handlers.items():
        signal.signal(one, handler)


def left() -> tuple[float, float]:
    return signal.getitimer(signal.ITIMER_REAL)


def interrupted_start() -> None:
    with starting_ray():
        signal.alarm(3)
        raise KeyboardInterrupt


def test_leaving_ray_gives_the_timer_back(timer):
    with leaving_ray():
        assert left()[0] < 1
    assert left() == (pytest.approx(SECONDS, abs=60), SECONDS)
    assert signal.getsignal(signal.SIGALRM) is timer


def test_a_start_of_ray_that_is_interrupted_takes_its_alarm_back_and_not_the_callers(timer):
    with pytest.raises(KeyboardInterrupt):
        interrupted_start()
    assert left() == (pytest.approx(SECONDS, abs=60), SECONDS)


def test_without_a_timer_none_is_left():
    handlers = {one: signal.getsignal(one) for one in (signal.SIGTERM, signal.SIGUSR1)}
    with leaving_ray():
        assert left() != (0, 0)
    with pytest.raises(KeyboardInterrupt):
        interrupted_start()
    assert left() == (0, 0)
    interrupt_on_sigterm()
    assert signal.getsignal(signal.SIGTERM) is signal.default_int_handler
    for one, handler in handlers.items():
        signal.signal(one, handler)
