"""What a server was asked: who asked for what, when, how long it took, and what it answered.

    with APIServer() as server:
        run_my_program(server.config)
        server.requests.wait_for("patch", "deployments/status", count=3)
        assert server.requests.where(status=range(400, 600)) == []

A request is noted as it is answered, before its client has the answer: what a client got is there already. Of each, a
few references are kept, no headers and no bodies; everything is taken apart when somebody looks. Beyond `limit`
requests, the oldest are forgotten.

Contract: ETE-08.
"""

from __future__ import annotations

import html
import itertools
import threading
from collections import deque
from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple, SupportsIndex, overload

import msgspec

from k8srt.errors import WaitTimeout
from k8srt.testing.apiserver.fault import Resource, Verbs, Where, named, verbs_of
from k8srt.testing.apiserver.messages import Request, Response, Stream
from k8srt.testing.apiserver.requests import RequestInfo, request_info
from k8srt.testing.apiserver.users import User
from k8srt.util.clock import SYSTEM, Clock

LIMIT = 10_000
SHOWN = 20
COLUMNS = ("AT", "TOOK", "STATUS", "USER", "VERB", "RESOURCE", "NAME", "AGENT")
READS = ("get", "list", "watch")

Handler = Callable[[Request], Response]
Identify = Callable[[Request], User]


class _Entry(NamedTuple):
    """What is kept of a request. `took` of a watch is filled in when it ends."""

    at: float
    took: list[float] | float
    status: int
    user: User | None
    method: str
    target: str
    agent: str
    media: str
    created: str  # the name of what a POST makes


class _Metadata(msgspec.Struct):
    name: str = ""


class _Named(msgspec.Struct):
    metadata: _Metadata


_NAMED = msgspec.json.Decoder(_Named)


@dataclass(frozen=True, slots=True)
class RecordedRequest:
    """A request that was answered.

    `at` is in seconds since the server was made, `took` in seconds until the answer was there, both by the server's
    clock; of a watch, `took` is how long it lasted, and None while it is open. `status` is 0 where the connection was
    cut. `user` is who it was done as (impersonation counts), and empty for whoever was not let in. `name` is that in
    the path; of a create, that in the object, or the one the server gave it.
    """

    verb: str
    resource: str
    group: str
    version: str
    subresource: str
    namespace: str
    name: str
    path: str
    target: str
    method: str
    content_type: str
    status: int
    user: str
    groups: tuple[str, ...]
    agent: str
    at: float
    took: float | None

    def __str__(self) -> str:
        return f"{self.what} {self.place}".rstrip()

    def __repr__(self) -> str:
        took = "open" if self.took is None else f"{self.took * 1000:.1f}ms"
        return f"<{self} by {self.user or 'nobody'}: {self.status or 'cut'}, {took}, at {self.at:.3f}s>"

    @property
    def what(self) -> str:
        """Verb and resource: "update deployments.apps/status"; of other requests, the path."""
        if not self.resource:
            return f"{self.verb} {self.path}"
        resource = f"{self.resource}.{self.group}" if self.group else self.resource
        return f"{self.verb} {resource}/{self.subresource}" if self.subresource else f"{self.verb} {resource}"

    @property
    def place(self) -> str:
        """Namespace and name: "shop/web"; all of a namespace are "shop/*"."""
        return f"{self.namespace}/{self.name or '*'}" if self.namespace else self.name

    def _cells(self) -> tuple[str, ...]:
        took = "open" if self.took is None else f"{self.took * 1000:.1f}ms"
        verb, _, resource = self.what.partition(" ")
        status = str(self.status) if self.status else "cut"
        return (f"{self.at:.3f}s", took, status, self.user, verb, resource, self.place, self.agent.partition(" ")[0])


class RecordedRequests(Sequence[RecordedRequest]):
    """Requests, in the order of their answers: a list that prints as a table. Equal to any sequence of the same."""

    def __init__(self, rows: Sequence[RecordedRequest]) -> None:
        self._rows = list(rows)

    @overload
    def __getitem__(self, index: SupportsIndex) -> RecordedRequest: ...
    @overload
    def __getitem__(self, index: slice) -> RecordedRequests: ...
    def __getitem__(self, index: SupportsIndex | slice) -> RecordedRequest | RecordedRequests:
        if isinstance(index, slice):
            return RecordedRequests(self._rows[index])
        return self._rows[index]

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Iterator[RecordedRequest]:
        return iter(self._rows)

    def __eq__(self, other: object) -> bool:
        return self._rows == list(other) if isinstance(other, Sequence) else NotImplemented

    __hash__ = None  # type: ignore[assignment]

    def lines(self) -> list[str]:
        """Each as a short text: "update deployments.apps/status shop/web"."""
        return [str(row) for row in self._rows]

    def writes(self) -> RecordedRequests:
        """Without what only reads: get, list, watch, and what is about no resource."""
        return RecordedRequests([row for row in self._rows if row.resource and row.verb not in READS])

    def __repr__(self) -> str:
        return _table(self._rows, f"{len(self._rows)} requests")

    def _repr_html_(self) -> str:
        return _html(self._rows)


