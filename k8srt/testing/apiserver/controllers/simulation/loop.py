"""The worker that runs a simulation: changes say which objects to look at, one is looked at after the other."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from typing import Any

from k8srt.testing.apiserver.cluster import Cluster
from k8srt.testing.apiserver.controllers.simulation import (
    budgets,
    cronjobs,
    daemonsets,
    deployments,
    endpoints,
    jobs,
    kubelet,
    nodes,
    replicasets,
    scheduler,
    statefulsets,
    volumes,
)
from k8srt.testing.apiserver.controllers.simulation.options import Simulation
from k8srt.testing.apiserver.controllers.simulation.pods import phase
from k8srt.testing.apiserver.controllers.simulation.world import TABLES, Key, World, controller_of
from k8srt.testing.apiserver.controllers.timed import TimedWorker
from k8srt.testing.apiserver.failures import Failure
from k8srt.testing.apiserver.watches import Change

log = logging.getLogger(__name__)
Reconcile = Callable[[World, Key, Any], None]

_RECONCILE: dict[str, Reconcile] = {
    "nodes": nodes.reconcile,
    "replicasets.apps": replicasets.reconcile,
    "deployments.apps": deployments.reconcile,
    "statefulsets.apps": statefulsets.reconcile,
    "daemonsets.apps": daemonsets.reconcile,
    "jobs.batch": jobs.reconcile,
    "cronjobs.batch": cronjobs.reconcile,
    "services": endpoints.reconcile,
    "poddisruptionbudgets.policy": budgets.reconcile,
    "persistentvolumeclaims": volumes.reconcile_claim,
    "persistentvolumes": volumes.reconcile_volume,
}
"""What is done about each kind; None stands for an object that is gone. Pods go to the scheduler or a kubelet."""

_RANKS = {"pods": 0, "replicasets.apps": 1, "deployments.apps": 3}
"""Who goes first: deployments look at replica sets that have done what they were asked for."""

_SEEN = frozenset({*_RECONCILE, "pods", "controllerrevisions.apps", "endpointslices.discovery.k8s.io", "endpoints"})
_PATIENCE = 30.0  # seconds to wait for the worker
_FIRST, _MOST = 0.2, 30.0  # seconds before an object is looked at again where something failed


class SimulationWorker(TimedWorker):
    """Runs the workloads of a cluster. Its thread is the only one that looks and writes."""

    name = "simulation"

    def __init__(self, cluster: Cluster, options: Simulation, seed: int | None = None) -> None:
        super().__init__(cluster)
        self.world = World(cluster, options, seed, self.after)
        self._kubelet = kubelet.Kubelet(self.world)
        # What to look at, in order, by rank; only what handles and steps touches it.
        self._waiting: tuple[dict[Key, None], ...] = ({}, {}, {}, {})
        self._failures: dict[Key, int] = {}

    def prepare(self) -> None:
        """Make the nodes, before anybody asks for them."""
        nodes.make(self.world)

    # ---- what to look at

    def wants(self, table: str, change: Change) -> bool:
        return table in _SEEN

    def handle(self, table: str, change: Change) -> None:
        self.world.learn(table, change)
        key = Key(table, change.shown.namespace, change.shown.name)
        for each in self._concerned(key, change):
            self._note_key(each)

    def due(self, what: Any) -> None:
        if isinstance(what, Key):
            self._note_key(what)
        else:
            what()

    def _note_key(self, key: Key) -> None:
        self._waiting[_RANKS.get(key.table, 2)].setdefault(key)

    # ---- what tests ask for

    def restart(self, pod: str, namespace: str = "default", *, container: str = "", exit_code: int = 1) -> None:
        """Let the containers of a running pod, or one of them, end and start again. Raises LookupError."""
        self._ask(lambda: self._kubelet.restart(self._running(pod, namespace), exit_code, container))

    def set_ready(self, pod: str, ready: bool, namespace: str = "default") -> None:
        """Let a running pod pass or fail its readiness. Raises LookupError."""
        self._ask(lambda: self._kubelet.set_ready(self._running(pod, namespace), ready))

    def finish(self, pod: str, namespace: str = "default", *, exit_code: int = 0) -> None:
        """Let the containers of a running pod end, for good if its restart policy says so. Raises LookupError."""
        key = Key("pods", namespace, pod)
        self._ask(lambda: self._kubelet.finish(key, self._running(pod, namespace), exit_code))

    def set_node_ready(self, node: str, ready: bool) -> None:
        """Let a node become ready or not; without, it gets no new pods. Raises LookupError."""
        self._ask(lambda: nodes.set_ready(self.world, self._present("nodes", "", node), ready))

    def _present(self, table: str, namespace: str, name: str) -> Any:
        obj = self.world.get(table, namespace, name)
        if obj is None:
            raise LookupError(f"{table} {name!r} not found" + (f" in namespace {namespace!r}" if namespace else ""))
        return obj

    def _running(self, name: str, namespace: str) -> Any:
        pod = self._present("pods", namespace, name)
        if phase(pod) != "Running":
            raise LookupError(f"pod {name!r} is not running but {phase(pod)}")
        return pod

    def _ask(self, act: Callable[[], object]) -> None:
        """Have the worker do something, and wait until it has."""
        done: Future[None] = Future()

        def run() -> None:
            try:
                act()
            except BaseException as err:  # noqa: BLE001 - raised in the caller's thread
                done.set_exception(err)
            else:
                done.set_result(None)

        self.after(0.0, run)
        done.result(_PATIENCE)

    def _concerned(self, key: Key, change: Change) -> Iterator[Key]:
        yield key
        obj = change.shown.decode()
        owner = controller_of(obj)
        if owner is not None and owner["kind"] in TABLES:
            yield Key(TABLES[owner["kind"]], key.namespace, owner["name"])
        if key.table == "pods":
            yield from self._around_pod(key, obj, change)
        elif key.table == "nodes":
            for stored in self.cluster.storage.page("daemonsets.apps").items:
                yield Key("daemonsets.apps", stored.namespace, stored.name)
            for stored in self.cluster.storage.page("pods").items:
                if not stored.fields.get("spec.nodeName") or stored.fields["spec.nodeName"] == key.name:
                    yield Key("pods", stored.namespace, stored.name)
        elif owner is None and change.before is None:
            yield from self._adopters(key)

    def _around_pod(self, key: Key, obj: Any, change: Change) -> Iterator[Key]:
        for table in ("services", "poddisruptionbudgets.policy"):
            for stored in self.cluster.storage.page(table, key.namespace).items:
                yield Key(table, key.namespace, stored.name)
        if controller_of(obj) is None:
            yield from self._adopters(key)
        if change.after is None and (owner := controller_of(obj)) is not None and owner["kind"] == "ReplicaSet":
            yield from self._owner_of("replicasets.apps", key.namespace, owner["name"])
        if change.after is None or phase(obj) in ("Succeeded", "Failed"):
            yield from scheduler.waiting(self.world)
            for volume in obj["spec"].get("volumes") or ():
                claim = (volume.get("persistentVolumeClaim") or {}).get("claimName")
                if claim:
                    yield Key("persistentvolumeclaims", key.namespace, claim)

    def _owner_of(self, table: str, namespace: str, name: str) -> Iterator[Key]:
        obj = self.world.get(table, namespace, name)
        owner = controller_of(obj) if obj is not None else None
        if owner is not None and owner["kind"] in TABLES:
            yield Key(TABLES[owner["kind"]], namespace, owner["name"])

    def _adopters(self, key: Key) -> Iterator[Key]:
        """Who may take in an object that nobody controls."""
        tables: tuple[str, ...] = ("deployments.apps",) if key.table == "replicasets.apps" else ()
        if key.table == "pods":
            tables = ("replicasets.apps", "statefulsets.apps", "daemonsets.apps")
        for table in tables:
            for stored in self.cluster.storage.page(table, key.namespace).items:
                yield Key(table, key.namespace, stored.name)

    # ---- looking

    def idle(self) -> bool:
        waiting = next((each for each in self._waiting if each), None)
        if waiting is None:
            return False
        key = next(iter(waiting))
        del waiting[key]
        try:
            self._look(key)
        except Exception as err:  # noqa: BLE001 - told, and tried again
            self._again(key, err)
        else:
            self._failures.pop(key, None)
        return True

    def _look(self, key: Key) -> None:
        obj = self.world.get(*key)
        if key.table != "pods":
            act = _RECONCILE.get(key.table)
            if act is not None:
                act(self.world, key, obj)
        elif obj is None:
            self._kubelet.forget(key)
        elif obj["spec"].get("nodeName"):
            self._kubelet.reconcile(key, obj)
        else:
            scheduler.reconcile(self.world, key, obj)

    def _again(self, key: Key, err: Exception) -> None:
        """Look again later: what a server refuses today it may take tomorrow."""
        count = self._failures[key] = self._failures.get(key, 0) + 1
        if not isinstance(err, Failure):
            log.error("the simulation could not look after %s", "/".join(key), exc_info=err)
        self.after(min(_FIRST * 2 ** min(count - 1, 10), _MOST), key)
