"""What can be measured at informers and reflectors, and who is told.

Providers make instruments, and are set once for the whole program: `set_informer_metrics_provider` counts for
informers started after that, `set_reflector_metrics_provider` for reflectors made after that. An instrument that fails
is logged: the cache goes before its figures. Contract: INF-65, REFL-51, CACHE-59.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Any, Generic, Protocol, TypeVar

from k8srt.tools.cache.identity import Identifier
from k8srt.util.workqueue.metrics import Counter, Histogram, SettableGauge

log = logging.getLogger(__name__)

P = TypeVar("P")

QUEUED_ITEMS = "informer_queued_items"
PROCESSING_LATENCY = "informer_processing_latency_seconds"
STORE_RESOURCE_VERSION = "informer_store_resource_version"

LISTS = "reflector_lists_total"
LIST_DURATION = "reflector_list_duration_seconds"
ITEMS_PER_LIST = "reflector_items_per_list"
WATCHES = "reflector_watches_total"
SHORT_WATCHES = "reflector_short_watches_total"
WATCH_DURATION = "reflector_watch_duration_seconds"
ITEMS_PER_WATCH = "reflector_items_per_watch"
LAST_RESOURCE_VERSION = "reflector_last_resource_version"


class InformerMetricsProvider(Protocol):
    """Makes the instruments of one informer. The conventional name of each is a constant of this module."""

    def queued_items(self, identifier: Identifier) -> SettableGauge:
        """`QUEUED_ITEMS`: keys or changes in the queue."""

    def processing_latency(self, identifier: Identifier) -> Histogram:
        """`PROCESSING_LATENCY`: seconds that the processing of a batch took."""

    def store_resource_version(self, identifier: Identifier) -> SettableGauge:
        """`STORE_RESOURCE_VERSION`: the last 15 digits of the version of the cache."""


class ReflectorMetricsProvider(Protocol):
    """Makes the instruments of the reflector `name`."""

    def lists(self, name: str) -> Counter:
        """`LISTS`: lists begun."""

    def list_duration(self, name: str) -> Histogram:
        """`LIST_DURATION`: seconds from the request to the content in the store."""

    def items_per_list(self, name: str) -> Histogram:
        """`ITEMS_PER_LIST`"""

    def watches(self, name: str) -> Counter:
        """`WATCHES`: watches asked for."""

    def short_watches(self, name: str) -> Counter:
        """`SHORT_WATCHES`: those that ended within a second without any event."""

    def watch_duration(self, name: str) -> Histogram:
        """`WATCH_DURATION`: seconds."""

    def items_per_watch(self, name: str) -> Histogram:
        """`ITEMS_PER_WATCH`"""

    def last_resource_version(self, name: str) -> SettableGauge:
        """`LAST_RESOURCE_VERSION`: its last 15 digits."""


class SetOnce(Generic[P]):
    """A provider for the whole program. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()  # guards _provider
        self._provider: P | None = None

    def set(self, provider: P) -> bool:
        """Set it, unless one was set before; returns whether that was done."""
        with self._lock:
            if self._provider is not None:
                return False
            self._provider = provider
            return True

    def get(self) -> P | None:
        with self._lock:
            return self._provider


informer_provider: SetOnce[InformerMetricsProvider] = SetOnce()
reflector_provider: SetOnce[ReflectorMetricsProvider] = SetOnce()


def set_informer_metrics_provider(provider: InformerMetricsProvider) -> bool:
    """Have informers with a reserved identity report to `provider`. Only the first call counts; whether this was it."""
    return informer_provider.set(provider)


def set_reflector_metrics_provider(provider: ReflectorMetricsProvider) -> bool:
    """Have reflectors report to `provider`. Only the first call counts; returns whether this was it."""
    return reflector_provider.set(provider)


def tell(instrument: Callable[..., object], *values: Any) -> None:
    """Report to an instrument, whatever it makes of it."""
    try:
        instrument(*values)
    except Exception:
        log.exception("a metric failed")


def version_figure(version: str) -> float | None:
    """The last 15 digits of a resource version, which a float holds exactly; None if it is no number."""
    return float(version[-15:]) if version.isascii() and version.isdigit() else None


class ReflectorMetrics:
    """The measurements of one reflector, or nothing at all without a provider. Used by the reflector's thread."""

    def __init__(self, name: str, provider: ReflectorMetricsProvider | None) -> None:
        self._on = provider is not None
        if provider is not None:
            self._lists = provider.lists(name)
            self._list_duration = provider.list_duration(name)
            self._items_per_list = provider.items_per_list(name)
            self._watches = provider.watches(name)
            self._short_watches = provider.short_watches(name)
            self._watch_duration = provider.watch_duration(name)
            self._items_per_watch = provider.items_per_watch(name)
            self._last_version = provider.last_resource_version(name)

    def listing(self) -> None:
        if self._on:
            tell(self._lists.inc)

    def listed(self, items: int, seconds: float) -> None:
        if self._on:
            tell(self._items_per_list.observe, float(items))
            tell(self._list_duration.observe, seconds)

    def watching(self) -> None:
        if self._on:
            tell(self._watches.inc)

    def watched(self, items: int, seconds: float, *, short: bool) -> None:
        if self._on:
            tell(self._items_per_watch.observe, float(items))
            tell(self._watch_duration.observe, seconds)
            if short:
                tell(self._short_watches.inc)

    def at_version(self, version: str) -> None:
        if self._on and (figure := version_figure(version)) is not None:
            tell(self._last_version.set, figure)
