"""The logs of pods: all that there is, or as it comes. Contract: CLI-08, CLI-09."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal, Self, TypedDict, TypeVar, Unpack, cast, overload

from k8srt.apimachinery.object import Object
from k8srt.gentype import options as opts
from k8srt.gentype.requests import ResourceRequests
from k8srt.rest.request import Request
from k8srt.util.threads import Stop

if TYPE_CHECKING:
    from k8srt.rest.raw import Raw

T = TypeVar("T", bound=Object)

MAY_BE_SILENT = 7 * 86400.0
"""Seconds for which a log that is followed may say nothing before it is given up."""

_WIRE = {"insecure_skip_tls_verify_backend": "insecureSkipTLSVerifyBackend"}


class LogOptions(TypedDict, total=False):
    """Which part of a log. `previous` is that of the container before it was restarted; `since_time` has a time zone;
    `stream` is one of "All", "Stdout", "Stderr"."""

    container: str
    previous: bool
    timestamps: bool
    tail_lines: int | None
    limit_bytes: int | None
    since_seconds: int | None
    since_time: datetime | str | None
    stream: str
    insecure_skip_tls_verify_backend: bool


class LogCall(LogOptions, opts.CallOptions, total=False):
    """The same, with how the call is made."""


class LogRequest(LogOptions, total=False):
    follow: bool


class ReadsLogs(ResourceRequests[T]):
    """Reads what containers write."""

    __slots__ = ()

    @overload
    def logs(self, name: str, *, follow: Literal[False] = False, **options: Unpack[LogCall]) -> str: ...
    @overload
    def logs(self, name: str, *, follow: Literal[True], **options: Unpack[LogCall]) -> LogStream: ...
    def logs(self, name: str, *, follow: bool = False, **options: Unpack[LogCall]) -> str | LogStream:
        """Return the log of a pod's container as text; with `follow` its lines as they come.

        `container` may be left out where there is only one. Lines that are followed come without their end; the
        stream ends with the container, when it is closed, and when `stop` is set. Raises NotFound, BadRequest when
        no log can be had, as before the container has started.
        """
        opts.check("logs", options, LogCall)
        stop, timeout = options.get("stop"), options.get("timeout")
        if follow and timeout:
            raise ValueError("logs: a log that is followed has no timeout; set `stop`, or close it")
        which = {key: value for key, value in options.items() if key not in opts.CallOptions.__annotations__}
        request = self.get_logs(name, **cast("LogRequest", {**which, "follow": follow}))
        if follow:
            return LogStream(request.stream(stop), str(request.about()), stop)
        if timeout:
            request.timeout(timeout)
        return request.do_raw(stop).decode("utf-8", "replace")

    def get_logs(self, name: str, **options: Unpack[LogRequest]) -> Request:
        """The request for a log: `.do_raw()` returns all of it as bytes, `.stream()` bytes as they come."""
        opts.check("get_logs", options, LogRequest)
        request = self._at("get", "GET", name, "log")
        request.options({_WIRE.get(key, key): _as_text(value) for key, value in options.items()})
        if options.get("follow"):
            request.timeout(0.0)  # that of the configuration is for calls that end
            request.read_timeout = MAY_BE_SILENT
        return request


def _as_text(value: Any) -> Any:
    """Zero is a number of lines too, and is sent."""
    if isinstance(value, datetime):
        from k8srt.apimachinery.wire import format_time

        return format_time(value)
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


class LogStream:
    """The lines of a log as they come: an iterator of texts, and a context manager.

    One thread reads; `close` may come from any, and wakes the reader at once. Iteration ends with the log. Raises
    TransportError when the connection is lost.
    """

    def __init__(self, raw: Raw, about: str = "log", stop: threading.Event | None = None) -> None:
        """Read from `raw`; `about` names it in messages."""
        self._raw = raw
        self._about = about
        self._stop = stop
        self._lines = self._read()
        self._closed = False
        self._forget: Callable[[], object] | None = stop.on_set(raw.close) if isinstance(stop, Stop) else None

    def _read(self) -> Iterator[str]:
        rest: list[bytes] = []  # pieces of a line whose end has not come
        for piece in self._raw:
            *lines, last = piece.split(b"\n")
            for line in lines:
                yield b"".join([*rest, line]).decode("utf-8", "replace")
                rest.clear()
            if last:
                rest.append(last)
        if rest:
            yield b"".join(rest).decode("utf-8", "replace")

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> str:
        if not (self._closed or (self._stop is not None and self._stop.is_set())):
            for line in self._lines:
                return line
        self.close()
        raise StopIteration

    def close(self) -> None:
        """End it; a reader that is blocked finds itself at the end. From any thread, any number of times."""
        self._closed = True
        if self._forget is not None:
            self._forget()
        self._raw.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def __del__(self) -> None:
        if "_raw" in self.__dict__:
            self._raw.close()

    def __repr__(self) -> str:
        return f"<LogStream {self._about}: {'closed' if self._closed else 'open'}>"
