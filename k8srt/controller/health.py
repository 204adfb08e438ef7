"""Whether a program is alive, and whether it is ready: checks by name, asked over HTTP.

    mgr.add_healthz_check("ping", ping)
    mgr.add_readyz_check("caches", caches_synced(mgr))

A check is a function of nothing, or of the request, that raises (or returns False) if all is not well. All checks of
an endpoint run at once, in a few threads. One that takes longer than its time counts as failed and is not begun again
before it has ended, so that one that hangs costs one thread and holds up nobody.

Contract: HLZ-01 to HLZ-06, LE-27.
"""

from __future__ import annotations

import inspect
import logging
import threading
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

from k8srt.controller.serving.messages import HTTPRequest, HTTPResponse
from k8srt.errors import K8srtError
from k8srt.util.clock import SYSTEM, Clock
from k8srt.util.threads import Stop, spawn

if TYPE_CHECKING:
    from k8srt.controller.manager.manager import Manager

log = logging.getLogger(__name__)

TIMEOUT = 5.0
THREADS = 8

Check = Callable[..., object]

_PLAIN = "text/plain; charset=utf-8"
_NO_SNIFFING = {"X-Content-Type-Options": "nosniff"}


class CheckFailed(K8srtError):
    """A check says that all is not well; the message says why."""


def ping(request: object = None) -> None:
    """The check of a process that answers."""


class _Run:
    """One execution of a check; those who ask meanwhile share it."""

    def __init__(self, name: str, check: Check, request: HTTPRequest) -> None:
        self.name, self.check, self.request = name, check, request
        self.ended = Stop()
        self.error: str | None = None  # set before `ended`

    def run(self) -> None:
        try:
            answer = self.check(self.request)
            self.error = "the check returned False" if answer is False else None
        except (Exception, SystemExit) as err:  # noqa: BLE001 - whatever it is, the check has failed
            self.error = str(err) or type(err).__name__
        finally:
            self.ended.set()


class Checks:
    """The checks of one endpoint. Thread-safe. `timeout` is seconds."""

    def __init__(self, endpoint: str, *, timeout: float = TIMEOUT, clock: Clock = SYSTEM) -> None:
        self.endpoint = endpoint.rstrip("/")
        self._timeout = timeout
        self._clock = clock
        self._lock = threading.Lock()  # guards all below
        self._checks: dict[str, Check] = {}
        self._running: dict[str, _Run] = {}
        self._waiting: deque[_Run] = deque()
        self._threads = 0

    def add(self, name: str, check: Check) -> None:
        """Have something checked. Raises ValueError for a name that is taken or cannot stand in a path."""
        if not name or "/" in name or "?" in name:
            raise ValueError(f"{name!r} cannot be the name of a check")
        called = _of_request(check)
        with self._lock:
            if name in self._checks:
                raise ValueError(f"{self.endpoint}: there is a check {name!r} already")
            self._checks[name] = called

    @property
    def names(self) -> list[str]:
        """The names of the checks, sorted; `ping` if there are none."""
        with self._lock:
            return sorted(self._checks) or ["ping"]

    def failures(self, request: HTTPRequest | None = None, *, names: list[str] | None = None) -> dict[str, str]:
        """Run checks; returns why each failed that did."""
        request = request or HTTPRequest("GET", self.endpoint)
        runs = [self._begin(name, request) for name in (self.names if names is None else names)]
        deadline = self._clock.now() + self._timeout
        for run in runs:
            self._clock.wait_event(run.ended, max(deadline - self._clock.now(), 0.0))
        late = f"no answer within {self._timeout:g}s"
        errors = {run.name: run.error if run.ended.is_set() else late for run in runs}
        return {name: error for name, error in errors.items() if error is not None}

    def _begin(self, name: str, request: HTTPRequest) -> _Run:
        with self._lock:
            run = self._running.get(name)
            if run is not None:
                return run
            run = self._running[name] = _Run(name, self._checks.get(name, ping), request)
            self._waiting.append(run)
            more = self._threads < THREADS
            self._threads += more
        if more:
            spawn("http-check", self._work)
        return run

    def _work(self) -> None:
        while True:
            with self._lock:
                if not self._waiting:
                    self._threads -= 1
                    return
                run = self._waiting.popleft()
            run.run()
            with self._lock:
                self._running.pop(run.name, None)

    # ---- over HTTP ------------------------------------------------------------------------------------------------

    def handle(self, request: HTTPRequest) -> HTTPResponse:
        """Answer a request for the endpoint, or for one check below it. Contract: HLZ-02, HLZ-03."""
        name = request.path.removeprefix(self.endpoint).strip("/")
        return self._answer_one(name, request) if name else self._answer_all(request)

    def _answer_one(self, name: str, request: HTTPRequest) -> HTTPResponse:
        if name not in self.names:
            return _text(404, f"404 page not found: no check {name!r}\n")
        failures = self.failures(request, names=[name])
        return _text(500, f"internal server error: {failures[name]}\n") if failures else _text(200, "ok")

    def _answer_all(self, request: HTTPRequest) -> HTTPResponse:
        query = parse_qs(request.query, keep_blank_values=True)
        excluded = list(dict.fromkeys(query.get("exclude", [])))
        names = self.names
        failures = self.failures(request, names=[name for name in names if name not in excluded])
        if not failures and "verbose" not in query:
            return _text(200, "ok")
        lines = [_line(name, excluded=name in excluded, failed=name in failures) for name in names]
        unknown = [f'"{name}"' for name in excluded if name not in names]
        if unknown:
            lines.append(f"warn: some health checks cannot be excluded: no matches for {','.join(unknown)}")
        what = self.endpoint.strip("/")
        if failures:
            log.info("%s check failed: %s", what, "; ".join(f"{name}: {why}" for name, why in failures.items()))
        lines.append(f"healthz check {'failed' if failures else 'passed'}")
        return _text(500 if failures else 200, "\n".join([*lines, ""]))

    def __repr__(self) -> str:
        return f"<Checks {self.endpoint}: {', '.join(self.names)}>"


