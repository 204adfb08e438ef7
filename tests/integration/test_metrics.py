"""What is scraped while a program works: the names and labels that dashboards ask for. MTR-01 to MTR-07."""

from __future__ import annotations

import logging
import re
import ssl
import sys
import threading
import types
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from k8srt import errors
from k8srt.api.core.v1 import ConfigMap
from k8srt.apimachinery.meta import ObjectMeta
from k8srt.apimachinery.object import Object
from k8srt.controller import Context, Manager, Request, Result, TerminalError
from k8srt.controller.manager.office import Election
from k8srt.controller.manager.preflight import PreflightFailed
from k8srt.controller.metrics import names as metrics_module
from k8srt.controller.metrics.access import Reviews, reviewed
from k8srt.controller.metrics.names import REGISTRY, reset_metrics_for_tests
from k8srt.controller.metrics.scraping import MetricsOptions, self_signed
from k8srt.controller.serving.messages import HTTPRequest, text
from k8srt.kubernetes import Clientset
from k8srt.testing import APIServer
from k8srt.testing.apiserver.auth import User
from k8srt.testing.choosing import Server
from k8srt.testing.clock import FakeClock
from k8srt.util.threads import Latch
from k8srt.util.wait import Backoff

LONG = 20.0

FAMILIES = {
    "controller_runtime_reconcile_total": ("controller", "result"),
    "controller_runtime_reconcile_errors_total": ("controller",),
    "controller_runtime_terminal_reconcile_errors_total": ("controller",),
    "controller_runtime_reconcile_panics_total": ("controller",),
    "controller_runtime_reconcile_timeouts_total": ("controller",),
    "controller_runtime_reconcile_time_seconds": ("controller",),
    "controller_runtime_max_concurrent_reconciles": ("controller",),
    "controller_runtime_active_workers": ("controller",),
    "workqueue_depth": ("name", "controller", "priority"),
    "workqueue_adds_total": ("name", "controller"),
    "workqueue_queue_duration_seconds": ("name", "controller"),
    "workqueue_work_duration_seconds": ("name", "controller"),
    "workqueue_unfinished_work_seconds": ("name", "controller"),
    "workqueue_longest_running_processor_seconds": ("name", "controller"),
    "workqueue_retries_total": ("name", "controller"),
    "controller_runtime_webhook_panics_total": (),
    "controller_runtime_conversion_webhook_panics_total": (),
    "rest_client_requests_total": ("code", "method", "host"),
    "rest_client_request_duration_seconds": ("verb", "host"),
    "rest_client_response_size_bytes": ("verb", "host"),
    "leader_election_master_status": ("name",),
    "process_cpu_seconds_total": (),
    "process_resident_memory_bytes": (),
    "python_info": ("implementation", "major", "minor", "patchlevel", "version"),
    "python_gc_collections_total": ("generation",),
    "k8srt_informer_objects": ("group", "version", "kind"),
    "k8srt_informer_last_event_age_seconds": ("group", "version", "kind"),
    "k8srt_informer_handler_pending": ("group", "version", "kind"),
    "k8srt_informer_relists_total": ("group", "version", "kind"),
    "k8srt_informer_watch_restarts_total": ("group", "version", "kind"),
    "k8srt_informer_transform_errors_total": ("group", "version", "kind"),
    "k8srt_read_your_writes_overlay_objects": (),
    "k8srt_controller_wedged": ("controller",),
    "k8srt_reconcile_reasons_total": ("controller", "reason"),
    "k8srt_threads": ("role",),
}

RECONCILE_BUCKETS = (
    ".005 .01 .025 .05 .1 .15 .2 .25 .3 .35 .4 .45 .5 .6 .7 .8 .9 1 1.25 1.5 1.75 2 2.5 3 3.5 4 4.5 5 6 7 8 9 10 15 20 "
    "25 30 40 50 60"
)
QUEUE_BUCKETS = "1e-08 1e-07 1e-06 1e-05 .0001 .001 .01 .1 1 10 100 1000"

_SAMPLE = re.compile(r"([a-z_0-9]+)(?:\{(.*)\})? (\S+)")
_LABEL = re.compile(r'([a-z_]+)="((?:[^"\\]|\\.)*)"')


@pytest.fixture(scope="module")
def server(module_server: Server) -> Server:
    return module_server


def get(url: str, context: ssl.SSLContext | None = None, **headers: str) -> tuple[int, str, str]:
    request = urllib.request.Request(url, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=LONG, context=context) as answer:
            return answer.status, answer.read().decode(), answer.headers["Content-Type"]
    except urllib.error.HTTPError as err:
        with err:
            return err.code, err.read().decode(), err.headers["Content-Type"]


Samples = dict[str, list[tuple[dict[str, str], float]]]


