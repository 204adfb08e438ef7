"""Who is told of each request that is made here: for tracing.

    with observing_with(observer):
        client.get("web")           # within `observer.call(request)`

It is a context variable, as the ambient stop is: it holds for what is called, and for threads that are given the
context. Without an observer a request costs one look-up of it.

Contract: TRC-01, TRC-02.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from k8srt.rest.request import Request


class Seen(Protocol):
    """One request that is observed."""

    def answered(self, code: int | None) -> object:
        """An attempt has led to this status, or to no answer. Several are one request with retries."""


class Observer(Protocol):
    """Who is told. Must not raise, and not block."""

    def call(self, request: Request) -> AbstractContextManager[Seen]:
        """Within it the request is made, and its answer read. Headers may be added to it before."""

    def wrote(self, answer: Any) -> object:
        """An object was written, and this is what the server has made of it."""


_observer: ContextVar[Observer | None] = ContextVar("k8srt-observer", default=None)


def observer_here() -> Observer | None:
    """Who is told of requests that are made here, None for nobody."""
    return _observer.get()


@contextmanager
def observing_with(observer: Observer) -> Iterator[None]:
    """Within the context, have `observer` told of every request."""
    token = _observer.set(observer)
    try:
        yield
    finally:
        _observer.reset(token)