class RequestLog:
    """The last requests of one server, up to `limit`; to be read at any time. Thread-safe.

    Iterating, `len`, indexing, `lines` and printing go by what has been answered until then.
    """

    def __init__(self, clock: Clock = SYSTEM, limit: int = LIMIT) -> None:
        if limit < 1:
            raise ValueError(f"limit: {limit} is not positive")
        self._clock = clock
        self._began = clock.now()
        self._lock = threading.Lock()  # guards all below
        self._noted = threading.Condition(self._lock)
        self._entries: deque[_Entry] = deque(maxlen=limit)
        self._total = 0  # ever
        self._cleared = 0  # of these
        self._waiting = 0

    # ---- asking

    @property
    def total(self) -> int:
        """How many requests were answered since the last `clear`, the forgotten ones among them."""
        with self._lock:
            return self._total - self._cleared

    def where(
        self,
        verb: Verbs = "*",
        resource: Resource = "*",
        *,
        namespace: str = "",
        name: str = "",
        agent: str = "",
        user: str = "",
        status: int | Container[int] | None = None,
    ) -> RecordedRequests:
        """Those that match: `verb`, `resource`, `namespace`, `name` and `agent` as faults take them, `user` by name,
        `status` a code or several (`range(400, 600)`; 0 is a connection that was cut).

        Resource "*" is any resource; "/*" is any path, discovery and health included. Raises ValueError for a verb that
        is none, and a class that is no resource.
        """
        fits = _Fits(Where(verbs_of(verb), named(resource), namespace, name, agent), user, status)
        return RecordedRequests([_row(entry, info) for entry, info in fits.of(self._all())])

    def wait_for(
        self,
        verb: Verbs = "*",
        resource: Resource = "*",
        *,
        count: int = 1,
        timeout: float = 10.0,
        namespace: str = "",
        name: str = "",
        agent: str = "",
        user: str = "",
        status: int | Container[int] | None = None,
    ) -> RecordedRequests:
        """Wait until `count` requests match as in `where`, those before the call among them, and return them.

        Raises WaitTimeout after `timeout` seconds, saying what was asked instead.
        """
        fits = _Fits(Where(verbs_of(verb), named(resource), namespace, name, agent), user, status)
        found: list[tuple[_Entry, RequestInfo]] = []
        seen = 0
        deadline = SYSTEM.now() + timeout  # others make the requests, whatever the server's clock says
        while True:
            seen, new = self._after(seen, deadline)
            if not new:
                what = f"{len(found)} of {count} requests were {fits}"
                raise WaitTimeout(f"{what} within {timeout:g}s; the last:\n{self!r}")
            found.extend(fits.of(new))
            if len(found) >= count:
                return RecordedRequests([_row(entry, info) for entry, info in found])

    def _after(self, seen: int, deadline: float) -> tuple[int, list[_Entry]]:
        """What was noted after the first `seen`, and how many that makes; waits for the first of them."""
        with self._lock:
            self._waiting += 1
            try:
                self._noted.wait_for(lambda: self._total > seen and self._entries, max(0.0, deadline - SYSTEM.now()))
            finally:
                self._waiting -= 1
            new = min(self._total - seen, len(self._entries))
            return self._total, list(itertools.islice(self._entries, len(self._entries) - new, None))

    def writes(self) -> RecordedRequests:
        """Without what only reads: get, list, watch, and what is about no resource."""
        return self._rows().writes()

    def lines(self) -> list[str]:
        """Each as a short text: "update deployments.apps/status shop/web"."""
        return self._rows().lines()

    def clear(self) -> None:
        """Forget all of them."""
        with self._lock:
            self._entries.clear()
            self._cleared = self._total

    @overload
    def __getitem__(self, index: SupportsIndex) -> RecordedRequest: ...
    @overload
    def __getitem__(self, index: slice) -> RecordedRequests: ...
    def __getitem__(self, index: SupportsIndex | slice) -> RecordedRequest | RecordedRequests:
        return self._rows()[index]

    def __len__(self) -> int:
        with self._lock:
            return len(self._entries)

    def __iter__(self) -> Iterator[RecordedRequest]:
        return iter(self._rows())

    def __eq__(self, other: object) -> bool:
        return self._rows() == other if isinstance(other, Sequence) else self is other

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        with self._lock:
            count, total = len(self._entries), self._total - self._cleared
            last = list(self._entries)[-SHOWN:]
        about = f"{total} requests" if count == total else f"the last {count} of {total} requests"
        return _table([_row(entry, _info(entry)) for entry in last], about, left_out=count - len(last))

    def _repr_html_(self) -> str:
        return _html(list(self._rows()))

    def _all(self) -> list[_Entry]:
        with self._lock:
            return list(self._entries)

    def _rows(self) -> RecordedRequests:
        return RecordedRequests([_row(entry, _info(entry)) for entry in self._all()])

    # ---- noting

    def wrap(self, handle: Handler, identify: Identify) -> Handler:
        """`handle`, noted here. `identify` tells who asks where `handle` did not get so far; it may raise."""
        now = self._clock.now

        def serve(request: Request) -> Response:
            started = now()
            try:
                response = handle(request)
            except BaseException:
                self._note(request, started, now() - started, 0, "", identify)
                raise
            if response.stream is None:
                made = _name_of_what_is_made(request, response) if request.method == "POST" else ""
                self._note(request, started, now() - started, response.status, made, identify)
            else:
                took: list[float] = []
                response.stream = _Timed(response.stream, lambda: took.append(now() - started))
                self._note(request, started, took, response.status, "", identify)
            return response

        return serve

    def _note(
        self,
        request: Request,
        started: float,
        took: list[float] | float,
        status: int,
        made: str,
        identify: Identify,
    ) -> None:
        user = request.user
        if user is None and status != 401:
            try:
                user = identify(request)
            except Exception:  # noqa: BLE001 - nobody, then
                pass
        headers = request.headers
        entry = _Entry(
            started - self._began,
            took,
            status,
            user,
            request.method,
            request.target,
            headers.get("user-agent", ""),
            headers.get("content-type", ""),
            made,
        )
        with self._lock:
            self._entries.append(entry)
            self._total += 1
            if self._waiting:
                self._noted.notify_all()


