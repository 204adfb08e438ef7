"""Spans of reconciles, of the requests they make, and of calls of webhooks.

    mgr = Manager(config, tracing=True)         # by the provider that the program has set for OpenTelemetry

    reconcile web                               controller, object, attempt, why, result; linked to what led to it
      ├─ get deployments.apps                   verb, resource, status, retries
      └─ patch deployments.apps

    webhook /validate-pods                      continues the trace of the API server

Requests that nobody traces the reason of, as those of informers and elections, have no spans. What is sent carries the
`traceparent` of its span. Log records of a reconcile and of a webhook have its `trace_id` and `span_id`.

This is the one module that imports OpenTelemetry, and it is loaded when somebody asks for tracing.

Contract: TRC-01, TRC-02.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from k8srt.controller.tracing.causes import Cause, Causes, Writes
from k8srt.errors import ConfigError
from k8srt.log import fields
from k8srt.rest.observing import observing_with

try:
    from opentelemetry import propagate, trace  # type: ignore[import-not-found,unused-ignore]
except ImportError as err:
    raise ConfigError("tracing: opentelemetry-api is not installed: pip install 'k8srt[tracing]'") from err

if TYPE_CHECKING:
    from k8srt.apimachinery.schema import GroupVersionKind
    from k8srt.controller.context import Context
    from k8srt.rest.request import Request

_NAME = "k8srt"
_VERBS = {"POST": "create", "PUT": "update", "PATCH": "patch"}


class Tracing:
    """See the module. Thread-safe. `provider` gives tracers, None for the one of the program."""

    def __init__(self, provider: Any = None) -> None:
        self._tracer: Any = trace.get_tracer(_NAME, tracer_provider=provider)
        self._writes = Writes()

    # ---- reconciles -----------------------------------------------------------------------------------------------

    def causes(self) -> Causes:
        """The causes of what waits in a queue."""
        return Causes(_here)

    @contextmanager
    def reconciling(self, ctx: Context[Any], gvk: GroupVersionKind | None, causes: list[Cause]) -> Iterator[None]:
        """Within it a reconcile runs. `ctx.log` says from now on which span it is."""
        attributes = {
            "k8srt.controller": ctx.controller,
            "k8srt.group": gvk.group if gvk is not None else "",
            "k8srt.kind": gvk.kind if gvk is not None else "",
            "k8srt.namespace": getattr(ctx.request, "namespace", ""),
            "k8srt.name": getattr(ctx.request, "name", str(ctx.request)),
            "k8srt.reconcile_id": ctx.reconcile_id,
            "k8srt.attempt": ctx.attempt,
            "k8srt.priority": ctx.priority,
            "k8srt.reasons": [str(reason) for reason in ctx.reasons],
        }
        spans = [(cause, self._writes.of(cause)) for cause in causes]
        with self._tracer.start_as_current_span(
            f"reconcile {ctx.controller}",
            context=trace.set_span_in_context(trace.INVALID_SPAN),  # whatever this thread was at before
            attributes=attributes,
            links=[trace.Link(found) for _, found in spans if found is not None],
        ) as span:
            ctx.log.extra = {**(ctx.log.extra or {}), **_ids()}
            with observing_with(self):
                yield
            for cause, found in spans:
                if found is None and (late := self._writes.of(cause)) is not None:
                    span.add_link(late)

    def failed(self, err: BaseException) -> None:
        """The reconcile that runs here has raised."""
        span = trace.get_current_span()
        span.record_exception(err)
        span.set_status(trace.Status(trace.StatusCode.ERROR, f"{type(err).__name__}: {err}"))

    def ended(self, result: str) -> None:
        """The reconcile that runs here has ended with this."""
        trace.get_current_span().set_attribute("k8srt.result", result)

    # ---- requests -------------------------------------------------------------------------------------------------

    @contextmanager
    def call(self, request: Request) -> Iterator[Call]:
        """Within it a request is made. Contract: `Observer.call`."""
        about = request.about()
        verb, resource = _verb_of(request), str(about.resource)
        attributes = {
            "k8srt.verb": verb,
            "k8srt.resource": resource,
            "k8srt.name": about.name,
            "http.request.method": request.verb,
            "server.address": request.client.url.partition("://")[2],
        }
        with self._tracer.start_as_current_span(
            f"{verb} {resource or request.path()}", kind=trace.SpanKind.CLIENT, attributes=attributes
        ) as span:
            propagate.inject(request.headers)
            yield Call(span)

    def wrote(self, answer: Any) -> None:
        """An object was written here. Contract: `Observer.wrote`."""
        span = _here()
        if span is not None:
            self._writes.note(answer, span)

    # ---- webhooks -------------------------------------------------------------------------------------------------

    @contextmanager
    def answering(self, path: str, headers: Mapping[str, str]) -> Iterator[Any]:
        """Within it a call of a webhook is answered; what it gives is told with which status."""
        with self._tracer.start_as_current_span(
            f"webhook {path}",
            context=propagate.extract(headers),
            kind=trace.SpanKind.SERVER,
            attributes={"k8srt.webhook": path, "url.path": path},
        ) as span:
            ids = _ids()
            with fields(**ids), observing_with(self):
                yield Call(span)


class Call:
    """A request, or the call of a webhook, that has a span."""

    def __init__(self, span: Any) -> None:
        self._span = span
        self._attempts = 0

    def answered(self, code: int | None) -> None:
        """An attempt has led to this status, or to no answer."""
        self._attempts += 1
        if code is not None:
            self._span.set_attribute("http.response.status_code", code)
            if code >= 500:
                self._span.set_status(trace.Status(trace.StatusCode.ERROR, f"status {code}"))
        if self._attempts > 1:
            self._span.set_attribute("http.request.resend_count", self._attempts - 1)


def _here() -> Any:
    """The context of the span that is current, None if there is none."""
    found = trace.get_current_span().get_span_context()
    return found if found.is_valid else None


def _ids() -> dict[str, str]:
    """What log records say of the span that is current."""
    found = _here()
    if found is None:
        return {}
    return {"trace_id": trace.format_trace_id(found.trace_id), "span_id": trace.format_span_id(found.span_id)}


def _verb_of(request: Request) -> str:
    """What the API calls it."""
    about = request.about()
    if request.verb == "GET":
        if not about.resource.resource:
            return "get"
        watch = request.parameters.get("watch", [""])[-1] in ("true", "1")
        return "watch" if watch else "get" if about.name else "list"
    if request.verb == "DELETE":
        return "delete" if about.name else "deletecollection"
    return _VERBS.get(request.verb, request.verb.lower())
