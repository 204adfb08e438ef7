"""The thread of the embedded server that sees clients go."""

from __future__ import annotations

import socket
import threading

from k8srt.testing.apiserver.http import HangupMonitor


def test_a_connection_that_ends_while_its_hangup_is_noticed_is_no_error():
    monitor = HangupMonitor()
    ours, theirs = socket.socketpair()
    monitor.add(ours, lambda: None)
    theirs.close()
    [(key, _)] = monitor._selector.select(timeout=5.0)

    monitor.remove(ours)
    ours.close()

    assert not monitor._registered_locked(key)
    monitor.stop()


def test_a_client_that_goes_is_told_of_once():
    monitor, gone = HangupMonitor(), threading.Semaphore(0)
    ours, theirs = socket.socketpair()
    with ours:
        monitor.start()
        monitor.add(ours, gone.release)
        theirs.close()

        assert gone.acquire(timeout=5.0)
        monitor.stop()
