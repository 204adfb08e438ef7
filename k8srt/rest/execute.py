"""Sending a request: rate limit, attempts, retries, and what an answer turns into.

Contract: REST-15, REST-18, REST-20, REST-22 to REST-28, REST-35, REST-41, CLI-59.
"""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, TypeVar

from k8srt.errors import K8srtError, TransportError
from k8srt.rest.observing import Seen, observer_here
from k8srt.rest.raw import Raw
from k8srt.rest.result import Result
from k8srt.rest.retry import MAX_RETRIES, Call, Retries, retry_after_header
from k8srt.rest.status import error_from, note_priority
from k8srt.rest.warnings import Warning_, handle_warnings
from k8srt.rest.watch import WatchStream
from k8srt.tools import metrics
from k8srt.transport.connections import Interrupt
from k8srt.transport.reply import content_encoding, unasked_encoding
from k8srt.util.ambient import ambient_stop, stopped
from k8srt.util.threads import Stop

if TYPE_CHECKING:
    from k8srt.rest.request import Request
    from k8srt.transport.reply import Reply

log = logging.getLogger(__name__)

T = TypeVar("T")

WATCH_SLACK = 15.0
"""A watch is given up for dead so many seconds after the server should have ended it."""

_DRAINED_AT_MOST = 2048
_SLOW, _VERY_SLOW = 0.05, 1.0


def do(request: Request, stop: threading.Event | None) -> Result:
    """Send and read the whole answer. See `Request.do`."""
    attempts = _Attempts(request, Call.DO, stop)
    started = attempts.now()
    try:
        attempts.wait_for_limiter()
        attempts.start_timeout()

        def finish(reply: Reply) -> Result:
            return Result(reply.status, reply.headers, attempts.read_body(reply), request.about(), attempts.warnings)

        return attempts.run(lambda status: 200 <= status <= 206 or status == 101, finish)
    finally:
        attempts.tell("request_latency", attempts.now() - started)


def stream(request: Request, stop: threading.Event | None) -> Raw:
    """Send and return the body unread. See `Request.stream`."""
    attempts = _Attempts(request, Call.STREAM, stop, read_timeout=request.read_timeout)
    attempts.wait_for_limiter()
    return attempts.run(lambda status: 200 <= status < 300, lambda reply: Raw(_plain(reply)))


def watch(request: Request, stop: threading.Event | None, idle_timeout: float | None) -> WatchStream:
    """Open a watch. See `Request.watch`."""
    idle = _idle_timeout(request, idle_timeout)
    request.timeout_seconds = 0.0
    attempts = _Attempts(request, Call.WATCH, stop, read_timeout=idle)
    about = str(request.about())
    try:
        return attempts.run(lambda status: status == 200, lambda reply: WatchStream(_plain(reply), about, idle))
    except TransportError as err:
        if not attempts.retries.repeatable(err):
            raise
        log.warning("%s: giving up for now: %s", about, err)
        return WatchStream(None, about, idle)  # empty and closed (REST-23)


def _idle_timeout(request: Request, asked: float | None) -> float:
    """How long the watch may be silent: never much longer than the server was asked to let it live."""
    idle = request.client.config.watch_idle_timeout if asked is None else asked
    lifetime = request.parameters.get("timeoutSeconds", [""])[-1]
    return min(idle, int(lifetime) + WATCH_SLACK) if lifetime.isdigit() else idle


