"""`wait`: until one object is as it should be, on one watch.

    pods.wait("web-0", "condition=Ready", timeout=60)
    pods.wait("web-0", lambda pod: pod.status.phase == "Running")
    pods.wait("web-0", "delete")

Contract: USR-34. After `kubectl wait`.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING, Generic, TypeVar

from k8srt.apimachinery.meta import Status, StatusDetails
from k8srt.apimachinery.object import Object
from k8srt.apimachinery.record import Record
from k8srt.apimachinery.unstructured import Unstructured
from k8srt.errors import NotServed, Stopped, WaitTimeout, status_error
from k8srt.gentype.conditions import Awaited, Condition, Deleted, HasCondition, condition_of
from k8srt.gentype.following import Follower
from k8srt.util.clock import Clock
from k8srt.util.deadline import Deadline, within
from k8srt.util.progress import Line

if TYPE_CHECKING:
    from k8srt.gentype.requests import ResourceRequests

T = TypeVar("T", bound=Object)

_METADATA = "PartialObjectMetadata"


def wait_for(
    client: ResourceRequests[T],
    name: str,
    condition: Awaited | Condition,
    *,
    timeout: float | None = 60.0,
    stop: threading.Event | None = None,
    progress: bool = False,
    clock: Clock | None = None,
) -> T | None:
    """Wait until `condition` is met, and return the object as it is then; None after "delete".

    `condition` is kubectl's `--for`: "condition=Ready", "condition=Available=False", "delete", "create",
    "jsonpath={.status.phase}=Running"; or a function of the object. A condition that says which generation it is
    about counts only when that is the current one. `timeout` in seconds: 0 looks once, None waits for ever. The wait
    goes on when the object is deleted meanwhile, as it may come again, and when the connection is lost. `progress`
    shows on stderr what is seen.

    Raises WaitTimeout telling what was seen last, NotFound when there is no such object (unless waiting for "create"
    or "delete"), Stopped, ValueError for a condition that cannot be read, and what `condition` raises.
    """
    wanted = condition_of(condition, client.object_class)
    _check(client, name, wanted, timeout)
    clock = clock or client._rest.clock
    waiting = _Waiting(client, name, wanted, Line() if progress else None)
    with within(timeout or None, stop, clock) as deadline:
        try:
            return waiting.run(deadline, clock, once=timeout == 0)
        finally:
            waiting.close()


def _check(client: ResourceRequests[T], name: str, wanted: Condition, timeout: float | None) -> None:
    info = client.info
    if not name:
        raise ValueError(f"wait for {info.resource}: the name is empty")
    if timeout is not None and timeout < 0:
        raise ValueError(f"timeout must not be negative: {timeout}")
    if info.kind and info.namespaced and not client._namespace:
        raise ValueError(f"wait for {info.resource} {name!r}: name a namespace, since the same name may be in several")
    cls = client.object_class.__info__
    if isinstance(wanted, HasCondition) and cls is not None and cls.kind == _METADATA:
        raise ValueError(f"a metadata client sees no status, so it cannot wait for {wanted.text!r}")


class _Waiting(Generic[T]):
    """One wait: what was seen of the object so far. Used by one thread."""

    def __init__(self, client: ResourceRequests[T], name: str, wanted: Condition, line: Line | None) -> None:
        self._client = client
        self._name = name
        self._wanted = wanted
        self._line = line
        self._about = f"{client.info.gvr.group_resource} {name!r}"
        self._looked = False
        self._last: Record | None = None
        self._deleted = False
        self._shown = ""

    def run(self, deadline: Deadline, clock: Clock, *, once: bool) -> T | None:
        follower = Follower(
            self._client,
            deadline,
            {"field_selector": {"metadata.name": self._name}},
            about=f"wait for {self._about}",
            add_types=issubclass(self._client.object_class, Unstructured),
            clock=clock,
        )
        try:
            for now in self._states(follower, once):
                self._show()
                if self._wanted.met(now):
                    if now is None or isinstance(self._wanted, Deleted):
                        return None
                    return self._client.object_class.from_record(now)
        except NotServed:
            if self._looked and not self._wanted.needs_object and self._wanted.met(None):
                return None  # the kind is gone, and the object with it
            raise
        except Stopped:
            pass
        if once or deadline.passed:
            raise WaitTimeout(self._too_late(deadline.timeout))
        raise Stopped(f"stopped waiting for {self._wanted.text} of {self._about}: {self._seen()}")

    def _states(self, follower: Follower, once: bool) -> Iterator[Record | None]:
        """The object in its states, None while it is not there; first as it is now."""
        first = [record for _, record in follower.begin()]
        self._looked = True
        self._last = first[0] if first else None
        if len(first) > 1 or (first and first[0].namespace and not self._namespaced()):
            where = ", ".join(record.namespace for record in first)
            raise ValueError(f"wait for {self._about}: name a namespace; there is one in {where}")
        if not first and self._wanted.needs_object:
            raise self._not_found()
        yield self._last
        for batch in () if once else follower.batches():
            for kind, record in batch:
                self._last, self._deleted = record, kind == "DELETED"
                yield None if self._deleted else record

    def _namespaced(self) -> bool:
        return bool(self._client._namespace)

    def _not_found(self) -> Exception:
        info = self._client.info
        message = f'{info.gvr.group_resource} "{self._name}" not found'
        details = StatusDetails(group=info.gvk.group, kind=info.resource, name=self._name)
        return status_error(
            Status(
                api_version="v1",
                kind="Status",
                status="Failure",
                code=404,
                reason="NotFound",
                message=message,
                details=details,
            )
        )

    def _too_late(self, timeout: float | None) -> str:
        if timeout is None:
            return f"{self._about}: {self._wanted.text} is not met: {self._seen()}"
        return f"{self._about}: timed out after {timeout:g}s waiting for {self._wanted.text}: {self._seen()}"

    def _seen(self) -> str:
        if self._last is None:
            return "it was never there" if self._looked else "the server did not answer"
        if self._deleted:
            return f"it was deleted; before that: {self._wanted.seen(self._last)}"
        return f"last seen: {self._wanted.seen(self._last)}"

    def _show(self) -> None:
        if self._line is not None and (seen := self._seen()) != self._shown:
            self._shown = seen
            self._line.show(f"waiting for {self._wanted.text} of {self._about}: {seen}")

    def close(self) -> None:
        if self._line is not None and self._shown:
            self._line.close()
