"""A cache over a cluster in memory, running."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from k8srt.api.core.v1 import ConfigMap
from k8srt.apimachinery.meta import ObjectMeta
from k8srt.controller.cache.cache import Cache
from k8srt.testing import FakeClientset
from k8srt.util.threads import Stop, spawn

LONG = 20.0


def config_map(name: str, namespace: str = "default", **more: Any) -> ConfigMap:
    data = more.pop("data", None)
    return ConfigMap(metadata=ObjectMeta(name=name, namespace=namespace, **more), data=data)


@contextmanager
def running(cs: Any, **options: Any) -> Iterator[Cache]:
    """A cache that runs."""
    cache = Cache(cs, **options)
    stop = Stop()
    started = spawn("test-cache", cache.start, stop)
    while not cache.is_running():
        started.join(0.001)
    try:
        yield cache
    finally:
        stop.set()
        started.join(LONG)


def names(found: Any) -> list[str]:
    return sorted(each.metadata.name for each in found)


def fake(*objects: Any) -> FakeClientset:
    return FakeClientset(*objects)