class _Attempts:
    """One execution of a request, from the limiter to the last retry."""

    def __init__(
        self, request: Request, call: Call, stop: threading.Event | None, read_timeout: float | None = None
    ) -> None:
        request.check()
        self._request = request
        self._client = request.client
        self._stop = stop if stop is not None else ambient_stop()
        self._read_timeout = read_timeout
        self._accept_gzip = call is Call.DO and not self._client.config.disable_compression
        limit = MAX_RETRIES if request.retry_limit is None else request.retry_limit
        self.retries = Retries(call, request.verb, limit=limit, repeatable_body=not request.streaming_body)
        self.interrupt = Interrupt()
        self.deadline: float | None = None
        self.warnings: list[Warning_] = []
        self._seen: Seen | None = None

    def now(self) -> float:
        return self._client.clock.now()

    def tell(self, method: str, value: float | int) -> None:
        """Report a figure of this request. Contract: CLI-59."""
        if metrics.is_set():
            metrics.report(method, self._request.verb, self._host(), value)

    def _tell_code(self, method: str, code: int | None) -> None:
        if metrics.is_set():
            metrics.report(method, metrics.NO_ANSWER if code is None else str(code), self._request.verb, self._host())

    def _answered(self, code: int | None) -> None:
        self._tell_code("request_result", code)
        if self._seen is not None:
            self._seen.answered(code)

    def _host(self) -> str:
        return self._client.url.partition("://")[2]

    def start_timeout(self) -> None:
        """From here on the request's own timeout runs. Contract: REST-15, REST-20."""
        if self._request.timeout_seconds:
            self.deadline = self._client.clock.now() + self._request.timeout_seconds

    def wait_for_limiter(self) -> None:
        waited = self._client.rate_limiter.wait(self._stop, self.deadline)
        self.tell("rate_limiter_latency", waited)
        if waited > _SLOW:
            level = logging.INFO if waited > _VERY_SLOW else logging.DEBUG
            log.log(level, "waited %.2fs for the client-side rate limit: %s", waited, self._request.about())

    def run(self, succeeded: Callable[[int], bool], finish: Callable[[Reply], T]) -> T:
        """Attempt until there is a success, or a failure that stands; within what whoever observes it makes of it."""
        observer = observer_here()
        if observer is None:
            return self._run(succeeded, finish)
        with observer.call(self._request) as self._seen:
            return self._run(succeeded, finish)

    def _run(self, succeeded: Callable[[int], bool], finish: Callable[[Reply], T]) -> T:
        while True:
            code = None
            try:
                reply = self._send()
            except TransportError as err:
                self._answered(None)
                self._check_stop(err)
                delay, reason = self.retries.after_error(err), str(err)
                if delay is None:
                    self.retries.final(err)
                    raise
            else:
                code = reply.status
                self._answered(code)
                if succeeded(reply.status):
                    return finish(reply)
                delay, reason = self.retries.after_response(reply.status, reply.headers), f"status {reply.status}"
                if delay is None:
                    raise self.retries.final(self._error(reply))
                with _interruptible(self._stop, self.interrupt):
                    _drain(reply, self.deadline)
            self._tell_code("request_retry", code)
            log.debug("%s: trying again in %.1fs: %s", self._request.about(), delay, reason)
            self._sleep(delay)
            self.wait_for_limiter()

    def read_body(self, reply: Reply) -> bytes:
        """Read the whole body. Raises TransportError, never retried, or Stopped. Contract: REST-34."""
        try:
            with _interruptible(self._stop, self.interrupt):
                body = reply.read(self.deadline)
        except TransportError as err:
            self._check_stop(err)
            what = "unexpected error when reading response body. Please retry."
            err.args = (f"{self._request.about()}: {what} Original error: {err}",)
            raise
        self.tell("response_size", len(body))
        return body

    def _send(self) -> Reply:
        request, client = self._request, self._client
        host = client.url
        if (backoff := client.backoff.delay(host)) > 0:
            self._sleep(backoff)
        headers = {"Accept": client.accept, **request.headers}
        headers.setdefault("Accept-Encoding", "gzip" if self._accept_gzip else "identity")
        if isinstance(request.data, bytes):
            self.tell("request_size", len(request.data))
        with _interruptible(self._stop, self.interrupt):
            reply = client.transport.send(
                request.verb,
                request.target(),
                headers=headers,
                body=request.data,
                read_timeout=self._read_timeout,
                deadline=self.deadline,
                interrupt=self.interrupt,
            )
        client.backoff.update(host, reply.status)
        self.warnings = handle_warnings(reply.header_values("warning"), request.warning_handler)
        return reply

    def _error(self, reply: Reply) -> K8srtError:
        try:
            body = self.read_body(reply)
        except TransportError as err:
            return err
        headers, about = reply.headers, self._request.about()
        location = headers.get("location", "") if 300 <= reply.status < 400 else ""
        kind, delay = headers.get("content-type", ""), retry_after_header(headers) or 0
        error = error_from(reply.status, body, kind, about, delay, location)
        note_priority(error, headers)
        return error

    def _check_stop(self, err: Exception) -> None:
        if self._stop is not None and self._stop.is_set():
            raise stopped(self._stop, str(self._request.about())) from err

    def _sleep(self, delay: float) -> None:
        clock = self._client.clock
        if self.deadline is not None and clock.now() + delay > self.deadline:
            raise TransportError(f"{self._request.about()}: no time is left to try again", url=self._client.url)
        if clock.wait_event(self._stop or threading.Event(), delay):
            raise stopped(self._stop, str(self._request.about()))


@contextlib.contextmanager
def _interruptible(stop: threading.Event | None, interrupt: Interrupt) -> Iterator[None]:
    """While inside, a `Stop` that is set ends the request. A plain event is looked at between attempts only."""
    if not isinstance(stop, Stop):
        yield
        return
    forget = stop.on_set(interrupt.fire)
    try:
        yield
    finally:
        forget()


def _plain(reply: Reply) -> Reply:
    """The reply, if it can be read as it comes. Raises TransportError for a body that is compressed."""
    if encoding := content_encoding(reply.headers):
        reply.close()
        raise unasked_encoding(encoding, reply.what, reply.url)
    return reply


def _drain(reply: Reply, deadline: float | None) -> None:
    """Make the connection of an unwanted answer usable again, if that costs little. Contract: REST-26."""
    length = reply.headers.get("content-length", "")
    try:
        if length.isdigit() and int(length) <= _DRAINED_AT_MOST:
            reply.read(deadline)
            return
    except TransportError:
        pass
    reply.close()
