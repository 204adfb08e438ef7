"""The manager: what a program of controllers is run by.

    mgr = Manager(config, leader_election="foo-controller")

    @mgr.controller(Foo, owns=[Deployment], workers=4)
    def reconcile(request, ctx): ...

    mgr.run()                       # until SIGTERM or SIGINT; or mgr.start() … mgr.stop(), or `with mgr:`

In which order things start and stop is in `life`. At the end the lease is given back, and the recorders say what they
have left to say.

With addresses it answers over HTTP whether it is alive and ready, what its figures are, and what it is up to:

    mgr = Manager(config, health_address=":8081", metrics_address=":8080", profiling_address="127.0.0.1:8082")

Contract: MGR-01 to MGR-21, CLU-01, EVR-01, SHD-01, THR-02, THR-09.
"""

from __future__ import annotations

import html
import logging
import os
import threading
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, Self, TypeVar

from k8srt.controller.client.client import Client
from k8srt.controller.cluster import Parts
from k8srt.controller.controller import Controller, Reconcile
from k8srt.controller.failures import ForkedProcessError, LeaderElectionLost
from k8srt.controller.health import Check
from k8srt.controller.kinds import gvk_of
from k8srt.controller.manager.decorating import Decorators, Hooks
from k8srt.controller.manager.endpoints import Endpoints
from k8srt.controller.manager.groups import FunctionRunnable, Runnable, group_of
from k8srt.controller.manager.life import Life, State, Steps
from k8srt.controller.manager.living import RUNNING, informer_figures, shard_figures, weakly
from k8srt.controller.manager.names import NAMES
from k8srt.controller.manager.office import Election, Office, election_of
from k8srt.controller.manager.preflight import PreflightFailed, find_problems
from k8srt.controller.manager.shard import Shard
from k8srt.controller.metrics.names import REGISTRY, forget_controller
from k8srt.controller.metrics.scraping import MetricsOptions
from k8srt.controller.serving.server import Handle
from k8srt.controller.sharding.ring import Ring
from k8srt.errors import AlreadyStarted, ConfigError
from k8srt.kubernetes.clientset import Clientset
from k8srt.rest.config import Config
from k8srt.tools.events.broadcaster import EventBroadcaster
from k8srt.tools.leaderelection.elector import LeaderElector
from k8srt.util.clock import SYSTEM, Clock
from k8srt.util.stacks import warn_if_patched
from k8srt.util.threads import Latch

if TYPE_CHECKING:
    from k8srt.controller.tracing.tracing import Tracing
    from k8srt.controller.webhook.server import WebhookServer

log = logging.getLogger(__name__)

F = TypeVar("F", bound=Callable[..., Any])

GRACE = 30.0
PATIENCE = 10.0