def _line(name: str, *, excluded: bool, failed: bool) -> str:
    """What everybody may know of a check; why it failed is for the log. Contract: HLZ-04."""
    if excluded:
        return f"[+]{name} excluded: ok"
    return f"[-]{name} failed: reason withheld" if failed else f"[+]{name} ok"


def _text(code: int, body: str) -> HTTPResponse:
    return HTTPResponse(code, body.encode(), _PLAIN, _NO_SNIFFING)


def _of_request(check: Check) -> Check:
    """The check as a function of a request. Raises TypeError for what cannot be called so."""
    try:
        inspect.signature(check).bind(None)
    except TypeError:
        try:
            inspect.signature(check).bind()
        except TypeError as err:
            raise TypeError(f"a check is a function of a request, or of nothing, not {check!r}: {err}") from err
        return lambda request: check()
    except ValueError:  # no signature to be had
        pass
    return check


# ---- ready-made: HLZ-05 -------------------------------------------------------------------------------------------


def caches_synced(manager: Manager) -> Check:
    """Fails until every cache has synced."""

    def check(request: object = None) -> None:
        missing = manager.cache.unsynced()
        if missing or not manager.started:
            raise CheckFailed(f"not synced yet: {', '.join(missing) or 'not started'}")

    return check


def webhook_server_started(manager: Manager) -> Check:
    """Fails until the webhook server of the manager takes connections. It has one from then on: MGR-16, WHS-07."""
    return manager.webhook_server.started_checker()


def leader_or_standby(manager: Manager) -> Check:
    """Fails when the elector got no answer within twice its deadline, or holds a lease that has expired."""

    def check(request: object = None) -> None:
        elector = manager.elector
        if elector is None:
            return
        elector.check(0.0)
        at = elector.attempted_at
        patience = elector.renew_deadline + elector.retry_period
        if at is not None and manager.clock.now() - at > patience:
            raise CheckFailed(f"the election has had no answer for {manager.clock.now() - at:.0f}s")

    return check


def not_wedged(manager: Manager, *, after: float | None = None) -> Check:
    """Fails when a controller has work and ends none of it: for `after` seconds if given, else by its own measure."""

    def check(request: object = None) -> None:
        wedged = [each.name for each in manager.controllers if _is_wedged(each, after)]
        if wedged:
            raise CheckFailed(f"no reconcile ends any more: {', '.join(wedged)}")

    return check


def _is_wedged(controller: Any, after: float | None) -> bool:
    if after is None:
        return bool(controller.wedged)
    idle = controller.seconds_without_end()
    return idle is not None and idle > after


def watches_fresh(manager: Manager, *, after: float) -> Check:
    """Fails when an informer has had no event, bookmark or list for longer than `after` seconds."""

    def check(request: object = None) -> None:
        ages = [(each.kind, each.seconds_since_event) for each in manager.cache.status()]
        old = [f"{kind} ({age:.0f}s)" for kind, age in ages if age is not None and age > after]
        if old:
            raise CheckFailed(f"nothing heard of {', '.join(old)}")

    return check
