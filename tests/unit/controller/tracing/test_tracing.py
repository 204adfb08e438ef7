"""Spans of reconciles and of webhooks, kept in memory."""

from __future__ import annotations

import logging
import subprocess
import sys
from typing import Any

import pytest

from k8srt.controller.request import Request, Result, RetryAfter
from k8srt.controller.serving.messages import HTTPRequest, HTTPResponse
from k8srt.controller.webhook.server import WebhookServer
from k8srt.rest.observing import observer_here
from tests.unit.controller.rig import Rig

pytest.importorskip("opentelemetry.sdk.trace", reason="the SDK of OpenTelemetry is not installed")

from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from k8srt.controller.tracing.tracing import Tracing

A = Request("default", "a")
TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"


class Spans:
    """A provider, and what it was told of."""

    def __init__(self) -> None:
        self._exporter = InMemorySpanExporter()
        self.provider = TracerProvider(shutdown_on_exit=False)
        self.provider.add_span_processor(SimpleSpanProcessor(self._exporter))

    def all(self) -> list[Any]:
        return list(self._exporter.get_finished_spans())


@pytest.fixture
def spans() -> Spans:
    return Spans()


def test_trc_01_a_reconcile_is_a_span(spans: Spans) -> None:
    observers: list[object] = []

    def reconcile(request: Request, ctx: Any) -> Result:
        observers.append(observer_here())
        return Result(requeue_after=60.0)

    tracing = Tracing(spans.provider)
    with Rig(reconcile, tracing=tracing) as rig:
        rig.controller.enqueue(A, priority=3)
        rig.metrics.wait_for("reconciled", "requeue_after", False)

    (span,) = spans.all()
    assert span.name == "reconcile rig"
    assert observers == [tracing]
    told = dict(span.attributes)
    assert len(told.pop("k8srt.reconcile_id")) == 36
    assert told == {
        "k8srt.controller": "rig",
        "k8srt.group": "",
        "k8srt.kind": "ConfigMap",
        "k8srt.namespace": "default",
        "k8srt.name": "a",
        "k8srt.attempt": 0,
        "k8srt.priority": 3,
        "k8srt.reasons": ("manual",),
        "k8srt.result": "requeue_after",
    }


def test_trc_01_a_failure_is_in_the_span_and_the_next_attempt_is_linked_to_it(spans: Spans) -> None:
    def reconcile(request: Request, ctx: Any) -> None:
        if not ctx.attempt:
            raise ValueError("wrong")

    with Rig(reconcile, tracing=Tracing(spans.provider), real_time=True) as rig:
        rig.controller.enqueue(A)
        rig.metrics.wait_for("reconciled", "success", False)

    first, second = spans.all()
    assert (first.status.status_code.name, first.status.description) == ("ERROR", "ValueError: wrong")
    assert first.events[0].attributes["exception.type"] == "ValueError"
    assert first.attributes["k8srt.result"] == "error"
    assert second.status.status_code.name == "UNSET"
    assert second.attributes["k8srt.attempt"] == 1
    assert [link.context.span_id for link in second.links] == [first.context.span_id]
    assert second.parent is None
    assert second.context.trace_id != first.context.trace_id


def test_trc_01_to_look_again_later_is_no_failure(spans: Spans) -> None:
    def reconcile(request: Request, ctx: Any) -> None:
        raise RetryAfter(60.0)

    with Rig(reconcile, tracing=Tracing(spans.provider)) as rig:
        rig.controller.enqueue(A)
        rig.metrics.wait_for("reconciled", "requeue_after", False)

    (span,) = spans.all()
    assert span.status.status_code.name == "UNSET"


def test_trc_02_records_say_which_span_they_are_of(spans: Spans, caplog: pytest.LogCaptureFixture) -> None:
    extras: list[dict[str, Any]] = []

    def reconcile(request: Request, ctx: Any) -> None:
        ctx.log.warning("here")
        extras.append(dict(ctx.log.extra))

    with Rig(reconcile, tracing=Tracing(spans.provider)) as rig:
        rig.controller.enqueue(A)
        rig.metrics.wait_for("reconciled", "success", False)

    (span,) = spans.all()
    record: Any = next(each for each in caplog.records if "here" in each.getMessage())
    assert record.trace_id == extras[0]["trace_id"] == f"{span.context.trace_id:032x}"
    assert record.span_id == extras[0]["span_id"] == f"{span.context.span_id:016x}"


def test_trc_01_a_webhook_continues_the_trace_of_who_calls(spans: Spans) -> None:
    server = WebhookServer()
    server.tracing = Tracing(spans.provider)
    observers: list[object] = []

    def answer(request: HTTPRequest) -> HTTPResponse:
        observers.append(observer_here())
        return HTTPResponse(500 if request.query else 200)

    server.register("/validate-me", answer)
    headers = {"traceparent": f"00-{TRACE}-{PARENT}-01"}
    server._dispatch(HTTPRequest("POST", "/validate-me", headers=headers))
    server._dispatch(HTTPRequest("POST", "/validate-me", "timeout=1s"))

    continued, own = spans.all()
    assert continued.name == "webhook /validate-me"
    assert f"{continued.context.trace_id:032x}" == TRACE
    assert f"{continued.parent.span_id:016x}" == PARENT
    assert continued.attributes["http.response.status_code"] == 200
    assert continued.kind.name == "SERVER"
    assert own.parent is None
    assert own.status.status_code.name == "ERROR"
    assert observers == [server.tracing] * 2
    assert observer_here() is None


def test_trc_02_nothing_is_imported_when_it_is_off() -> None:
    code = "import sys, k8srt.controller.manager.manager; print([n for n in sys.modules if 'telemetry' in n])"

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)

    assert done.stdout.strip() == "[]"


def test_trc_02_without_a_provider_of_spans_records_are_as_they_were(caplog: pytest.LogCaptureFixture) -> None:
    def reconcile(request: Request, ctx: Any) -> None:
        logging.getLogger("k8srt.controller.rig").warning("here")
        assert "trace_id" not in ctx.log.extra

    with Rig(reconcile, tracing=Tracing()) as rig:
        rig.controller.enqueue(A)
        rig.metrics.wait_for("reconciled", "success", False)