def parse(text: str) -> tuple[dict[str, str], Samples]:
    """The types and the samples of a scrape."""
    kinds, samples = {}, Samples()
    for line in text.splitlines():
        if line.startswith("# TYPE "):
            _, _, name, kind = line.split(" ")
            kinds[name] = kind
        elif not line.startswith("#"):
            found = _SAMPLE.fullmatch(line)
            assert found is not None, line
            samples.setdefault(found[1], []).append((dict(_LABEL.findall(found[2] or "")), float(found[3])))
    return kinds, samples


def of(samples: Samples, name: str, /, **labels: str) -> float:
    """The value of one series."""
    (value,) = [value for found, value in samples[name] if labels.items() <= found.items()]
    return value


def mine(obj: ConfigMap) -> bool:
    return obj.metadata.name != "kube-root-ca.crt"


def work(
    server: Server, cs: Clientset, namespace: str, name: str, **options: Any
) -> tuple[str, Samples, dict[str, str]]:
    """Have a controller reconcile four objects in four ways, and scrape it."""
    manager = Manager(
        server.config,
        namespace=namespace,
        leader_election=Election(f"lease-{name}", namespace, release_on_cancel=True),
        metrics_address="127.0.0.1:0",
        metrics_options=MetricsOptions(client_details=True, **options),
    )
    seen: set[str] = set()
    lock, all_seen = threading.Lock(), Latch()

    @manager.controller(ConfigMap, where=mine, name=name, workers=2, backoff=(60.0, 60.0))
    def reconcile(request: Request, ctx: Context[Any]) -> Result | None:
        with lock:
            seen.add(request.name)
            if {"fine", "fails", "hopeless", "later", "panics"} <= seen:
                all_seen.set()
        if request.name == "fails":
            raise RuntimeError("not yet")
        if request.name == "hopeless":
            raise TerminalError("never")
        if request.name == "panics":
            raise RecursionError
        return Result(requeue_after=60.0) if request.name == "later" else None

    for each in ("fine", "fails", "hopeless", "later", "panics"):
        cs.core_v1.config_maps(namespace).create(ConfigMap(metadata=ObjectMeta(name=each)))
    with manager:
        assert all_seen.wait(LONG)
        while REGISTRY.value("controller_runtime_reconcile_time_seconds_count", controller=name) != 5.0:
            threading.Event().wait(0.001)  # until the last of them is accounted for
        code, text, kind = get(manager.metrics_url)
    assert (code, kind) == (200, "text/plain; version=0.0.4; charset=utf-8")
    kinds, samples = parse(text)
    return text, samples, kinds


def test_mtr_01_02_04_05_and_06_names_and_labels_are_those_of_the_dashboards(
    server: Server, cs: Clientset, namespace: str
) -> None:
    text, samples, kinds = work(server, cs, namespace, "dashboards")

    assert set(FAMILIES) <= set(kinds)
    for name, labels in FAMILIES.items():
        plain = name if name in samples else f"{name}_count"
        found = {tuple(each) for each, _ in samples[plain]}
        assert found == {labels}, name
        ends = name.endswith("_total")
        assert (kinds[name] == "counter") is ends, name
    for name, expected in (
        ("controller_runtime_reconcile_time_seconds", RECONCILE_BUCKETS),
        ("workqueue_queue_duration_seconds", QUEUE_BUCKETS),
        ("workqueue_work_duration_seconds", QUEUE_BUCKETS),
        ("rest_client_request_duration_seconds", ".005 .025 .1 .25 .5 1 2 4 8 15 30 60"),
    ):
        bounds = list(dict.fromkeys(labels["le"] for labels, _ in samples[f"{name}_bucket"]))
        assert [float(each) for each in bounds[:-1]] == [float(each) for each in expected.split()]
        assert bounds[-1] == "+Inf"
    assert "fails" not in text  # MTR-07: no label is the name of an object


def test_mtr_01_and_rec_06_reconciles_are_counted_by_how_they_end(
    server: Server, cs: Clientset, namespace: str
) -> None:
    _, samples, _ = work(server, cs, namespace, "counted")
    labels = {"controller": "counted"}

    totals = samples["controller_runtime_reconcile_total"]
    results = {each["result"]: value for each, value in totals if each["controller"] == "counted"}
    assert results == {"success": 1.0, "error": 3.0, "requeue": 0.0, "requeue_after": 1.0}
    assert of(samples, "controller_runtime_reconcile_errors_total", **labels) == 3.0
    assert of(samples, "controller_runtime_terminal_reconcile_errors_total", **labels) == 1.0
    assert of(samples, "controller_runtime_reconcile_panics_total", **labels) == 1.0
    assert of(samples, "controller_runtime_reconcile_timeouts_total", **labels) == 0.0
    assert of(samples, "controller_runtime_reconcile_time_seconds_count", **labels) == 5.0
    assert of(samples, "controller_runtime_max_concurrent_reconciles", **labels) == 2.0
    assert of(samples, "workqueue_adds_total", **labels) == 5.0
    assert of(samples, "workqueue_retries_total", **labels) >= 2.0
    assert of(samples, "leader_election_master_status", name="lease-counted") == 1.0
    assert of(samples, "k8srt_informer_objects", kind="ConfigMap") >= 5.0