class Manager(Parts, Decorators):
    """See the module. Thread-safe. A context manager: entering starts it, leaving stops it.

    `config` is a `Config`, or a `Clientset` that somebody else closes. `leader_election` is the name of the lease, or
    an `Election`; without one this process leads. `leader_election_namespace` is where it is, by default that of the
    pod; the three times are seconds. `sharding`, a `Ring`, has every replica reconcile its part of the keys instead.
    `on_lease_lost` is "raise", or "exit": the process ends with status 1 at once.

    `namespace` limits the cache. `graceful_shutdown_timeout` (seconds) is for all groups together: 0 does not wait,
    less waits for ever. `state` is the caller's, for reconciles. `controller_options` are defaults for controllers; in
    it, `group_kind_concurrency` says by kind ("Deployment.apps", "Pod") how many workers there are. `client_options`
    are those of `Client`: `disable_for`, `cache_unstructured`; further keywords are those of `Cache`.

    The addresses are `host:port` or `:port`; port 0 picks a free one (`health_url`, `metrics_url`, `profiling_url`),
    and without one nothing is served. `healthz` and `readyz` are the paths of the checks. `webhook_server` is used
    instead of one with the usual settings, `broadcaster` instead of one of its own, and is not ended. `patience` is
    after how many seconds a start says what it waits for. `preflight` "warn" or "fail" has the start ask for the rights
    first. `tracing` makes spans of reconciles, their requests and calls of webhooks: True by the tracer provider that
    the program has set for OpenTelemetry, or one of its own.
    """

    def __init__(
        self,
        config: Config | Clientset,
        *,
        namespace: str = "",
        leader_election: str | Election | bool = "",
        leader_election_namespace: str = "",
        sharding: Ring | None = None,
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
        tracing: Any = False,
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
        if sharding is not None and not isinstance(sharding, Ring):
            raise TypeError(f"sharding: expected a Ring, not {sharding!r}")
        self.tracing = _tracing_of(tracing)
        self._client_options = dict(client_options or {})
        super().__init__(
            config,
            clock=clock,
            client={**self._client_options, "may_write": self._check_not_lost},
            cache={**cache_options, "namespace": namespace},
            broadcaster=broadcaster,
        )
        self.hooks = Hooks()
        steps = Steps(
            prepare=self._prepare, synced=self._synced, stand=self._stand, close=self._wind_up, forget=self._forget
        )
        self._life = Life(steps, grace=graceful_shutdown_timeout, patience=patience, clock=clock)
        self._life.groups["caches"].add(self.cache)
        self._controller_options = dict(controller_options or {})
        self._concurrency: dict[str, int] = dict(self._controller_options.pop("group_kind_concurrency", {}))
        self._user_state = state
        self._preflight = preflight
        self._exit_when_lost = on_lease_lost == "exit"
        self._end_process: Callable[[int], object] = os._exit
        self._pid = os.getpid()
        self._undo: list[Callable[[], object]] = []
        self._office: Office | None = None
        self._lock = threading.RLock()  # guards all below; re-entrant, as a signal handler may call `stop`
        self._names: set[str] = set()
        self._controllers: list[Controller] = []
        self._webhook_server = webhook_server
        self._webhooks_used = False
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
            if sharding is not None and leader_election:
                raise ConfigError("sharding and leader_election: all replicas are in office, or one is; not both")
            election = election_of(
                leader_election,
                leader_election_namespace,
                (lease_duration, renew_deadline, retry_period),
                release_on_cancel=release_on_cancel,
            )
            if election is not None:  # after the figures were installed, which count for electors made later
                self._office = Office(
                    election,
                    self.clientset,
                    lead=lambda _: self._life.lead(),
                    lost=self._lose,
                    failed=self._life.failed,
                    clock=clock,
                )
            elif sharding is not None:
                self._office = Shard(
                    sharding,
                    self.clientset,
                    lead=lambda _: self._life.lead(),
                    lost=self._lose,
                    failed=self._life.failed,
                    clock=clock,
                )
        except BaseException:
            self._close()
            raise

    def _close(self) -> None:
        """Leave nothing open."""
        super()._close()
        endpoints: Endpoints | None = getattr(self, "_endpoints", None)  # None: it could not be made
        if endpoints is not None:
            endpoints.close()

    # ---- what it is made of ---------------------------------------------------------------------------------------

    @property
    def state(self) -> State:
        """Where it is."""
        return self._life.state

    @property
    def errors(self) -> list[BaseException]:
        """What has failed so far."""
        return self._life.errors

    @property
    def elected(self) -> Latch:
        """Set once what only a leader runs was started. Contract: MGR-12."""
        return self._life.elected

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
    def shard(self) -> Shard | None:
        """What this replica is among the others, None without sharding. Contract: SHD-01."""
        return self._office if isinstance(self._office, Shard) else None

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
        if group and group not in self._life.groups:
            raise ValueError(f"group: one of {', '.join(self._life.groups)}, not {group!r}")
        if isinstance(runnable, Controller):
            with self._lock:
                self._controllers.append(runnable)
        warmup = getattr(runnable, "warmup", None)
        if warmup is not None:
            self._life.groups["warmup"].add(warmup)
        self._life.groups[group or group_of(runnable)].add(runnable)

    def remove(self, runnable: Runnable, *, timeout: float | None = None) -> bool:
        """Have one runnable end while the others go on, and wait for it; a controller gives its name back.

        Returns whether it was there. `timeout` is in seconds, less than 0 waits without limit, and None is what a stop
        has. Raises ShutdownTimeout with where it is, and leaves it there, if it does not end. Contract: THR-10, CLU-04.
        """
        self._check_process()
        limit = self._life.grace if timeout is None else timeout
        parts = [runnable, *([runnable.warmup] if isinstance(runnable, Controller) and runnable.warmup else ())]
        groups = list(self._life.groups.values())
        found = [group.remove(part, None if limit < 0.0 else limit) for part in parts for group in groups]
        if isinstance(runnable, Controller):
            self.forget_name(runnable.name)
            if self.shard is not None:
                self.shard.detach(runnable.name)
            with self._lock:
                self._controllers = [each for each in self._controllers if each is not runnable]
        return any(found)

    def forget_name(self, name: str) -> None:
        """Let others have the name of a controller that has ended, or never began."""
        with self._lock:
            mine = name in self._names
            self._names.discard(name)
        if mine:
            forget_controller(name)
            NAMES.give_back([name])

    def new_controller(self, name: str, reconcile: Reconcile, *, kind: Any = None, **options: Any) -> Controller:
        """A controller over the parts of this manager, not added to it yet. Raises ValueError for a name in use.

        Of options, its own win, then what `group_kind_concurrency` says of the kind, then those of the manager: MGR-15.
        With `replace` the controller that has the name is taken out of its manager first, as `remove` does it: THR-10.
        """
        self._check_process()
        options = {**_plain(self._controller_options), **self._concurrency_of(kind), **_plain(options)}
        known = options.pop("skip_name_validation", False)
        if options.pop("replace", False):
            _make_room(name)
        elected_only = self._office is not None and options.get("need_leader_election", True)
        if not known:
            NAMES.take(name, self)
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
                tracing=self.tracing,
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
        if self._office is not None and elected_only:
            self._office.attach(controller)
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
            server.tracing = self.tracing
            server.bind(self.clientset)
            self._life.groups["webhooks"].add(server)
        return server

    # ---- life -----------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Start; return when everything that does not wait for the election is up, caches synced. Nothing is started
        if `stop` was called before.

        Raises AlreadyStarted, and what has failed meanwhile, everything being stopped again. Contract: MGR-03, MGR-06,
        MGR-18.
        """
        self._check_process()
        self._life.start()

    def wait_elected(self, timeout: float | None = None) -> bool:
        """Wait until what only a leader runs was started; returns whether it was. Contract: MGR-12."""
        return self.elected.wait(timeout)

    def run(self, stop: threading.Event | None = None, *, dump_signal: int | None = None) -> None:
        """Start, wait for a signal, for `stop`, for `stop()` or for a failure, and stop. Raises what has failed; of
        several errors an ExceptionGroup. In the main thread it takes SIGTERM and SIGINT, and with `dump_signal`
        (SIGUSR1) writes the stacks of all threads to standard error at that. Contract: SIG-01 to SIG-05, MGR-07.
        """
        self._check_process()
        self._life.run(stop, dump_signal)

    def stop(self, timeout: float | None = None) -> None:
        """Stop everything in order and wait for it, `timeout` seconds instead of the grace period if given.

        From any thread, any number of times; those who come later wait for the first. Where it interrupts `start` in
        the same thread, as a signal handler does, it does not wait. Raises ShutdownTimeout naming what did not end.
        Contract: MGR-04, MGR-08, MGR-18.
        """
        self._check_process()
        self._life.stop(timeout)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, err: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        if err is None:
            self._life.raise_errors()

    def _prepare(self) -> None:
        warn_if_patched()
        RUNNING.add(self)
        self._undo.append(REGISTRY.collect_from(weakly(self, informer_figures)))
        if self.shard is not None:
            self._undo.append(REGISTRY.collect_from(weakly(self, shard_figures)))
        if self._preflight:
            self._check_rights()
        for server in self._endpoints.enabled():
            self._life.add_unless_stopping("http", server)

    def _check_rights(self) -> None:
        """Say, or fail for, what this program is not allowed to do. Contract: MGR-20."""
        problems = self.preflight()
        for problem in problems:
            log.warning("preflight: %s", problem)
        if problems and self._preflight == "fail":
            self._life.failed(self, PreflightFailed("; ".join(problems)))

    def preflight(self) -> list[str]:
        """What would not work: kinds that are not served, and rights that are missing. Asks the server: MGR-20."""
        return find_problems(self.clientset, self.cache, self.lease, sharded=self.shard is not None)

    def _synced(self) -> None:
        self.hooks.start(self, self._life.failed)

    def _stand(self) -> None:
        if self._office is None:
            self._life.lead()
        else:
            self._office.run()

    def _lose(self) -> None:
        """The lease is gone: nothing is waited for, and nothing more is written. Contract: MGR-10."""
        if self._exit_when_lost:
            log.critical("leader election lost: the process ends")
            self._end_process(1)
        self._life.end_over(self._office, LeaderElectionLost("leader election lost"), grace=0.0)

    def _check_not_lost(self) -> None:
        if self._office is not None:
            self._office.check_not_lost()

    def _check_leading(self) -> None:
        if self._office is not None:
            self._office.check_leading()

    def _wind_up(self, all_ended: bool) -> None:
        """When nothing runs any more: the lease is given back, and the recorders say what they have left to say."""
        self.hooks.stop(self, self._life.failed)
        if self._office is not None:
            self._office.resign(give_back=all_ended)
        self._close()

    def _forget(self) -> None:
        """Leave nothing behind in what the process shares. Contract: CTL-02, THR-13."""
        for undo in self._undo:
            undo()
        with self._lock:
            names, self._names = self._names, set()
        for name in (*names, *([self._office.elector.name] if self._office is not None else ())):
            forget_controller(name)
        NAMES.give_back(names)
        RUNNING.discard(self)

    # ---- to be looked at ------------------------------------------------------------------------------------------

    def debug_state(self) -> Mapping[str, Any]:
        """What everything is up to."""
        return {
            "state": str(self.state),
            "elected": self.elected.is_set(),
            **(self._office.debug_state() if self._office is not None else {"leader": None}),
            "controllers": [controller.debug_state() for controller in self.controllers],
            "groups": {name: repr(group) for name, group in self._life.groups.items()},
            "cache": self.cache.debug_state(),
        }

    def _repr_html_(self) -> str:
        """A table, for notebooks. Contract: THR-10."""
        rows = [("server", self.clientset.rest_client.url), ("state", str(self.state))]
        rows += [("leads", "yes" if self.elected.is_set() else "no")]
        rows += [("shard", repr(self.shard))] if self.shard is not None else []
        rows += [(f"controller {each.name}", repr(each)) for each in self.controllers]
        urls = {"health": self.health_url, "metrics": self.metrics_url, "profiling": self.profiling_url}
        rows += [(what, url) for what, url in urls.items() if url]
        cells = "".join(f"<tr><th>{html.escape(a)}</th><td>{html.escape(b)}</td></tr>" for a, b in rows)
        return f"<table>{cells}</table>"

    def __repr__(self) -> str:
        return f"<Manager of {self.clientset.rest_client.url}: {self.state}>"


_SYNONYMS = {
    "max_concurrent_reconciles": "workers",
    "reconciliation_timeout": "timeout",
    "use_priority_queue": "priority_queue",
}


def _make_room(name: str) -> None:
    """Take out of its manager what has a name that another controller is to have."""
    owner = NAMES.owner(name)
    if owner is None:
        return
    for controller in owner.controllers:
        if controller.name == name:
            owner.remove(controller)
    owner.forget_name(name)  # of one that was made and never added


def _tracing_of(wanted: Any) -> Tracing | None:
    """What makes spans, None for nobody. Raises ConfigError where OpenTelemetry is not installed."""
    if wanted is None or wanted is False:
        return None
    from k8srt.controller.tracing.tracing import Tracing

    return Tracing(None if wanted is True else wanted)


def _plain(options: Mapping[str, Any]) -> dict[str, Any]:
    """Options by the names that controllers have for them."""
    return {_SYNONYMS.get(name, name): value for name, value in options.items()}
