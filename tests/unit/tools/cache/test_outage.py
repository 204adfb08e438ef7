"""One line when something stops working, one when it works again."""

from __future__ import annotations

import logging

import pytest

from k8srt.errors import TransportError
from k8srt.testing.clock import FakeClock
from k8srt.tools.cache.outage import Outage


def test_refl_49_a_failure_that_repeats_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    clock = FakeClock()
    outage = Outage("reflector pods", clock)

    for timeout in (301, 555, 301):
        outage.report(None, TransportError(f"GET http://x/pods?timeoutSeconds={timeout}&watch=true: refused"))
        clock.advance(2.0)
    outage.report(None, TransportError("GET http://x/pods: no route"))
    outage.over()
    outage.over()

    errors = [record.getMessage() for record in caplog.records if record.levelno == logging.ERROR]
    assert len(errors) == 2
    assert "refused" in errors[0]
    assert "no route" in errors[1]
    assert [record.getMessage() for record in caplog.records if record.levelno == logging.INFO] == [
        "reflector pods: works again after 6.0s"
    ]
