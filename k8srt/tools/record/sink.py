"""Where events go: an `EventSink` of one's own, or the client of a cluster. Contract: EVT-17, EVT-29."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

from k8srt.apimachinery.object import Object
from k8srt.gentype.events import WritesEvents
from k8srt.rest.limits import make_limiter

if TYPE_CHECKING:
    from k8srt.kubernetes.clientset import Clientset

T = TypeVar("T", bound=Object)

WRITE_TIMEOUT = 30.0
"""Seconds that one write may take, unless the client's configuration says otherwise."""


class EventSink(Protocol[T]):
    """Writes events. It is called by the threads of one broadcaster, and may block them.

    What it raises decides: a StatusError, ValueError or TypeError means that this event will never be taken, any
    other K8srtError or an OSError that it may be taken later.
    """

    def create(self, event: T) -> T:
        """Create an event in the namespace it names and return it as the server has it."""

    def patch(self, event: T, patch: dict[str, Any]) -> T:
        """Patch the event of that namespace and name, by a strategic merge. Raises NotFound when it is gone."""


class ClientSink(Generic[T]):
    """Writes events with a client of all namespaces: `ClientSink(cs.core_v1.events())`.

    Setting `stop` ends a write that is under way. Raises ValueError for an event without a namespace.
    """

    def __init__(
        self, client: WritesEvents[T], *, stop: threading.Event | None = None, timeout: float = WRITE_TIMEOUT
    ) -> None:
        self._client = client
        self._options: dict[str, Any] = {"stop": stop, "timeout": timeout}

    def create(self, event: T) -> T:
        _check(event)
        return self._client.create_with_event_namespace(event, **self._options)

    def patch(self, event: T, patch: dict[str, Any]) -> T:
        _check(event)
        return self._client.patch_with_event_namespace(event, patch, **self._options)

    def __repr__(self) -> str:
        return f"<ClientSink {self._client!r}>"


def _check(event: Object) -> None:
    if not event.metadata.namespace:
        raise ValueError(f"{event!r}: an event needs a namespace")


def sink_for(target: Any, group: str, stop: threading.Event) -> EventSink[Any]:
    """The sink that is meant: one as it is, the client of a group's events, or that of a clientset.

    Events that are written with a clientset have a rate limit of their own, unless the config brings a limiter: a flood
    of them must not hold up the work they tell of. Raises TypeError for anything else.
    """
    if isinstance(target, WritesEvents):
        return ClientSink(target, stop=stop)
    if hasattr(target, "rest_client") and hasattr(target, group):
        return ClientSink(_beside(target, getattr(target, group).events()), stop=stop)
    if callable(getattr(target, "create", None)) and callable(getattr(target, "patch", None)):
        found: EventSink[Any] = target
        return found
    raise TypeError(f"a sink of events is a clientset, a client of events or an EventSink, not {target!r}")


def _beside(cs: Clientset, client: WritesEvents[Any]) -> WritesEvents[Any]:
    """The same client over the same connections, with a rate limit of its own."""
    rest = cs.rest_client.for_group_version("v1")
    rest.rate_limiter = make_limiter(rest.config)
    return type(client)(rest, client.object_class)
