"""The lease that managers of one program compete for: who of them is in office.

    Manager(config, leader_election="foo-controller")
    Manager(config, leader_election=Election("foo-controller", namespace="foo-system", release_on_cancel=True))

Contract: MGR-10, MGR-13, MGR-14, LE-23.
"""

from __future__ import annotations

import socket
import threading
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from k8srt.errors import ConfigError
from k8srt.kubernetes.clientset import Clientset
from k8srt.rest.config import Config, add_user_agent
from k8srt.tools.leaderelection.elector import LeaderElector
from k8srt.tools.leaderelection.failures import NotLeaderError
from k8srt.tools.leaderelection.leaselock import LeaseLock
from k8srt.tools.leaderelection.lock import ResourceLock
from k8srt.util.clock import Clock
from k8srt.util.threads import Latch, Stop, spawn

if TYPE_CHECKING:
    from k8srt.controller.controller import Controller

NAMESPACE_FILE = Path("/var/run/secrets/kubernetes.io/serviceaccount/namespace")
USER_AGENT = "leader-election"


@dataclass(frozen=True)
class Election:
    """How a leader is elected; times are seconds.

    `name` is that of the lease, and required. `namespace` is by default that of the pod, `identity` host and chance.
    `labels` are put on the lease. `config` is for the client that writes it, by default that of the manager. With
    `lock`, which is ready to be used, all of these are ignored. `release_on_cancel` gives the lease back at the end.
    """

    name: str = ""
    namespace: str = ""
    identity: str = ""
    lease_duration: float = 15.0
    renew_deadline: float = 10.0
    retry_period: float = 2.0
    release_on_cancel: bool = False
    labels: Mapping[str, str] = field(default_factory=dict)
    config: Config | None = None
    lock: ResourceLock | None = None


def election_of(
    chosen: str | Election | bool, namespace: str, times: tuple[float, float, float], *, release_on_cancel: bool
) -> Election | None:
    """How to elect, None if there is no election. Raises ConfigError for one without a name."""
    if isinstance(chosen, Election):
        return chosen
    if chosen is True:
        raise ConfigError("leader_election: give the name of the lease, such as that of the program")
    if not chosen:
        return None
    duration, deadline, period = times
    return Election(
        chosen,
        namespace,
        lease_duration=duration,
        renew_deadline=deadline,
        retry_period=period,
        release_on_cancel=release_on_cancel,
    )


class Office:
    """A candidacy, for the life of one manager. `lead()` is called when it is won, `lost()` when it is over unasked,
    `failed(elector, error)` when it fails. `lease` is the namespace and name of the lease, if it is known. Thread-safe.
    """

    def __init__(
        self,
        election: Election,
        clientset: Clientset,
        *,
        lead: Callable[[Stop], object],
        lost: Callable[[], object],
        failed: Callable[[LeaderElector, BaseException], object],
        clock: Clock,
    ) -> None:
        """Raises ConfigError without a name or a namespace, ValueError for times that cannot work."""
        self._own: Clientset | None = None
        self.lease: tuple[str, str] | None = None
        lock = election.lock or self._make_lock(election, clientset, clock)
        try:
            self.elector = LeaderElector(
                lock,
                *(election.lease_duration, election.renew_deadline, election.retry_period),
                on_started_leading=lead,
                on_stopped_leading=lambda: None,
                release_on_cancel=election.release_on_cancel,
                name=election.name,
                clock=clock,
            )
        except ValueError:
            self._close()
            raise
        self._tell_lost, self._tell_failed = lost, failed
        self._stop = Stop()
        self._lost = Latch()
        self._thread: threading.Thread | None = None

    def _make_lock(self, election: Election, clientset: Clientset, clock: Clock) -> LeaseLock:
        """A lock on a lease, with a client that shares nothing with the rest: no limit, and a short time. MGR-13."""
        if not election.name:
            raise ConfigError("leader_election: the name of a lease must be given, such as that of the program")
        namespace = election.namespace or pod_namespace()
        self.lease = namespace, election.name
        config = election.config.copy() if election.config is not None else clientset.config
        add_user_agent(config, USER_AGENT)
        config.timeout = max(1.0, election.renew_deadline / 2.0)
        config.qps, config.rate_limiter = -1.0, None
        self._own = Clientset(config, clock=clock)
        identity = election.identity or f"{socket.gethostname()}_{uuid.uuid4()}"
        return LeaseLock(self._own, namespace, election.name, identity, labels=election.labels)

    def attach(self, controller: Controller) -> None:
        """A controller was made that is for those in office: nothing is needed here."""

    def debug_state(self) -> dict[str, Any]:
        """What there is to say of it."""
        return {"leader": self.elector.get_leader()}

    @property
    def config(self) -> Config | None:
        """How the client that writes the lease is configured; None with a lock that was given."""
        return self._own.config if self._own is not None else None

    def run(self) -> None:
        """Stand for election, in a thread."""
        self._thread = spawn("elector", self._run)

    def _run(self) -> None:
        try:
            self.elector.run(self._stop)
        except Exception as err:  # noqa: BLE001 - the manager ends over it
            if not self._stop.is_set():
                self._tell_failed(self.elector, err)
            return
        if not self._stop.is_set():
            self._lost.set()
            self._tell_lost()

    def check_not_lost(self) -> None:
        """Raise NotLeaderError once the office is lost."""
        if self._lost.is_set():
            raise NotLeaderError("this process leads no longer, so it does not write")

    def check_leading(self) -> None:
        """Raise NotLeaderError unless no other process can lead: for just before a write of what only leaders do."""
        self.check_not_lost()
        self.elector.ensure_leading()

    def resign(self, *, give_back: bool) -> None:
        """End the candidacy, and wait for that. The lease is not given back while something may still act on it."""
        if not give_back:
            self.elector.release_on_cancel = False
        self._stop.set()
        if self._thread is not None:
            self._thread.join()
        self._close()

    def _close(self) -> None:
        if self._own is not None:
            self._own.close()

    def __repr__(self) -> str:
        return f"<Office {self.elector.name}: {self.elector.phase.name.lower()}>"


def pod_namespace(option: str = "leader_election_namespace") -> str:
    """The namespace this process runs in. Raises ConfigError outside of a cluster, naming the option to give."""
    try:
        return NAMESPACE_FILE.read_text(encoding="utf-8").strip()
    except OSError as err:
        raise ConfigError(f"{option}: must be given outside of a cluster ({NAMESPACE_FILE}: {err.strerror})") from err