class _Timed:
    """A stream that says when it has ended."""

    def __init__(self, inner: Stream, ended: Callable[[], object]) -> None:
        self._inner = inner
        self._ended = ended

    def pieces(self) -> Iterator[bytes]:
        try:
            yield from self._inner.pieces()
        finally:
            self._ended()

    def close(self) -> None:
        self._inner.close()
        self._ended()  # also of one that nobody ever read


class _Fits(NamedTuple):
    """Which requests are asked for."""

    where: Where
    user: str
    status: int | Container[int] | None

    def of(self, entries: Iterable[_Entry]) -> Iterator[tuple[_Entry, RequestInfo]]:
        """Those that fit, with what they are about."""
        for entry in entries:
            if self.user and (entry.user is None or entry.user.name != self.user):
                continue
            if not self._has_status(entry.status):
                continue
            request = _request(entry)
            info = _info(entry, request)
            if self.where.matches(request, info):
                yield entry, info

    def _has_status(self, status: int) -> bool:
        wanted = self.status
        if wanted is None:
            return True
        return wanted == status if isinstance(wanted, int) else status in wanted

    def __str__(self) -> str:
        by = f" by {self.user}" if self.user else ""
        return f"{self.where}{by}" if self.status is None else f"{self.where}{by} answered {self.status}"


def _request(entry: _Entry) -> Request:
    return Request(entry.method, entry.target, {"user-agent": entry.agent, "content-type": entry.media})


def _info(entry: _Entry, request: Request | None = None) -> RequestInfo:
    info = request_info(request or _request(entry))
    return replace(info, name=entry.created) if info.verb == "create" and not info.name else info


def _name_of_what_is_made(request: Request, response: Response) -> str:
    """The name in the object that was sent, or else the one that the server has given; empty in other forms."""
    for body in (request.body, response.body):
        if body[:1] == b"{":
            try:
                name = _NAMED.decode(body).metadata.name
            except msgspec.DecodeError:
                continue
            if name:
                return name
    return ""


def _row(entry: _Entry, info: RequestInfo) -> RecordedRequest:
    took = entry.took
    return RecordedRequest(
        verb=info.verb,
        resource=info.resource,
        group=info.group,
        version=info.version,
        subresource="/".join((info.subresource, *info.rest)) if info.rest else info.subresource,
        namespace=info.namespace if info.resource != "namespaces" else "",
        name=info.name,
        path=info.path,
        target=entry.target,
        method=entry.method,
        content_type=entry.media.partition(";")[0].strip(),
        status=entry.status,
        user=entry.user.name if entry.user is not None else "",
        groups=entry.user.groups if entry.user is not None else (),
        agent=entry.agent,
        at=entry.at,
        took=took if isinstance(took, float) else took[0] if took else None,
    )


def _table(rows: Sequence[RecordedRequest], about: str, *, left_out: int = 0) -> str:
    if not rows:
        return f"<{about}>"
    cells = [COLUMNS, *(row._cells() for row in rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = ["   ".join(map(str.ljust, row, widths)).rstrip() for row in cells]
    if left_out:
        about += f", {left_out} before these"
    return "\n".join([*lines, f"<{about}>"])


def _html(rows: Sequence[RecordedRequest]) -> str:
    """The table as notebooks show it."""
    head = "".join(f"<th>{name}</th>" for name in COLUMNS)
    body = "".join(f"<tr>{''.join(f'<td>{html.escape(cell)}</td>' for cell in row._cells())}</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