def test_mtr_07_and_thr_13_what_has_ended_is_not_scraped(server: Server, cs: Clientset, namespace: str) -> None:
    work(server, cs, namespace, "gone")

    values = {value for family in REGISTRY.snapshot() for sample in family.samples for _, value in sample.labels}
    assert not values & {"gone", "lease-gone"}
    reset_metrics_for_tests()
    assert REGISTRY.value("controller_runtime_webhook_panics_total") is None
    metrics_module.WEBHOOK_PANICS.labels()


@pytest.mark.embedded
def test_mtr_03_webhooks_are_counted_from_the_start() -> None:
    figures = metrics_module.WebhookFigures()
    metrics_module.install()

    figures.served("/validate")
    figures.in_flight("/validate", 1)
    figures.request("/validate", 200, 0.25)
    figures.panic()

    assert REGISTRY.value("controller_runtime_webhook_requests_total", webhook="/validate", code="200") == 1.0
    assert REGISTRY.value("controller_runtime_webhook_requests_total", webhook="/validate", code="500") == 0.0
    assert REGISTRY.value("controller_runtime_webhook_requests_in_flight", webhook="/validate") == 1.0
    assert REGISTRY.value("controller_runtime_webhook_latency_seconds_count", webhook="/validate") == 1.0
    assert (REGISTRY.value("controller_runtime_webhook_panics_total") or 0.0) >= 1.0
    figures.in_flight("/validate", -1)
    REGISTRY.forget("webhook", "/validate")


def test_msv_06_open_metrics_and_prometheus_client(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    sample = types.SimpleNamespace
    theirs = [
        sample(
            name="mine",
            documentation="Mine.",
            type="counter",
            samples=[
                sample(name="mine_total", labels={"a": "b"}, value=3.0),
                sample(name="mine_created", labels={"a": "b"}, value=1.0),
            ],
        ),
        sample(
            name="python_info",
            documentation="",
            type="gauge",
            samples=[sample(name="python_info", labels={}, value=9.0)],
        ),
    ]
    library = types.ModuleType("prometheus_client")
    library.REGISTRY = types.SimpleNamespace(collect=lambda: theirs)  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "prometheus_client", library)
    options = MetricsOptions(prometheus_client=True)

    with Manager(server.config, metrics_address="127.0.0.1:0", metrics_options=options) as manager:
        _, text, _ = get(manager.metrics_url)
        _, open_text, kind = get(manager.metrics_url, Accept="application/openmetrics-text;version=1.0.0")

    assert 'mine_total{a="b"} 3\n' in text
    assert "mine_created" not in text
    assert text.count("# TYPE python_info") == 1
    assert kind.startswith("application/openmetrics-text; version=1.0.0")
    assert "# TYPE mine counter" in open_text
    assert open_text.endswith("# EOF\n")


def test_msv_06_a_library_that_is_missing_is_named(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "prometheus_client", None)

    with pytest.raises(errors.ConfigError, match=r"pip install 'k8srt\[metrics\]'"):
        Manager(server.config, metrics_address=":0", metrics_options=MetricsOptions(prometheus_client=True))


def test_msv_03_figures_are_served_over_tls(server: Server, tmp_path: Path) -> None:
    pair = self_signed(("localhost", "127.0.0.1"))
    (tmp_path / "tls.crt").write_bytes(pair.certificate)
    (tmp_path / "tls.key").write_bytes(pair.key)
    trusting = ssl.create_default_context(cadata=pair.certificate.decode())
    careless = ssl._create_unverified_context()

    for folder, context in ((tmp_path, trusting), (tmp_path / "empty", careless)):
        options = MetricsOptions(secure=True, cert_dir=folder)
        with Manager(server.config, metrics_address="127.0.0.1:0", metrics_options=options) as manager:
            assert manager.metrics_url.startswith("https://")
            code, text, _ = get(manager.metrics_url, context)
            assert (code, "process_cpu_seconds_total" in text) == (200, True)


