"""Signals: the first asks to stop, the second ends the process."""

from __future__ import annotations

import logging
import os
import signal
import threading

import pytest

from k8srt.controller import signals
from k8srt.controller.signals import StopSignals, setup_signal_handler
from k8srt.errors import AlreadyStarted
from k8srt.util.threads import Stop

LONG = 20.0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_sig_01_the_first_signal_asks_and_the_second_ends(number: signal.Signals) -> None:
    stop, ends = Stop(), []

    with StopSignals(stop.set, end=ends.append):
        os.kill(os.getpid(), number)
        assert stop.wait(LONG)
        assert ends == []
        os.kill(os.getpid(), number)

    assert ends == [1]


def test_sig_02_off_the_main_thread_nothing_is_touched(caplog: pytest.LogCaptureFixture) -> None:
    before = signal.getsignal(signal.SIGTERM)
    seen: list[object] = []

    def run() -> None:
        with StopSignals(lambda: None):
            seen.append(signal.getsignal(signal.SIGTERM))

    with caplog.at_level(logging.DEBUG):
        thread = threading.Thread(target=run)
        thread.start()
        thread.join(LONG)

    assert seen == [before]
    assert "in the main thread only" in caplog.text


def _fail_within(context: StopSignals, mine: object) -> None:
    with context:
        assert signal.getsignal(signal.SIGTERM) is not mine
        raise RuntimeError("in between")


def test_sig_03_handlers_are_put_back_whatever_happens() -> None:
    def mine(number: int, frame: object) -> None: ...

    before = signal.signal(signal.SIGTERM, mine)
    try:
        with pytest.raises(RuntimeError):
            _fail_within(StopSignals(lambda: None), mine)
        assert signal.getsignal(signal.SIGTERM) is mine
    finally:
        signal.signal(signal.SIGTERM, before)


def test_sig_01_a_stop_for_the_program_is_made_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signals, "_set_up", threading.Lock())
    made: list[Stop] = []

    def run() -> None:  # off the main thread, so that no handler stays behind
        made.append(setup_signal_handler())

    thread = threading.Thread(target=run)
    thread.start()
    thread.join(LONG)

    assert not made[0].is_set()
    with pytest.raises(AlreadyStarted, match="one for the whole program"):
        setup_signal_handler()


def test_sig_01_a_handler_may_interrupt_itself() -> None:
    """Signals that come thick and fast end nothing but what they are told to."""
    stop, ends = Stop(), []

    with StopSignals(stop.set, end=ends.append):
        for _ in range(100):
            os.kill(os.getpid(), signal.SIGTERM)
        assert stop.wait(LONG)

    assert set(ends) == {1}
