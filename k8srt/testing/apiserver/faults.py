"""What goes wrong, as a test wants it: answers that fail, come late or never, watches that end or fall silent.

    with server.faults.fail("update", "deployments/status", status=503, times=3) as fault:
        reconcile()
    assert fault.count == 3

A fault holds from the call that sets it until its `with` block ends, until `remove`, or until it has done its `times`.
Several that match a request all have their say: delays add up, and the first that fails the request ends it. Chance is
drawn from the seed, for each fault by itself, so what happens to the n-th request that matches a fault is the same in
every run. Without faults, requests pass by at the cost of one look.

Common arguments: `verb` is one of get, list, watch, create, update, patch, apply, delete, deletecollection, "*", or
several; `resource` a class, "pods", "pods/status", "deployments.apps", "*" for all, or a path that begins with a slash
and may end in "*" ("/healthz", "/apis*") for requests about none. Plain "pods" means its subresources, too.
`namespace`, `name` and `agent` (part of the User-Agent, so that the test's own clients are spared) narrow it down;
`times` ends it after so many, `skip` lets so many pass first, `chance` is the part of the rest that is hit.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterator
from typing import Any, TypeVar, Unpack

import msgspec

from k8srt.testing.apiserver.failures import Failure, conflict, expired, failure
from k8srt.testing.apiserver.fault import (
    Delay,
    Disturbance,
    Fail,
    Fault,
    Limits,
    Resource,
    Verbs,
    Where,
    check_limits,
    named,
    number_of_events,
    verbs_of,
)
from k8srt.testing.apiserver.fault_watches import OpenWatches
from k8srt.testing.apiserver.messages import Hangup, Request, Response
from k8srt.testing.apiserver.requests import RequestInfo, request_info
from k8srt.util.clock import SYSTEM, Clock

Handler = Callable[[Request], Response]
F = TypeVar("F", bound=Fault)

_REASONS = {
    400: "BadRequest", 401: "Unauthorized", 403: "Forbidden", 404: "NotFound", 405: "MethodNotAllowed",
    406: "NotAcceptable", 409: "Conflict", 410: "Expired", 413: "RequestEntityTooLarge", 415: "UnsupportedMediaType",
    422: "Invalid", 429: "TooManyRequests", 500: "InternalError", 503: "ServiceUnavailable", 504: "Timeout",
}  # fmt: skip


class Faults:
    """All that goes wrong with one server. Thread-safe."""

    def __init__(self, clock: Clock = SYSTEM, seed: int = 0) -> None:
        self._clock = clock
        self._seed = seed
        self.changed = threading.Condition()  # guards everything below, and the counts of faults
        self._faults: tuple[Fault, ...] = ()  # those about requests; replaced as a whole, so read without the lock
        self._watches = OpenWatches(self.changed)
        self._made = 0
        self._closed = False

    def __repr__(self) -> str:
        return f"<Faults: {', '.join(map(repr, self.active)) or 'none'}>"

    @property
    def active(self) -> list[Fault]:
        """The faults that may still hit something."""
        with self.changed:
            return [*self._faults, *(fault for fault in self._watches.faults if not fault.is_spent_locked())]

    def clear(self) -> None:
        """End all faults."""
        for fault in (*self._faults, *self._watches.faults):
            self.remove(fault)

    # ---- setting them

    def fail(
        self,
        verb: Verbs = "*",
        resource: Resource = "*",
        *,
        status: int = 500,
        reason: str = "",
        message: str = "",
        retry_after: int | None = None,
        body: str | None = None,
        applied: bool = False,
        **limits: Unpack[Limits],
    ) -> Fault:
        """Answer with a failure: a `Status` with the reason that goes with the code, or `body` as plain text.

        `retry_after` seconds are sent as a real server does; without, most clients do not try again. With `applied`,
        the request has its effect before it is said to have failed.
        """
        if not 400 <= status <= 599:
            raise ValueError(f"status: {status} is no failure")
        text = message or f"{reason or _REASONS.get(status, 'failure')}: as a fault has it"

        def make(request: Request, info: RequestInfo) -> Response:
            headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
            if body is not None:
                return Response(status, body.encode(), "text/plain; charset=utf-8", list(headers.items()))
            details: dict[str, Any] = {"name": info.name, "group": info.group, "kind": info.resource}
            details = {key: value for key, value in details.items() if value}
            if retry_after is not None:
                details["retryAfterSeconds"] = retry_after
            err = failure(status, reason or _REASONS.get(status, ""), text, details)
            return _answer(Failure(err.status, headers))

        what = f"fail({status}{', applied' if applied else ''})"
        return self._fail(what, verb, resource, make, limits, applied=applied)

    def throttle(
        self, verb: Verbs = "*", resource: Resource = "*", *, retry_after: int = 1, **limits: Unpack[Limits]
    ) -> Fault:
        """Answer 429 with Retry-After: the server has too much to do."""
        message = "Too many requests, please try again later."
        return self.fail(verb, resource, status=429, message=message, retry_after=retry_after, **limits)

    def conflict(self, verb: Verbs = ("update", "patch"), resource: Resource = "*", **limits: Unpack[Limits]) -> Fault:
        """Answer 409, as if somebody else had been faster."""

        def make(request: Request, info: RequestInfo) -> Response:
            return _answer(conflict(info.group, info.resource, info.name))

        return self._fail("conflict", verb, resource, make, limits)

    def expire(self, resource: Resource = "*", **limits: Unpack[Limits]) -> Fault:
        """Answer 410 to whoever goes on from a version: watches from one, and lists with a continue token."""

        def make(request: Request, info: RequestInfo) -> Response:
            if info.verb == "list":
                text = "The provided continue parameter is too old to display a consistent list result."
                return _answer(expired(text))
            version = request.param("resourceVersion")
            err = expired(f"too old resource version: {version} ({int(version) + 1})")
            line = msgspec.json.encode({"type": "ERROR", "object": err.status}) + b"\n"
            return Response(200, stream=_Said(line))

        def goes_on(request: Request, info: RequestInfo) -> bool:
            version = request.param("resourceVersion")
            return bool(request.param("continue")) if info.verb == "list" else version.isdigit() and version != "0"

        return self._fail("expire", ("list", "watch"), resource, make, limits, only=goes_on)

    def reset(
        self, verb: Verbs = "*", resource: Resource = "*", *, applied: bool = False, **limits: Unpack[Limits]
    ) -> Fault:
        """Cut the connection in the place of an answer. With `applied`, the request has had its effect by then."""

        def make(request: Request, info: RequestInfo) -> Response:
            raise Hangup("connection reset, as a fault has it")

        return self._fail(f"reset{'(applied)' if applied else ''}", verb, resource, make, limits, applied=applied)

    def delay(
        self,
        seconds: float,
        verb: Verbs = "*",
        resource: Resource = "*",
        *,
        jitter: float = 0.0,
        **limits: Unpack[Limits],
    ) -> Fault:
        """Answer late: after `seconds`, and up to `jitter` more, by the clock of the server."""
        if seconds < 0 or jitter < 0:
            raise ValueError(f"a delay of {seconds} and {jitter} seconds is none")
        fault = self._new(Delay, f"delay({seconds:g}s)", verb, resource, limits)
        fault.seconds, fault.jitter = seconds, jitter
        return self._set(fault)

    def drop_watches(
        self, resource: Resource = "*", *, events: int = 0, abruptly: bool = False, **limits: Unpack[Limits]
    ) -> Fault:
        """End watches, those that are open and those to come, after so many more events; without any, at once.

        They end as when the server has had enough; with `abruptly`, the connection is cut. Bookmarks are events, too.
        """
        fault = self._new(Disturbance, "drop_watches", "watch", resource, limits)
        fault.events, fault.abruptly = number_of_events(events), abruptly
        self._watches.disturb(fault)
        return fault

    def stall_watches(self, resource: Resource = "*", *, events: int = 0, **limits: Unpack[Limits]) -> Fault:
        """Let watches fall silent after so many more events, connected as they are. At its end all is sent."""
        fault = self._new(Disturbance, "stall_watches", "watch", resource, limits)
        fault.events, fault.stalls = number_of_events(events), True
        self._watches.disturb(fault)
        return fault

    def bookmark(self, resource: Resource = "*", *, namespace: str = "", agent: str = "") -> int:
        """Send a bookmark to open watches, now: the version up to which they have seen everything.

        It goes to those that take bookmarks. Returns how many these are. No fault is left behind.
        """
        return self._watches.bookmark(Where(verbs_of("watch"), named(resource), namespace, "", agent))

    def _fail(
        self,
        what: str,
        verb: Verbs,
        resource: Resource,
        make: Callable[[Request, RequestInfo], Response],
        limits: Limits,
        *,
        applied: bool = False,
        only: Callable[[Request, RequestInfo], bool] | None = None,
    ) -> Fault:
        fault = self._new(Fail, what, verb, resource, limits)
        fault.make, fault.applied, fault.only = make, applied, only
        return self._set(fault)

    def _new(self, cls: type[F], what: str, verb: Verbs, resource: Resource, limits: Limits) -> F:
        where = Where(
            verbs_of(verb),
            named(resource),
            limits.get("namespace", ""),
            limits.get("name", ""),
            limits.get("agent", ""),
        )
        check_limits(limits)
        with self.changed:
            self._made += 1
            return cls(self, what, where, limits, random.Random(f"{self._seed}/{self._made}"))

    def _set(self, fault: Fault) -> Fault:
        with self.changed:
            self._faults = (*self._faults, fault)
        return fault

    def remove(self, fault: Fault) -> None:
        """End a fault. Twice is fine."""
        with self.changed:
            fault.removed = True
            if isinstance(fault, Disturbance):
                self._watches.leave_locked(fault)
            else:
                self.spent_locked(fault)
            self.changed.notify_all()

    def spent_locked(self, fault: Fault) -> None:
        """A fault has done what it was to do: no request need look at it again."""
        self._faults = tuple(each for each in self._faults if each is not fault)

    def close(self) -> None:
        """Let nothing wait any longer: the server stops."""
        with self.changed:
            self._closed = True
            self._watches.stop_locked()
            self.changed.notify_all()

    # ---- serving with them

    def wrap(self, handle: Handler) -> Handler:
        """`handle`, disturbed by these faults."""

        def serve(request: Request) -> Response:
            response = self._serve(request, handle) if self._faults else handle(request)
            return response if response.stream is None else self._watched(request, response)

        return serve

    def _serve(self, request: Request, handle: Handler) -> Response:
        info = request_info(request)
        met: list[Fault] = []
        for fault in self._faults:
            if not fault.is_about(request, info):
                continue
            with self.changed:
                if not fault.hits_locked():
                    continue
            met.append(fault)
            instead = fault.before(request, info)
            if instead is not None:
                return instead
        response = handle(request)
        for fault in met:
            instead = fault.afterwards(request, info)
            if instead is not None:
                if response.stream is not None:
                    response.stream.close()
                return instead
        return response

    def _watched(self, request: Request, response: Response) -> Response:
        info = request_info(request)
        if info.verb == "watch" and response.stream is not None and not isinstance(response.stream, _Said):
            response.stream = self._watches.add(request, info, response.stream)
        return response

    def sleep(self, seconds: float, fault: Fault) -> None:
        """Wait, until the fault is removed or the server stops."""
        deadline = self._clock.now() + seconds
        with self.changed:
            while self._clock.now() < deadline and not self._closed and not fault.removed:
                self._clock.wait(self.changed, deadline)


class _Said:
    """A stream that says one thing."""

    def __init__(self, line: bytes) -> None:
        self._line = line

    def pieces(self) -> Iterator[bytes]:
        yield self._line

    def close(self) -> None:
        pass


def _answer(err: Failure) -> Response:
    return Response(err.code, msgspec.json.encode(err.status), headers=list(err.headers.items()))
