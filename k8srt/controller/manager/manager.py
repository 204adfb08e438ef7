"""The manager: what a program of controllers is run by.

    mgr = Manager(config, leader_election="foo-controller")

    @mgr.controller(Foo, owns=[Deployment], workers=4)
    def reconcile(request, ctx): ...

    mgr.run()                       # until SIGTERM or SIGINT; or mgr.start() … mgr.stop(), or `with mgr:`

It starts in this order, each step once the one before is up: http, webhooks, caches (up means synced), others, warmup,
and once it is elected, leader. It stops others, leader, caches, webhooks and http, each when the one before has ended;
then the lease is given back, and the recorders say what they have left to say.

With addresses it answers over HTTP whether it is alive and ready, what its figures are, and what it is up to:

    mgr = Manager(config, health_address=":8081", metrics_address=":8080", profiling_address="127.0.0.1:8082")

Contract: MGR-01 to MGR-21, CLU-01, EVR-01, THR-02, THR-09.
"""

from __future__ import annotations

import html
import logging
import os
import threading
from collections.abc import Callable, Mapping
from enum import StrEnum
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, Self, TypeVar

from k8srt.apimachinery.object import Object
from k8srt.controller.cache.cache import Cache
from k8srt.controller.client.client import Client
from k8srt.controller.cluster import clientset_for
from k8srt.controller.controller import Controller, Reconcile
from k8srt.controller.failures import ForkedProcessError, LeaderElectionLost, ShutdownTimeout
from k8srt.controller.health import Check
from k8srt.controller.kinds import gvk_of
from k8srt.controller.manager.decorating import Decorators, Hooks
from k8srt.controller.manager.endpoints import Endpoints
from k8srt.controller.manager.groups import FunctionRunnable, Group, Runnable, StoppedError, group_of
from k8srt.controller.manager.living import RUNNING, informer_figures, weakly
from k8srt.controller.manager.names import NAMES
from k8srt.controller.manager.office import Election, Office, election_of
from k8srt.controller.manager.preflight import PreflightFailed, find_problems
from k8srt.controller.metrics.names import REGISTRY, forget_controller
from k8srt.controller.metrics.scraping import MetricsOptions
from k8srt.controller.recorders import Recorders
from k8srt.controller.serving.server import Handle
from k8srt.controller.signals import StopSignals
from k8srt.errors import AlreadyStarted
from k8srt.kubernetes.clientset import Clientset
from k8srt.rest.config import Config
from k8srt.tools.events.broadcaster import EventBroadcaster
from k8srt.tools.events.recorder import EventRecorder
from k8srt.tools.leaderelection.elector import LeaderElector
from k8srt.tools.record.recorder import EventRecorder as CoreRecorder
from k8srt.util.clock import SYSTEM, Clock
from k8srt.util.stacks import dumping, warn_if_patched
from k8srt.util.threads import Latch, Stop, linked, spawn

if TYPE_CHECKING:
    from k8srt.controller.webhook.server import WebhookServer

log = logging.getLogger(__name__)

F = TypeVar("F", bound=Callable[..., Any])

GRACE = 30.0
PATIENCE = 10.0
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


