"""What a program of controllers measures, under the names that controller-runtime and client-go have made customary.

    metrics.install()                           # a manager with a metrics address does this
    metrics.REGISTRY.value("controller_runtime_reconcile_total", controller="foo", result="success")

`install` has queues, clients, elections, controllers and webhooks of this process report here, those made from then
on. Figures of your own: `REGISTRY.register(Counter(...))` of `instruments`, or prometheus_client, whose default
registry a manager includes with `prometheus_client=True`. No label is ever the name or namespace of an object.

Contract: MTR-01 to MTR-07, REC-06.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence

from k8srt.controller import measures
from k8srt.controller.metrics.instruments import (
    Counter,
    CounterSeries,
    Gauge,
    GaugeSeries,
    Histogram,
    HistogramSeries,
    Registry,
)
from k8srt.controller.metrics.process import process_figures
from k8srt.controller.reconciling.outcome import Outcome
from k8srt.controller.serving import figures
from k8srt.tools import metrics as client_metrics
from k8srt.tools.leaderelection import metrics as election_metrics
from k8srt.util.workqueue import metrics as queue_metrics

REGISTRY = Registry()
"""What is scraped."""

_RECONCILE_SECONDS = (
    *(0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.6, 0.7, 0.8, 0.9),
    *(1.0, 1.25, 1.5, 1.75, 2.0, 2.5, 3.0, 3.5, 4.0, 4.5, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0, 15.0, 20.0, 25.0, 30.0),
    *(40.0, 50.0, 60.0),
)
_QUEUE_SECONDS = tuple(float(f"1e{exponent}") for exponent in range(-8, 4))
_REQUEST_SECONDS = (0.005, 0.025, 0.1, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 15.0, 30.0, 60.0)
_REQUEST_BYTES = (64, 256, 512, 1024, 4096, 16384, 65536, 262144, 1048576, 4194304, 16777216)

_CONTROLLER = ("controller",)
_QUEUE = ("name", "controller")
_VERB = ("verb", "host")

RECONCILES = Counter("controller_runtime_reconcile_total", "Reconciles, by how they ended.", ("controller", "result"))
RECONCILE_ERRORS = Counter("controller_runtime_reconcile_errors_total", "Reconciles that failed.", _CONTROLLER)
TERMINAL_ERRORS = Counter(
    "controller_runtime_terminal_reconcile_errors_total", "Reconciles that failed and are not tried again.", _CONTROLLER
)
PANICS = Counter("controller_runtime_reconcile_panics_total", "Reconciles that panicked.", _CONTROLLER)
TIMEOUTS = Counter("controller_runtime_reconcile_timeouts_total", "Reconciles that took too long.", _CONTROLLER)
RECONCILE_TIME = Histogram(
    "controller_runtime_reconcile_time_seconds", "How long reconciles take.", _CONTROLLER, buckets=_RECONCILE_SECONDS
)
MAX_CONCURRENT = Gauge(
    "controller_runtime_max_concurrent_reconciles", "How many reconciles may run at once.", _CONTROLLER
)
ACTIVE_WORKERS = Gauge("controller_runtime_active_workers", "How many reconciles are running.", _CONTROLLER)
WEDGED = Gauge("k8srt_controller_wedged", "1 while work waits and none is ever done.", _CONTROLLER)
STUCK = Gauge("k8srt_controller_stuck_reconciles", "Reconciles far past their deadline.", _CONTROLLER)
REASONS = Counter("k8srt_reconcile_reasons_total", "Why reconciles began.", ("controller", "reason"))
HANDLER_ERRORS = Counter("k8srt_controller_handler_errors_total", "Events whose mapping to requests raised.", ("kind",))

DEPTH = Gauge(queue_metrics.DEPTH, "Items queued.", (*_QUEUE, "priority"))
ADDS = Counter(queue_metrics.ADDS, "Items added.", _QUEUE)
QUEUE_TIME = Histogram(
    queue_metrics.QUEUE_DURATION, "Seconds an item waits for a worker.", _QUEUE, buckets=_QUEUE_SECONDS
)
WORK_TIME = Histogram(
    queue_metrics.WORK_DURATION, "Seconds that work on an item takes.", _QUEUE, buckets=_QUEUE_SECONDS
)
UNFINISHED = Gauge(queue_metrics.UNFINISHED_WORK, "Seconds of work going on, summed up.", _QUEUE)
LONGEST = Gauge(queue_metrics.LONGEST_RUNNING, "Seconds the oldest work going on has lasted.", _QUEUE)
RETRIES = Counter(queue_metrics.RETRIES, "Items to be added later.", _QUEUE)

WEBHOOK_LATENCY = Histogram(figures.LATENCY, "How long webhooks take to answer.", ("webhook",))
WEBHOOK_REQUESTS = Counter(figures.REQUESTS, "Requests to webhooks, by their status.", ("webhook", "code"))
WEBHOOK_IN_FLIGHT = Gauge(figures.IN_FLIGHT, "Requests to webhooks that are not answered yet.", ("webhook",))
WEBHOOK_PANICS = Counter(figures.PANICS, "Admission webhooks that raised.")
CONVERSION_PANICS = Counter(figures.CONVERSION_PANICS, "Conversion webhooks that raised.")
CERTIFICATE_READS = Counter(figures.CERTIFICATE_READS, "Certificates read.")
CERTIFICATE_ERRORS = Counter(figures.CERTIFICATE_ERRORS, "Certificates that could not be used.")

REQUESTS = Counter("rest_client_requests_total", "Requests to API servers.", ("code", "method", "host"))
REQUEST_TIME = Histogram(
    client_metrics.REQUEST_LATENCY, "How long whole requests take.", _VERB, buckets=_REQUEST_SECONDS
)
LIMITER_TIME = Histogram(
    client_metrics.RATE_LIMITER_LATENCY, "How long a client held requests back.", _VERB, buckets=_REQUEST_SECONDS
)
RESOLVER_TIME = Histogram(
    client_metrics.RESOLVER_LATENCY, "How long names take to resolve.", ("host",), buckets=_REQUEST_SECONDS
)
REQUEST_SIZE = Histogram(client_metrics.REQUEST_SIZE, "Bytes sent.", _VERB, buckets=_REQUEST_BYTES)
RESPONSE_SIZE = Histogram(client_metrics.RESPONSE_SIZE, "Bytes read.", _VERB, buckets=_REQUEST_BYTES)
REQUEST_RETRIES = Counter(client_metrics.REQUEST_RETRY, "Requests tried again.", ("code", "verb", "host"))

MASTER = Gauge(election_metrics.MASTER_STATUS, "1 while this process leads.", ("name",))
SLOWPATH = Counter(election_metrics.SLOWPATH_TOTAL, "Renewals that had to read the lease.", ("name",))

_ALWAYS = (
    *(RECONCILES, RECONCILE_ERRORS, TERMINAL_ERRORS, PANICS, TIMEOUTS, RECONCILE_TIME, MAX_CONCURRENT, ACTIVE_WORKERS),
    *(WEDGED, STUCK, REASONS, HANDLER_ERRORS, DEPTH, ADDS, QUEUE_TIME, WORK_TIME, UNFINISHED, LONGEST, RETRIES),
    *(WEBHOOK_LATENCY, WEBHOOK_REQUESTS, WEBHOOK_IN_FLIGHT, WEBHOOK_PANICS, CONVERSION_PANICS),
    *(CERTIFICATE_READS, CERTIFICATE_ERRORS, REQUESTS, MASTER, SLOWPATH),
)
_CLIENT_DETAILS = (REQUEST_TIME, LIMITER_TIME, RESOLVER_TIME, REQUEST_SIZE, RESPONSE_SIZE, REQUEST_RETRIES)


class ControllerFigures:
    """Keeps the figures of controllers. Contract: MTR-01, REC-06."""

    def started(self, controller: str, workers: int) -> None:
        for outcome in Outcome:
            RECONCILES.labels(controller, outcome.value)
        for family in (RECONCILE_ERRORS, TERMINAL_ERRORS, PANICS, TIMEOUTS):
            family.labels(controller)
        for gauge in (ACTIVE_WORKERS, WEDGED, STUCK):
            gauge.labels(controller)
        RECONCILE_TIME.labels(controller)
        MAX_CONCURRENT.labels(controller).set(workers)

    def reconciled(self, controller: str, outcome: str, seconds: float, terminal: bool) -> None:
        RECONCILES.labels(controller, str(outcome)).inc()
        RECONCILE_TIME.labels(controller).observe(seconds)
        if outcome == Outcome.ERROR:
            RECONCILE_ERRORS.labels(controller).inc()
        if terminal:
            TERMINAL_ERRORS.labels(controller).inc()

    def active(self, controller: str, change: int) -> None:
        ACTIVE_WORKERS.labels(controller).inc(change)

    def handler_failed(self, kind: str) -> None:
        HANDLER_ERRORS.labels(kind).inc()

    def panicked(self, controller: str) -> None:
        PANICS.labels(controller).inc()

    def timed_out(self, controller: str) -> None:
        TIMEOUTS.labels(controller).inc()

    def stuck(self, controller: str, change: int) -> None:
        STUCK.labels(controller).inc(change)

    def wedged(self, controller: str, wedged: bool) -> None:
        WEDGED.labels(controller).set(1.0 if wedged else 0.0)

    def reasons(self, controller: str, reasons: tuple[str, ...]) -> None:
        for reason in reasons:
            REASONS.labels(controller, reason).inc()


class QueueFigures:
    """Makes the instruments of queues; a controller's queue has its name. Contract: MTR-02."""

    def depth(self, name: str) -> GaugeSeries:
        return DEPTH.labels(name, name, "")

    def priority_depth(self, name: str) -> _DepthByPriority:
        return _DepthByPriority(name)

    def adds(self, name: str) -> CounterSeries:
        return ADDS.labels(name, name)

    def queue_duration(self, name: str) -> HistogramSeries:
        return QUEUE_TIME.labels(name, name)

    def work_duration(self, name: str) -> HistogramSeries:
        return WORK_TIME.labels(name, name)

    def unfinished_work(self, name: str) -> GaugeSeries:
        return UNFINISHED.labels(name, name)

    def longest_running(self, name: str) -> GaugeSeries:
        return LONGEST.labels(name, name)

    def retries(self, name: str) -> CounterSeries:
        return RETRIES.labels(name, name)


