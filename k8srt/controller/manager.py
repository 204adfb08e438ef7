"""The manager: what a program of controllers is run by.

    mgr = Manager(config, leader_election="foo-controller")

    @mgr.controller(Foo, owns=[Deployment], workers=4)
    def reconcile(request, ctx): ...

    mgr.run()                       # until SIGTERM or SIGINT; or mgr.start() … mgr.stop(), or `with mgr:`

It starts in this order, each step once the one before is up: http, webhooks, caches (up means synced), others, warmup,
and once it is elected, leader. It stops others, leader, caches, webhooks and http, each when the one before has ended;
then the lease is given back, and the recorders say what they have left to say.

Contract: MGR-01 to MGR-18, CLU-01.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable, Mapping
from enum import StrEnum
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar

from k8srt.apimachinery.object import Object
from k8srt.controller.builder import Builder
from k8srt.controller.cache import Cache
from k8srt.controller.client import Client
from k8srt.controller.controller import Controller, Reconcile
from k8srt.controller.failures import LeaderElectionLost, ShutdownTimeout
from k8srt.controller.groups import FunctionRunnable, Group, Runnable
from k8srt.controller.names import NAMES
from k8srt.controller.office import make_lock
from k8srt.controller.predicate import Where
from k8srt.controller.request import Request
from k8srt.controller.signals import StopSignals
from k8srt.errors import AlreadyStarted, ConfigError
from k8srt.kubernetes.clientset import Clientset
from k8srt.rest.config import Config
from k8srt.tools.leaderelection.elector import LeaderElector
from k8srt.tools.leaderelection.failures import NotLeaderError
from k8srt.tools.record.broadcaster import EventBroadcaster
from k8srt.tools.record.recorder import EventRecorder
from k8srt.util.clock import SYSTEM, Clock
from k8srt.util.threads import Latch, Stop, spawn

if TYPE_CHECKING:
    from k8srt.controller.webhook.server import WebhookServer

log = logging.getLogger(__name__)

F = TypeVar("F", bound=Callable[..., Any])

GRACE = 30.0
_START_ORDER = ("http", "webhooks", "caches", "others", "warmup")
_STOP_ORDER = ("others", "leader", "caches", "webhooks", "http")


class State(StrEnum):
    """Where a manager is."""

    NEW = "new"
    STARTING = "starting"
    RUNNING = "running"
    STOPPING = "stopping"
    STOPPED = "stopped"
    FAILED = "failed"


class Manager:
    """See the module. Thread-safe. A context manager: entering starts it, leaving stops it.

    `config` is a `Config`, or a `Clientset` that somebody else closes. `leader_election` is the name of the lease;
    without one this process leads. `leader_election_namespace` is where it is, by default that of the pod; the three
    times are seconds. `namespace` limits the cache. `graceful_shutdown_timeout` (seconds) is for all groups together:
    0 does not wait, less waits for ever. `state` is the caller's, for reconciles. `controller_options` are defaults
    for every controller. `webhook_server` is used in place of one with the usual settings.
    """

    def __init__(
        self,
        config: Config | Clientset,
        *,
        namespace: str = "",
        leader_election: str = "",
        leader_election_namespace: str = "",
        lease_duration: float = 15.0,
        renew_deadline: float = 10.0,
        retry_period: float = 2.0,
        release_on_cancel: bool = False,
        graceful_shutdown_timeout: float = GRACE,
        controller_options: Mapping[str, Any] | None = None,
        state: Any = None,
        webhook_server: WebhookServer | None = None,
        clock: Clock = SYSTEM,
        **cache_options: Any,
    ) -> None:
        """Opens no connection and starts no thread. Raises ConfigError for what cannot work: MGR-01."""
        self._owned = not isinstance(config, Clientset)
        self.clientset = config if isinstance(config, Clientset) else _clientset(config, clock)
        self.clock = clock
        self.cache = Cache(self.clientset, namespace=namespace, clock=clock, **cache_options)
        self.client = Client(self.clientset, self.cache, may_write=self._check_leading)
        self.elected = Latch()
        self._grace = graceful_shutdown_timeout
        self._controller_options = dict(controller_options or {})
        self._user_state = state
        self._broadcaster = EventBroadcaster(clock=clock)
        self._groups = {name: Group(name, self._failed, clock) for name in (*_START_ORDER, "leader")}
        self._groups["caches"].add(self.cache)
        self._elector: LeaderElector | None = None
        if leader_election:
            self._elector = LeaderElector(
                make_lock(self.clientset, leader_election, leader_election_namespace),
                *(lease_duration, renew_deadline, retry_period),
                on_started_leading=self._lead,
                on_stopped_leading=lambda: None,
                release_on_cancel=release_on_cancel,
                clock=clock,
            )
        self._elector_thread: threading.Thread | None = None
        self._elector_stop = Stop()
        self._asked_to_stop = Stop()
        self._ended = Latch()
        self._lost = Latch()
        self._lock = threading.Lock()  # guards all below
        self._state = State.NEW
        self._names: set[str] = set()
        self._recording = False
        self._webhook_server = webhook_server
        self._webhooks_used = False
        self._errors: list[BaseException] = []
        self._stopper: threading.Thread | None = None

    # ---- what it is made of ---------------------------------------------------------------------------------------

    @property
    def state(self) -> State:
        """Where it is."""
        with self._lock:
            return self._state

    @property
    def api_reader(self) -> Clientset:
        """Reads from the server, past the cache."""
        return self.clientset

    @property
    def errors(self) -> list[BaseException]:
        """What has failed so far."""
        with self._lock:
            return list(self._errors)

    def recorder(self, name: str) -> EventRecorder:
        """Records events in the name of a component. Contract: EVR-01."""
        with self._lock:
            start, self._recording = not self._recording, True
        if start:
            self._broadcaster.start_recording_to_sink(self.clientset)
        return self._broadcaster.new_recorder(name)

    def add(self, runnable: Runnable | Callable[[threading.Event], object], *, group: str = "") -> None:
        """Have something run: anything with `start(stop)`, or a function of a stop. Contract: MGR-02, MGR-05.

        It goes to the `group` named, else by what it is: `need_leader_election` False runs whether leading or not,
        everything else when this process leads. Raises StoppedError once stopping.
        """
        if not hasattr(runnable, "start"):
            if not callable(runnable):
                raise TypeError(f"a runnable has start(stop), or is a function of a stop: {runnable!r}")
            runnable = FunctionRunnable(runnable)
        needs_leading = getattr(runnable, "need_leader_election", True)
        warmup = getattr(runnable, "warmup", None)
        if warmup is not None:
            self._groups["warmup"].add(warmup)
        self._groups[group or ("leader" if needs_leading else "others")].add(runnable)

    def new_controller(self, name: str, reconcile: Reconcile, **options: Any) -> Controller:
        """A controller over the parts of this manager, not added to it yet. Raises ValueError for a name in use."""
        options = {**self._controller_options, **options}
        known = options.pop("skip_name_validation", False)
        controller = Controller(
            name,
            reconcile,
            cache=self.cache,
            client=self.client,
            manager=self,
            recorder=self.recorder(name),
            state=options.pop("state", self._user_state),
            clock=self.clock,
            **options,
        )
        if not known:
            NAMES.take(name)
            with self._lock:
                self._names.add(name)
        return controller

    def controller(
        self,
        kind: type[Object],
        *,
        owns: Iterable[type[Object]] = (),
        watches: Mapping[type[Object], Callable[[Any], Iterable[Request]]] | None = None,
        where: Where | Iterable[Where] = None,
        name: str = "",
        **options: Any,
    ) -> Callable[[F], F]:
        """Make a function the reconciler of a kind: of `(request, ctx)`, or of `(obj, ctx)`. It stays as it is.

        `owns` are kinds whose objects lead to the one that controls them, `watches` gives for other kinds the function
        that says to which requests they lead, `where` which objects of `kind` matter. Other keywords are those of
        `Controller`: `workers`, `timeout`, `backoff`. Contract: DEC-01.
        """
        builder = Builder(self).for_(kind, where).named(name).with_options(**options)
        for owned in owns:
            builder.owns(owned)
        for other, requests_of in (watches or {}).items():
            builder.watches(other, map=requests_of)

        def decorate(function: F) -> F:
            builder.complete(function)
            return function

        return decorate

    # ---- webhooks -------------------------------------------------------------------------------------------------

    @property
    def webhook_server(self) -> WebhookServer:
        """The webhook server, which runs once it has been asked for. Contract: MGR-16."""
        from k8srt.controller.webhook.server import WebhookServer

        with self._lock:
            server = self._webhook_server = self._webhook_server or WebhookServer(clock=self.clock)
            first, self._webhooks_used = not self._webhooks_used, True
        if first:
            server.bind(self.clientset)
            self._groups["webhooks"].add(server)
        return server

    def validate(self, kind: type[Object], **options: Any) -> Callable[[F], F]:
        """Have a function of `(obj)` or `(obj, old)` say whether objects may be as they are; it raises AdmissionError
        if not, and returns warnings. Keywords are `path`, `recover_panic` and the fields of `HookRules`: DEC-02.
        """
        from k8srt.controller.webhook.registration import serve_validator

        return _registering(lambda function: serve_validator(self.webhook_server, kind, function, **options))

    def mutate(self, kind: type[Object], **options: Any) -> Callable[[F], F]:
        """Have a function change objects before they are kept. Keywords: those of `validate`, `remove_unknown`."""
        from k8srt.controller.webhook.registration import serve_defaulter

        return _registering(lambda function: serve_defaulter(self.webhook_server, kind, function, **options))

    def convert(self, kind: type[Object]) -> Callable[[F], F]:
        """Have a function of `(src, dst)` turn objects of any version of a kind into those of another: DEC-02."""
        from k8srt.controller.webhook.registration import serve_conversion

        return _registering(lambda function: serve_conversion(self.webhook_server, kind, function))

    # ---- life -----------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Start; return when everything that does not wait for the election is up, caches synced.

        Raises AlreadyStarted, and what has failed meanwhile. Contract: MGR-03, MGR-06, MGR-18.
        """
        with self._lock:
            if self._state is not State.NEW:
                raise AlreadyStarted("manager already started")
            self._state = State.STARTING
        for name in _START_ORDER:
            if self._asked_to_stop.is_set():
                break
            self._groups[name].start()
            self._groups[name].wait_ready(self._asked_to_stop)
            if name == "caches":
                self._await_caches()
        if not self._asked_to_stop.is_set():
            self._run_for_office()
        with self._lock:
            if self._state is State.STARTING:
                self._state = State.RUNNING

    def _await_caches(self) -> None:
        """Wait for the caches, and say now and then for which. Contract: MGR-19."""
        patience = 10.0
        while not self._asked_to_stop.is_set() and not self.cache.wait_for_sync(patience, stop=self._asked_to_stop):
            if not self._asked_to_stop.is_set():
                log.warning("still waiting for the caches of %s", ", ".join(self.cache.unsynced()))
            patience *= 2.0

    def _run_for_office(self) -> None:
        if self._elector is None:
            self._lead(self._elector_stop)
        else:
            self._elector_thread = spawn("elector", self._elect, self._elector)

    def _elect(self, elector: LeaderElector) -> None:
        try:
            elector.run(self._elector_stop)
        except Exception as err:  # noqa: BLE001 - the manager ends over it
            if not self._elector_stop.is_set():
                self._failed(elector, err)
            return
        if not self._elector_stop.is_set():
            self._lose()

    def _lead(self, stop: Stop) -> None:
        """Start what only a leader runs; not on the way down. Contract: MGR-11, MGR-12."""
        if not self._asked_to_stop.is_set():
            self._groups["leader"].start()
            self.elected.set()

    def _lose(self) -> None:
        """The lease is gone: nothing is waited for, and nothing more is written. Contract: MGR-10."""
        self._lost.set()
        with self._lock:
            self._grace = 0.0
        self._failed(self._elector, LeaderElectionLost("leader election lost"))

    def _check_leading(self) -> None:
        if self._lost.is_set():
            raise NotLeaderError("this process leads no longer, so it does not write")

    def run(self, stop: threading.Event | None = None) -> None:
        """Start, wait for a signal, for `stop`, for `stop()` or for a failure, and stop. Raises what has failed; of
        several errors an ExceptionGroup. In the main thread it takes SIGTERM and SIGINT. Contract: SIG-01, MGR-07.
        """
        with StopSignals(self._asked_to_stop.set):
            forget = stop.on_set(self._asked_to_stop.set) if isinstance(stop, Stop) else None
            try:
                self.start()
                while not self._asked_to_stop.wait(0.5 if stop is not None and forget is None else None):
                    if stop is not None and stop.is_set():
                        break
            except KeyboardInterrupt:
                log.info("interrupted: stopping")
            finally:
                if forget is not None:
                    forget()
                self._end()
        self._raise_errors()

    def stop(self, timeout: float | None = None) -> None:
        """Stop everything in order and wait for it, `timeout` seconds instead of the grace period if given.

        From any thread, any number of times; those who come later wait for the first. Raises ShutdownTimeout naming
        what did not end. Contract: MGR-04, MGR-08, MGR-18.
        """
        if timeout is not None:
            with self._lock:
                self._grace = timeout
        self._end()
        failures = [err for err in self.errors if isinstance(err, ShutdownTimeout)]
        if failures:
            raise failures[0]

    def _end(self) -> None:
        """Stop in order; by the first who comes, the others wait."""
        self._asked_to_stop.set()
        with self._lock:
            mine = self._state not in (State.STOPPING, State.STOPPED, State.FAILED)
            if mine:
                self._state = State.STOPPING
        if not mine:
            self._ended.wait()
            return
        try:
            late = self._stop_groups()
            self._resign(late)
            self._broadcaster.shutdown()
            if self._owned:
                self.clientset.close()
        finally:
            with self._lock:
                self._state = State.FAILED if self._errors else State.STOPPED
                names, self._names = self._names, set()
            NAMES.give_back(names)
            self._ended.set()

    def _stop_groups(self) -> list[str]:
        """Stop each group and wait for it; returns what did not end in time."""
        with self._lock:
            grace = self._grace
        deadline = None if grace < 0.0 else self.clock.now() + grace
        self._groups["warmup"].stop()
        late: list[str] = []
        for name in _STOP_ORDER:
            log.info("stopping %s", name)
            self._groups[name].stop()
            late += self._groups[name].join(deadline)
        late += self._groups["warmup"].join(deadline)
        if late and grace != 0.0:
            text = "\n".join(late)
            self._note(ShutdownTimeout(f"these did not end within the grace period of {grace:g}s:\n{text}"))
        return late

    def _resign(self, late: list[str]) -> None:
        """End the candidacy; a lease is not given back while something may still act on it. Contract: MGR-14."""
        if self._elector is not None and late:
            self._elector.release_on_cancel = False
        self._elector_stop.set()
        if self._elector_thread is not None:
            self._elector_thread.join()

    def _failed(self, runnable: Any, err: BaseException) -> None:
        """A runnable raised: everything ends over it, unless it is ending already. Contract: MGR-07."""
        if self._asked_to_stop.is_set() and not isinstance(err, LeaderElectionLost):
            log.warning("%r failed while everything is stopping: %s", runnable, err)
            return
        log.error("%r failed, stopping everything: %s", runnable, err)
        self._note(err)
        self._asked_to_stop.set()
        with self._lock:
            alone = self._stopper is None
            if alone:
                self._stopper = spawn("manager-stop", self._end)

    def _note(self, err: BaseException) -> None:
        with self._lock:
            self._errors.append(err)

    def _raise_errors(self) -> None:
        errors = self.errors
        if len(errors) > 1:
            raise BaseExceptionGroup("the manager failed, and did not stop cleanly", errors)
        if errors:
            raise errors[0]

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, err: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        if err is None:
            self._raise_errors()

    def debug_state(self) -> Mapping[str, Any]:
        """What everything is up to."""
        return {
            "state": str(self.state),
            "elected": self.elected.is_set(),
            "groups": {name: repr(group) for name, group in self._groups.items()},
            "cache": self.cache.debug_state(),
        }

    def __repr__(self) -> str:
        return f"<Manager of {self.clientset.rest_client.url}: {self.state}>"


def _registering(register: Callable[[Any], None]) -> Callable[[F], F]:
    """A decorator that leaves the function as it is."""

    def decorate(function: F) -> F:
        register(function)
        return function

    return decorate


def _clientset(config: Config, clock: Clock) -> Clientset:
    if not isinstance(config, Config):
        raise ConfigError(f"a manager needs a Config or a Clientset, not {config!r}")
    own = config.copy()
    if not own.qps:
        own.qps = -1.0  # the server knows best how to share itself out: CLU-02
    return Clientset(own, clock=clock)