@pytest.fixture
def strict() -> Iterator[APIServer]:
    tokens = {"t-scraper": User("scraper", "", ("system:authenticated",)), "t-nobody": User("nobody", "", ())}
    with APIServer(authorization_mode="RBAC", tokens=tokens) as server:
        with Clientset(server.config) as cs:
            name, group = {"metadata": {"name": "scrape"}}, "rbac.authorization.k8s.io"
            rules = [{"nonResourceURLs": ["/metrics"], "verbs": ["get"]}]
            cs.rbac_v1.cluster_roles().create({**name, "rules": rules})
            subjects = [{"kind": "User", "name": "scraper", "apiGroup": group}]
            ref = {"kind": "ClusterRole", "name": "scrape", "apiGroup": group}
            cs.rbac_v1.cluster_role_bindings().create({**name, "subjects": subjects, "roleRef": ref})
        yield server


@pytest.mark.embedded
def test_msv_04_the_api_server_says_who_may_scrape(strict: APIServer) -> None:
    options = MetricsOptions(filter_provider=reviewed)

    manager = Manager(strict.config, metrics_address="127.0.0.1:0", metrics_options=options)
    manager.add_metrics_handler("/other", lambda request: text(200, "secrets"))
    with manager:
        url, other = manager.metrics_url, manager.metrics_url.replace("/metrics", "/other")
        told = [
            get(url)[0],
            get(url, Authorization="Bearer wrong")[0],
            get(url, Authorization="Basic t-scraper")[0],
            get(url, Authorization="Bearer t-nobody")[0],
            get(url, Authorization="Bearer t-scraper")[0],
            get(other, Authorization="Bearer t-scraper")[0],
        ]

    assert told == [401, 401, 401, 403, 200, 403]


@pytest.mark.embedded
def test_msv_04_what_was_said_is_kept_for_a_while_and_no_answer_is_an_error(strict: APIServer) -> None:
    clock = FakeClock()
    with Clientset(strict.config) as cs:
        reviews = Reviews(cs, backoff=Backoff(initial=0.0, steps=2), clock=clock)
        scrape = HTTPRequest("GET", "/metrics", headers={"authorization": "Bearer t-scraper"})
        refused = HTTPRequest("GET", "/other", headers={"authorization": "Bearer t-scraper"})

        assert reviews.check(scrape) is None
        answer = reviews.check(refused)
        assert answer is not None
        assert answer.code == 403
        strict.stop()

        assert reviews.check(scrape) is None
        clock.advance(40.0)  # who it is, and what is allowed, is known for longer than what is denied
        assert reviews.check(scrape) is None
        failed = reviews.check(refused)
        assert failed is not None
        assert failed.code == 500
        clock.advance(30.0)
        failed = reviews.check(scrape)
        assert failed is not None
        assert failed.code == 500


@pytest.mark.embedded
def test_mgr_20_what_a_program_is_not_allowed_to_do_is_told_at_once(
    strict: APIServer, caplog: pytest.LogCaptureFixture
) -> None:
    weak = strict.config.copy()
    weak.bearer_token = "t-scraper"

    class Foo(Object, gvk="example.com/v1/Foo", resource="foos"):
        """Of no definition the server has."""

    def make(preflight: Any) -> Manager:
        manager = Manager(weak, leader_election=Election("x", "default"), preflight=preflight)
        manager.cache.informer(ConfigMap)
        manager.cache.informer(Foo, optional=True)
        return manager

    with pytest.raises(PreflightFailed) as caught:
        make("fail").run()

    told = str(caught.value)
    assert "this program may not list configmaps in all namespaces" in told
    assert "this program may not watch configmaps in all namespaces" in told
    assert "this program may not update leases.coordination.k8s.io x in namespace default" in told
    assert "this program may not create events.events.k8s.io in all namespaces" in told
    assert "Foo: the server does not serve example.com/v1" in told
    with Manager(strict.config) as allowed:
        allowed.cache.informer(ConfigMap)
        assert allowed.preflight() == []


@pytest.mark.embedded
def test_mgr_19_a_cache_that_does_not_fill_says_why(strict: APIServer, caplog: pytest.LogCaptureFixture) -> None:
    weak = strict.config.copy()
    weak.bearer_token = "t-scraper"
    manager = Manager(weak, patience=0.2)
    manager.cache.informer(ConfigMap)
    told = Latch()

    class Handler(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if "still waiting" in record.getMessage():
                told.set()

    handler = Handler()
    logging.getLogger("k8srt.controller.manager").addHandler(handler)
    starting = threading.Thread(target=manager.start)
    starting.start()
    try:
        assert told.wait(LONG)
    finally:
        logging.getLogger("k8srt.controller.manager").removeHandler(handler)
        manager.stop()
        starting.join(LONG)

    (line,) = [each for each in caplog.messages if "still waiting" in each][:1]
    assert line.startswith("starting caches: still waiting for ConfigMap (")
    assert 'cannot list resource "configmaps"' in line
