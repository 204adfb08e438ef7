"""Spans of a manager's reconciles and of what they ask the server for."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from k8srt.api.core.v1 import ConfigMap, Secret
from k8srt.apimachinery.meta import ObjectMeta
from k8srt.controller import Context, Manager, Request
from k8srt.kubernetes import Clientset
from k8srt.rest.config import Config
from k8srt.testing.choosing import Server
from k8srt.util.threads import Stop

pytest.importorskip("opentelemetry.sdk.trace", reason="the SDK of OpenTelemetry is not installed")

from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

LONG = 30.0
PAGE = Path(__file__).resolve().parents[2] / "docs" / "controllers.md"


class Spans:
    """A provider, and what it was told of."""

    def __init__(self) -> None:
        self._exporter = InMemorySpanExporter()
        self.provider = TracerProvider(shutdown_on_exit=False)
        self.provider.add_span_processor(SimpleSpanProcessor(self._exporter))

    def named(self, name: str, /, **attributes: Any) -> list[Any]:
        """Spans of a name with these attributes, by the last part of their names."""
        return [
            span
            for span in self._exporter.get_finished_spans()
            if span.name == name
            and all(span.attributes.get(f"k8srt.{key}") == value for key, value in attributes.items())
        ]


@pytest.fixture
def spans() -> Spans:
    return Spans()


@pytest.fixture(scope="module")
def server(module_server: Server) -> Server:
    return module_server


class Headers:
    """Keeps the headers of what is sent, by what it is."""

    def __init__(self) -> None:
        self.kept: list[tuple[str, str, str]] = []

    def __call__(self, inner: Any) -> Any:
        kept = self.kept

        class Wrapped:
            def send(self, method: str, target: str, *, headers: Any, **options: Any) -> Any:
                kept.append((method, target, dict(headers).get("traceparent", "")))
                return inner.send(method, target, headers=headers, **options)

        return Wrapped()


def test_trc_01_what_a_reconcile_asks_for_are_child_spans(
    server: Server, cs: Clientset, namespace: str, spans: Spans
) -> None:
    headers = Headers()
    config: Config = server.config.copy().wrap(headers)
    manager = Manager(config, namespace=namespace, tracing=spans.provider)
    done = Stop()

    @manager.controller(ConfigMap, labels={"traced": "yes"}, name="traced")
    def reconcile(obj: ConfigMap, ctx: Context) -> None:
        ctx.client.create(Secret(metadata=ObjectMeta(name="made", namespace=namespace)))
        list(ctx.executor.map(lambda _: ctx.api_reader.core_v1.secrets(namespace).list(), range(1)))
        assert ctx.client.api_reader.get_or_none(Secret, Request(namespace, "none")) is None
        done.set()

    with manager:
        cs.core_v1.config_maps(namespace).create({"metadata": {"name": "a", "labels": {"traced": "yes"}}})
        assert done.wait(LONG)

    (parent,) = spans.named("reconcile traced", namespace=namespace, name="a")
    (create,) = spans.named("create secrets")
    (listed,) = spans.named("list secrets")
    (missing,) = spans.named("get secrets", name="none")
    for span in (create, listed, missing):
        assert span.parent.span_id == parent.context.span_id
        assert span.kind.name == "CLIENT"
    assert create.attributes["k8srt.verb"] == "create"
    assert create.attributes["http.request.method"] == "POST"
    assert create.attributes["http.response.status_code"] == 201
    assert missing.attributes["http.response.status_code"] == 404
    assert "http.request.resend_count" not in create.attributes
    (sent,) = [header for method, target, header in headers.kept if method == "POST" and "secrets" in target]
    assert sent.startswith(f"00-{create.context.trace_id:032x}-{create.context.span_id:016x}-")
    assert spans.named("list configmaps") == spans.named("watch configmaps") == []


def test_trc_02_a_reconcile_is_linked_to_that_which_wrote_what_it_looks_at(
    server: Server, cs: Clientset, namespace: str, spans: Spans
) -> None:
    manager = Manager(server.config, namespace=namespace, tracing=spans.provider)
    written, seen = Stop(), Stop()

    @manager.controller(ConfigMap, labels={"traced": "yes"}, name="writes")
    def writes(obj: ConfigMap, ctx: Context) -> None:
        ctx.client.create(Secret(metadata=ObjectMeta(name="made", namespace=namespace, labels={"traced": "yes"})))
        written.set()

    @manager.controller(Secret, labels={"traced": "yes"}, name="reads")
    def reads(obj: Secret, ctx: Context) -> None:
        assert written.wait(LONG)
        seen.set()

    with manager:
        cs.core_v1.config_maps(namespace).create({"metadata": {"name": "a", "labels": {"traced": "yes"}}})
        assert seen.wait(LONG)

    (cause,) = spans.named("reconcile writes")
    effect = spans.named("reconcile reads")[0]
    assert [link.context.span_id for link in effect.links] == [cause.context.span_id]
    assert cause.links == ()


def test_trc_01_without_the_package_it_says_what_to_install(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    from k8srt.errors import ConfigError

    monkeypatch.setitem(sys.modules, "opentelemetry", None)
    monkeypatch.delitem(sys.modules, "k8srt.controller.tracing.tracing", raising=False)

    with pytest.raises(ConfigError, match=r"opentelemetry-api is not installed: pip install 'k8srt\[tracing\]'"):
        Manager(server.config, tracing=True)


def test_trc_01_the_page_shows_what_runs(server: Server, spans: Spans, namespace: str, cs: Clientset) -> None:
    section = PAGE.read_text().partition("\n## Traces\n")[2].partition("\n## ")[0]
    (snippet,) = re.findall(r"```python\n(.*?)```", section, re.DOTALL)
    names: dict[str, Any] = {"config": server.config, "provider": spans.provider}

    exec(compile(snippet, str(PAGE), "exec"), names)

    with names["mgr"]:
        cs.core_v1.config_maps(namespace).create(
            {"metadata": {"name": "a", "labels": {"copy": "wanted"}}, "data": {"k": "v"}}
        )
        assert cs.core_v1.secrets(namespace).wait("a", "create", timeout=LONG).data == {"k": b"v"}
    assert spans.named("patch secrets", name="a")
