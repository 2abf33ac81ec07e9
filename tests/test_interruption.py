"""A signal asks work to stop; it stops where it loses nothing, or at once if it is asked again."""

import os
import select
import signal
from threading import Thread

import pytest

from harness.interruption import NEVER, Interrupted, StopRequest, stopping_on


def test_the_first_signal_asks_and_the_second_interrupts() -> None:
    with stopping_on() as stop:
        stop.check()
        signal.raise_signal(signal.SIGTERM)
        assert stop.asked
        with pytest.raises(Interrupted):
            stop.check()
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)


def test_whoever_is_patient_is_asked_as_often_as_one_likes() -> None:
    with stopping_on([signal.SIGTERM], patient=True) as stop:
        for _ in range(3):
            signal.raise_signal(signal.SIGTERM)
        assert stop.asked


def test_those_who_wait_for_files_are_woken() -> None:
    with stopping_on() as stop:
        assert select.select([stop.fileno], [], [], 0)[0] == []
        os.kill(os.getpid(), signal.SIGTERM)
        assert select.select([stop.fileno], [], [], 10)[0] == [stop.fileno]


def test_signals_do_afterwards_what_they_did_before() -> None:
    before = signal.getsignal(signal.SIGTERM)
    with stopping_on():
        assert signal.getsignal(signal.SIGTERM) != before
    assert signal.getsignal(signal.SIGTERM) == before


def test_other_threads_cannot_take_signals_and_go_on_without() -> None:
    found: list[StopRequest] = []

    def work() -> None:
        with stopping_on() as stop:
            found.append(stop)

    thread = Thread(target=work)
    thread.start()
    thread.join()
    assert [stop.asked for stop in found] == [False]
    NEVER.check()
