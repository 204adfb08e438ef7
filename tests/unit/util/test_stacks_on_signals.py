"""A signal has the stacks of all threads written. Contract: THR-08."""

from __future__ import annotations

import signal
import sys
import threading

import pytest

from k8srt.util.stacks import dumping


def test_thr_08_a_signal_has_the_stacks_of_all_threads_written_by_name(capfd: pytest.CaptureFixture[str]) -> None:
    leave = threading.Event()

    def waits_for_the_end() -> None:
        leave.wait()

    thread = threading.Thread(target=waits_for_the_end, name="k8srt-somebody-0")
    thread.start()
    with dumping(signal.SIGUSR1):
        signal.raise_signal(signal.SIGUSR1)
    leave.set()
    thread.join()

    written = capfd.readouterr().err
    assert "thread k8srt-somebody-0 (" in written
    assert "waits_for_the_end" in written
    assert "thread MainThread (" in written


def test_thr_08_threads_that_come_and_go_do_no_harm(capfd: pytest.CaptureFixture[str]) -> None:
    leave = threading.Event()

    def come_and_go() -> None:
        while not leave.is_set():
            thread = threading.Thread(target=leave.is_set)
            thread.start()
            thread.join()

    busy = [threading.Thread(target=come_and_go) for _ in range(4)]
    for thread in busy:
        thread.start()
    with dumping(signal.SIGUSR1):
        for _ in range(50):
            signal.raise_signal(signal.SIGUSR1)
    leave.set()
    for thread in busy:
        thread.join()

    assert capfd.readouterr().err.count("thread MainThread (") == 50


def test_thr_08_who_handles_the_signal_goes_on_doing_so(capfd: pytest.CaptureFixture[str]) -> None:
    heard: list[int] = []
    before = signal.signal(signal.SIGUSR1, lambda number, _: heard.append(number))
    try:
        with dumping(None):
            signal.raise_signal(signal.SIGUSR1)
        assert (heard, capfd.readouterr().err) == ([signal.SIGUSR1], "")

        with dumping(signal.SIGUSR1):
            signal.raise_signal(signal.SIGUSR1)
        signal.raise_signal(signal.SIGUSR1)
    finally:
        signal.signal(signal.SIGUSR1, before)

    assert heard == [signal.SIGUSR1] * 2
    assert "thread MainThread (" in capfd.readouterr().err


def test_thr_08_without_a_file_for_errors_nothing_is_handled(monkeypatch: pytest.MonkeyPatch) -> None:
    before = signal.getsignal(signal.SIGUSR1)
    monkeypatch.setattr(sys, "stderr", None)

    with dumping(signal.SIGUSR1):
        assert signal.getsignal(signal.SIGUSR1) is before