class _DepthByPriority:
    def __init__(self, name: str) -> None:
        self._name = name
        DEPTH.labels(name, name, "0")

    def inc(self, priority: str) -> None:
        DEPTH.labels(self._name, self._name, priority).inc()

    def dec(self, priority: str) -> None:
        DEPTH.labels(self._name, self._name, priority).dec()


class ClientFigures(client_metrics.ClientMetrics):
    """Keeps the figures of clients: how many requests there are, and the rest on request. Contract: MTR-04."""

    details = False

    def request_result(self, code: str, method: str, host: str) -> None:
        REQUESTS.labels(code, method, host).inc()

    def request_latency(self, verb: str, host: str, seconds: float) -> None:
        if self.details:
            REQUEST_TIME.labels(verb, host).observe(seconds)

    def rate_limiter_latency(self, verb: str, host: str, seconds: float) -> None:
        if self.details:
            LIMITER_TIME.labels(verb, host).observe(seconds)

    def resolver_latency(self, host: str, seconds: float) -> None:
        if self.details:
            RESOLVER_TIME.labels(host).observe(seconds)

    def request_size(self, verb: str, host: str, size: int) -> None:
        if self.details:
            REQUEST_SIZE.labels(verb, host).observe(size)

    def response_size(self, verb: str, host: str, size: int) -> None:
        if self.details:
            RESPONSE_SIZE.labels(verb, host).observe(size)

    def request_retry(self, code: str, verb: str, host: str) -> None:
        if self.details:
            REQUEST_RETRIES.labels(code, verb, host).inc()