class Manager(Decorators):
    """See the module. Thread-safe. A context manager: entering starts it, leaving stops it.

    `config` is a `Config`, or a `Clientset` that somebody else closes. `leader_election` is the name of the lease, or
    an `Election`; without one this process leads. `leader_election_namespace` is where it is, by default that of the
    pod; the three times are seconds. `on_lease_lost` is "raise", or "exit": the process ends with status 1 at once.

    `namespace` limits the cache. `graceful_shutdown_timeout` (seconds) is for all groups together: 0 does not wait,
    less waits for ever. `state` is the caller's, for reconciles. `controller_options` are defaults for controllers; in
    it, `group_kind_concurrency` says by kind ("Deployment.apps", "Pod") how many workers there are. `client_options`
    are those of `Client`: `disable_for`, `cache_unstructured`; further keywords are those of `Cache`.

    The addresses are `host:port` or `:port`; port 0 picks a free one (`health_url`, `metrics_url`, `profiling_url`),
    and without one nothing is served. `healthz` and `readyz` are the paths of the checks. `webhook_server` is used
    instead of one with the usual settings, `broadcaster` instead of one of its own, and is not ended. `patience` is
    after how many seconds a start says what it waits for. `preflight` "warn" or "fail" has the start ask for the rights
    first.
    """

    def __init__(
        self,
        config: Config | Clientset,
        *,
        namespace: str = "",
        leader_election: str | Election | bool = "",
        leader_election_namespace: str = "",
        lease_duration: float = 15.0,
        renew_deadline: float = 10.0,
        retry_period: float = 2.0,
        release_on_cancel: bool = False,
        on_lease_lost: Literal["raise", "exit"] = "raise",
        health_address: str = "",
        metrics_address: str = "",
        profiling_address: str = "",
        metrics_options: MetricsOptions | None = None,
        healthz: str = "/healthz",
        readyz: str = "/readyz",
        graceful_shutdown_timeout: float = GRACE,
        controller_options: Mapping[str, Any] | None = None,
        client_options: Mapping[str, Any] | None = None,
        state: Any = None,
        webhook_server: WebhookServer | None = None,
        broadcaster: EventBroadcaster | None = None,
        preflight: Literal["", "warn", "fail"] = "",
        patience: float = PATIENCE,
        clock: Clock = SYSTEM,
        **cache_options: Any,
    ) -> None:
        """Opens no connection and starts no thread; listens on the addresses for health and profiling.

        Raises ConfigError for what cannot work, ListenError for an address that cannot be listened on: MGR-01.
        """
        if on_lease_lost not in ("raise", "exit"):
            raise ValueError(f"on_lease_lost: expected 'raise' or 'exit', not {on_lease_lost!r}")
        if preflight not in ("", "warn", "fail"):
            raise ValueError(f"preflight: expected 'warn' or 'fail', not {preflight!r}")
        self._owned = not isinstance(config, Clientset)
        self.clientset = config if isinstance(config, Clientset) else clientset_for(config, clock)
        self.clock = clock
        self.cache = Cache(self.clientset, namespace=namespace, clock=clock, **cache_options)
        self._client_options = dict(client_options or {})
        self.client = Client(self.clientset, self.cache, may_write=self._check_not_lost, **self._client_options)
        self.elected = Latch()
        self.hooks = Hooks()
        self._grace = graceful_shutdown_timeout
        self._controller_options = dict(controller_options or {})
        self._concurrency: dict[str, int] = dict(self._controller_options.pop("group_kind_concurrency", {}))
        self._user_state = state
        self._recorders = Recorders(self.clientset, broadcaster, clock)
        self._groups = {name: Group(name, self._failed, clock) for name in (*_START_ORDER, "leader")}
        self._groups["caches"].add(self.cache)
        self._preflight = preflight
        self._patience = patience
        self._exit_when_lost = on_lease_lost == "exit"
        self._end_process: Callable[[int], object] = os._exit
        self._pid = os.getpid()
        self._asked_to_stop = Stop()
        self._ended = Latch()
        self._lock = threading.RLock()  # guards all below; re-entrant, as a signal handler may call `stop`
        self._state = State.NEW
        self._started = False
        self._names: set[str] = set()
        self._controllers: list[Controller] = []
        self._webhook_server = webhook_server
        self._webhooks_used = False
        self._errors: list[BaseException] = []
        self._stopper: threading.Thread | None = None
        self._starter: int | None = None  # the thread that is within `start`
        self._undo: list[Callable[[], object]] = []
        self._office: Office | None = None
        try:
            self._endpoints = Endpoints(
                self,
                health_address=health_address,
                metrics_address=metrics_address,
                profiling_address=profiling_address,
                metrics_options=metrics_options,
                healthz=healthz,
                readyz=readyz,
                clock=clock,
            )
            election = election_of(
                leader_election,
                leader_election_namespace,
                (lease_duration, renew_deadline, retry_period),
                release_on_cancel=release_on_cancel,
            )
            if election is not None:  # after the figures were installed, which count for electors made later
                self._office = Office(
                    election, self.clientset, lead=self._lead, lost=self._lose, failed=self._failed, clock=clock
                )
        except BaseException:
            self._close()
            raise

    def _close(self) -> None:
        """Leave nothing open."""
        endpoints: Endpoints | None = getattr(self, "_endpoints", None)  # None: it could not be made
        if endpoints is not None:
            endpoints.close()
        if self._owned:
            self.clientset.close()

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

    @property
    def config(self) -> Config:
        """The configuration of its clients; changing it changes nothing."""
        return self.clientset.config

    @property
    def field_indexer(self) -> Cache:
        """What indexes fields: the cache."""
        return self.cache

    @property
    def rest_mapper(self) -> Any:
        """Which resource a kind stands for on this server."""
        return self.clientset.mapper

    @property
    def controllers(self) -> list[Controller]:
        """The controllers that were added."""
        with self._lock:
            return list(self._controllers)

    @property
    def elector(self) -> LeaderElector | None:
        """Who stands for election, None without one."""
        return self._office.elector if self._office is not None else None

    @property
    def lease(self) -> tuple[str, str] | None:
        """The namespace and name of the lease, None without an election or with a lock of the caller's own."""
        return self._office.lease if self._office is not None else None

    @property
    def event_groups(self) -> list[str]:
        """The API groups in which events are recorded, as far as recorders were asked for."""
        return self._recorders.groups()

    @property
    def webhook_server_in_use(self) -> WebhookServer | None:
        """The webhook server, if anything is served by it."""
        with self._lock:
            return self._webhook_server if self._webhooks_used else None

    def rbac_rules(self) -> list[dict[str, list[str]]]:
        """The rules of a role with what controllers, election, events and webhooks need: see `rights`. BLD-07."""
        from k8srt.controller.manager.rights import merged, rights_of

        return merged([rule for rules in rights_of(self).values() for rule in rules])

    @property
    def process(self) -> int:
        """The process it belongs to."""
        return self._pid

    @property
    def started(self) -> bool:
        """Whether the start has come to its end."""
        return self.state in (State.RUNNING, State.STOPPING)

    @property
    def health_url(self) -> str:
        """Where health is served, empty if it is not."""
        return self._endpoints.health.url

    @property
    def metrics_url(self) -> str:
        """What to scrape, empty while that is not served."""
        return self._endpoints.metrics.url

    @property
    def profiling_url(self) -> str:
        """Where debugging is served, empty if it is not."""
        return self._endpoints.profiling.url

    def recorder(self, name: str) -> EventRecorder:
        """Records events in the name of a controller, in the form events.k8s.io/v1. Contract: EVR-01."""
        return self._recorders.recorder(name)

    def core_recorder(self, name: str) -> CoreRecorder:
        """Records events in the name of a component, in the form core/v1. Contract: EVR-01."""
        return self._recorders.core_recorder(name)

    def add_healthz_check(self, name: str, check: Check) -> None:
        """Have something checked that says whether this process is alive: a function that raises if not.

        Raises AlreadyStarted, ValueError for a name that is taken. `health` has some ready-made.
        """
        self._check_new("a health check")
        self._endpoints.healthz.add(name, check)

    def add_readyz_check(self, name: str, check: Check) -> None:
        """The same for whether it is ready to be used."""
        self._check_new("a readiness check")
        self._endpoints.readyz.add(name, check)

    def add_metrics_handler(self, path: str, handler: Handle) -> None:
        """Serve something beside the figures: a function of an HTTPRequest. Raises AlreadyStarted, PathTaken."""
        self._check_new("a handler beside the metrics")
        self._endpoints.metrics.handle(path, handler)

    def _check_new(self, what: str) -> None:
        if self.state is not State.NEW:
            raise AlreadyStarted(f"{what} can only be added before the manager is started")

    def _check_process(self) -> None:
        """Threads do not survive a fork, and locks may look held for ever. Contract: THR-09."""
        if os.getpid() != self._pid:
            raise ForkedProcessError("this manager belongs to the process that made it; make another after the fork")

    def add(self, runnable: Runnable | Callable[[threading.Event], object], *, group: str = "") -> None:
        """Have something run: anything with `start(stop)`, or a function of a stop. Contract: MGR-02, MGR-05.

        It goes to the `group` named, else by what it is: an `HTTPServer` to http, what has a cache to caches, what
        says `need_leader_election` False to others; everything else runs when this process leads. Raises StoppedError
        once stopping.
        """
        self._check_process()
        if not hasattr(runnable, "start"):
            if not callable(runnable):
                raise TypeError(f"a runnable has start(stop), or is a function of a stop: {runnable!r}")
            runnable = FunctionRunnable(runnable)
        if group and group not in self._groups:
            raise ValueError(f"group: one of {', '.join(self._groups)}, not {group!r}")
        if isinstance(runnable, Controller):
            with self._lock:
                self._controllers.append(runnable)
        warmup = getattr(runnable, "warmup", None)
        if warmup is not None:
            self._groups["warmup"].add(warmup)
        self._groups[group or group_of(runnable)].add(runnable)

    def new_controller(self, name: str, reconcile: Reconcile, *, kind: Any = None, **options: Any) -> Controller:
        """A controller over the parts of this manager, not added to it yet. Raises ValueError for a name in use.

        Of options, its own win, then what `group_kind_concurrency` says of the kind, then those of the manager: MGR-15.
        """
        self._check_process()
        options = {**_plain(self._controller_options), **self._concurrency_of(kind), **_plain(options)}
        known = options.pop("skip_name_validation", False)
        elected_only = self._office is not None and options.get("need_leader_election", True)
        if not known:
            NAMES.take(name)
        try:
            controller = Controller(
                name,
                reconcile,
                cache=self.cache,
                client=self._client_of_a_leader() if elected_only else self.client,
                kind=kind,
                manager=self,
                recorder=self.recorder(name),
                state=options.pop("state", self._user_state),
                clock=self.clock,
                **options,
            )
        except BaseException:
            if not known:
                NAMES.give_back([name])
            raise
        if not known:
            with self._lock:
                self._names.add(name)
        return controller

    def _concurrency_of(self, kind: Any) -> dict[str, int]:
        if kind is None or not self._concurrency:
            return {}
        gvk = gvk_of(kind)
        workers = self._concurrency.get(f"{gvk.kind}.{gvk.group}" if gvk.group else gvk.kind)
        return {} if workers is None else {"workers": workers}

    def _client_of_a_leader(self) -> Client:
        return Client(self.clientset, self.cache, may_write=self._check_leading, **self._client_options)

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
        """Start; return when everything that does not wait for the election is up, caches synced. Nothing is started
        if `stop` was called before.

        Raises AlreadyStarted, and what has failed meanwhile, everything being stopped again. Contract: MGR-03, MGR-06,
        MGR-18.
        """
        self._start()
        if self.errors:
            self._end()
            self._raise_errors()

    def _start(self) -> None:
        self._check_process()
        with self._lock:
            if self._state in (State.STOPPING, State.STOPPED) and not self._started:
                log.info("stopped before it was started")
                return
            if self._state is not State.NEW:
                raise AlreadyStarted("manager already started")
            self._state, self._started = State.STARTING, True
            self._starter = threading.get_ident()
        warn_if_patched()
        RUNNING.add(self)
        self._undo.append(REGISTRY.collect_from(weakly(self, informer_figures)))
        if self._preflight:
            self._check_rights()
        for server in self._endpoints.enabled():
            self._add_unless_stopping("http", server)
        for name in _START_ORDER:
            if self._asked_to_stop.is_set():
                break
            self._groups[name].start()
            self._await(name)
            if name == "caches" and not self._asked_to_stop.is_set():
                self.hooks.start(self, self._failed)
        if not self._asked_to_stop.is_set():
            self._run_for_office()
        with self._lock:
            self._starter = None
            if self._state is State.STARTING:
                self._state = State.RUNNING

    def _add_unless_stopping(self, group: str, runnable: Runnable) -> None:
        try:
            self._groups[group].add(runnable)
        except StoppedError:
            log.debug("%r is not started: stopping already", runnable)

    def _check_rights(self) -> None:
        """Say, or fail for, what this program is not allowed to do. Contract: MGR-20."""
        problems = self.preflight()
        for problem in problems:
            log.warning("preflight: %s", problem)
        if problems and self._preflight == "fail":
            self._failed(self, PreflightFailed("; ".join(problems)))

    def preflight(self) -> list[str]:
        """What would not work: kinds that are not served, and rights that are missing. Asks the server: MGR-20."""
        return find_problems(self.clientset, self.cache, self._office.lease if self._office is not None else None)

    def _await(self, group: str) -> None:
        """Wait until a group is up, and say now and then for what. Contract: MGR-03, MGR-19."""
        patience = self._patience
        while not self._asked_to_stop.is_set():
            waited_for = self._groups[group].wait_ready(self._asked_to_stop, patience)
            if not waited_for or self._asked_to_stop.is_set():
                return
            log.warning("starting %s: still waiting for %s", group, "; ".join(waited_for))
            patience *= 2.0

    def wait_elected(self, timeout: float | None = None) -> bool:
        """Wait until what only a leader runs was started; returns whether it was. Contract: MGR-12."""
        return self.elected.wait(timeout)

    def _run_for_office(self) -> None:
        if self._office is None:
            self._lead(self._asked_to_stop)
        else:
            self._office.run()

    def _lead(self, stop: Stop) -> None:
        """Start what only a leader runs; not on the way down. Contract: MGR-11, MGR-12."""
        if not self._asked_to_stop.is_set() and self._groups["leader"].start():
            self.elected.set()

    def _lose(self) -> None:
        """The lease is gone: nothing is waited for, and nothing more is written. Contract: MGR-10."""
        with self._lock:
            self._grace = 0.0
        if self._exit_when_lost:
            log.critical("leader election lost: the process ends")
            self._end_process(1)
        self._failed(self._office, LeaderElectionLost("leader election lost"))

    def _check_not_lost(self) -> None:
        if self._office is not None:
            self._office.check_not_lost()

    def _check_leading(self) -> None:
        if self._office is not None:
            self._office.check_leading()

    def run(self, stop: threading.Event | None = None, *, dump_signal: int | None = None) -> None:
        """Start, wait for a signal, for `stop`, for `stop()` or for a failure, and stop. Raises what has failed; of
        several errors an ExceptionGroup. In the main thread it takes SIGTERM and SIGINT, and with `dump_signal`
        (SIGUSR1) writes the stacks of all threads to standard error at that. Contract: SIG-01 to SIG-05, MGR-07.
        """
        self._check_process()
        with linked(stop or Stop()) as told, StopSignals(self._asked_to_stop.set) as signals, dumping(dump_signal):
            forget = told.on_set(self._asked_to_stop.set)
            try:
                self._start()
                signals.wait(self._asked_to_stop)
            except KeyboardInterrupt:
                log.info("interrupted: stopping")
            finally:
                forget()
                self._end()
        self._raise_errors()

    def stop(self, timeout: float | None = None) -> None:
        """Stop everything in order and wait for it, `timeout` seconds instead of the grace period if given.

        From any thread, any number of times; those who come later wait for the first. Where it interrupts `start` in
        the same thread, as a signal handler does, it does not wait. Raises ShutdownTimeout naming what did not end.
        Contract: MGR-04, MGR-08, MGR-18.
        """
        self._check_process()
        if timeout is not None:
            with self._lock:
                self._grace = timeout
        if self._starter == threading.get_ident():
            self._end_elsewhere()
            return
        self._end()
        failures = [err for err in self.errors if isinstance(err, ShutdownTimeout)]
        if failures:
            raise failures[0]

    def _end_elsewhere(self) -> None:
        """Stop, in a thread of its own, which may take locks that a signal handler interrupted. Does not wait."""
        with self._lock:
            if self._stopper is None:
                self._stopper = spawn("manager-stop", self._end)

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
            self.hooks.stop(self, self._failed)
            if self._office is not None:
                self._office.resign(give_back=not late)
            self._recorders.shutdown()
            self._close()
        finally:
            self._clean_up()
            self._ended.set()

    def _clean_up(self) -> None:
        """Leave nothing behind in what the process shares. Contract: CTL-02, THR-13."""
        for undo in self._undo:
            undo()
        with self._lock:
            self._state = State.FAILED if self._errors else State.STOPPED
            names, self._names = self._names, set()
        for name in (*names, *([self._office.elector.name] if self._office is not None else ())):
            forget_controller(name)
        NAMES.give_back(names)
        RUNNING.discard(self)

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

    def _failed(self, runnable: Any, err: BaseException) -> None:
        """A runnable raised: everything ends over it, unless it is ending already. Contract: MGR-07."""
        if self._asked_to_stop.is_set() and not isinstance(err, LeaderElectionLost):
            log.warning("%r failed while everything is stopping: %s", runnable, err)
            return
        log.error("%r failed, stopping everything: %s", runnable, err)
        self._note(err)
        self._asked_to_stop.set()
        self._end_elsewhere()

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
            "leader": self._office.elector.get_leader() if self._office is not None else None,
            "controllers": [controller.debug_state() for controller in self.controllers],
            "groups": {name: repr(group) for name, group in self._groups.items()},
            "cache": self.cache.debug_state(),
        }

    def _repr_html_(self) -> str:
        """A table, for notebooks. Contract: THR-10."""
        rows = [("server", self.clientset.rest_client.url), ("state", str(self.state))]
        rows += [("leads", "yes" if self.elected.is_set() else "no")]
        rows += [(f"controller {each.name}", repr(each)) for each in self.controllers]
        urls = {"health": self.health_url, "metrics": self.metrics_url, "profiling": self.profiling_url}
        rows += [(what, url) for what, url in urls.items() if url]
        cells = "".join(f"<tr><th>{html.escape(a)}</th><td>{html.escape(b)}</td></tr>" for a, b in rows)
        return f"<table>{cells}</table>"

    def __repr__(self) -> str:
        return f"<Manager of {self.clientset.rest_client.url}: {self.state}>"


def _registering(register: Callable[[Any], None]) -> Callable[[F], F]:
    """A decorator that leaves the function as it is."""

    def decorate(function: F) -> F:
        register(function)
        return function

    return decorate


_SYNONYMS = {
    "max_concurrent_reconciles": "workers",
    "reconciliation_timeout": "timeout",
    "use_priority_queue": "priority_queue",
}


def _plain(options: Mapping[str, Any]) -> dict[str, Any]:
    """Options by the names that controllers have for them."""
    return {_SYNONYMS.get(name, name): value for name, value in options.items()}