class ElectionFigures:
    """Keeps the figures of elections. Contract: MTR-05."""

    def on(self, name: str) -> None:
        MASTER.labels(name).set(1.0)

    def off(self, name: str) -> None:
        MASTER.labels(name).set(0.0)

    def slowpath_exercised(self, name: str) -> None:
        SLOWPATH.labels(name).inc()


class WebhookFigures(figures.WebhookFigures):
    """Keeps the figures of webhooks and certificates. Contract: MTR-03, MTR-05."""

    def served(self, path: str) -> None:
        for code in figures.PRESENT:
            WEBHOOK_REQUESTS.labels(path, str(code))
        WEBHOOK_LATENCY.labels(path)
        WEBHOOK_IN_FLIGHT.labels(path)

    def in_flight(self, path: str, change: int) -> None:
        WEBHOOK_IN_FLIGHT.labels(path).inc(change)

    def request(self, path: str, code: int, seconds: float) -> None:
        WEBHOOK_REQUESTS.labels(path, str(code)).inc()
        WEBHOOK_LATENCY.labels(path).observe(seconds)

    def panic(self) -> None:
        WEBHOOK_PANICS.labels().inc()

    def conversion_panic(self) -> None:
        CONVERSION_PANICS.labels().inc()

    def certificate_read(self) -> None:
        CERTIFICATE_READS.labels().inc()

    def certificate_error(self) -> None:
        CERTIFICATE_ERRORS.labels().inc()


_WITHOUT_LABELS: Sequence[Counter] = (WEBHOOK_PANICS, CONVERSION_PANICS, CERTIFICATE_READS, CERTIFICATE_ERRORS)
_client = ClientFigures()
_installing = threading.Lock()  # guards _installed
_installed = False


def install(*, client_details: bool = False) -> None:
    """Have everything made from now on report here. Again is fine. Who was told before of queues, clients or elections
    stays: those are set once. With `client_details` the durations and sizes of requests are kept, too.
    """
    global _installed
    with _installing:
        if client_details:
            REGISTRY.register(*_CLIENT_DETAILS)
            _client.details = True
        if _installed:
            return
        _installed = True
        REGISTRY.register(*_ALWAYS)
        REGISTRY.collect_from(process_figures)
    for family in _WITHOUT_LABELS:
        family.labels()
    queue_metrics.set_provider(QueueFigures())
    client_metrics.set_provider(_client)
    election_metrics.set_provider(ElectionFigures())
    measures.set_provider(ControllerFigures())
    figures.set_provider(WebhookFigures())


def forget_controller(name: str) -> None:
    """Drop the series of a controller, or of an election, that has ended. Contract: THR-13."""
    REGISTRY.forget("controller", name)
    REGISTRY.forget("name", name)


def reset_metrics_for_tests() -> None:
    """Drop every series there is. Contract: MTR-07."""
    REGISTRY.clear()
