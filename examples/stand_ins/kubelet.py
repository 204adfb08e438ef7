"""Pods → running Pods: every Pod starts after a moment and is ready; one that is deleted ends after a moment."""

from __future__ import annotations

import itertools

from k8srt.api.core.v1 import (
    Container,
    ContainerState,
    ContainerStateRunning,
    ContainerStatus,
    Pod,
    PodCondition,
    PodIP,
    PodStatus,
)
from k8srt.errors import NotFound
from k8srt.kubernetes import Clientset
from k8srt.tools.cache import split_meta_namespace_key
from k8srt.util.clock import SYSTEM, Clock

CONDITIONS = ("PodScheduled", "Initialized", "ContainersReady", "Ready")


class Kubelet:
    """All the nodes of a cluster. `start_delay` and `stop_delay` are seconds: what pulling an image would take."""

    def __init__(
        self, cs: Clientset, *, start_delay: float = 0.5, stop_delay: float = 0.2, clock: Clock = SYSTEM
    ) -> None:
        self._cs = cs
        self._start_delay = start_delay
        self._stop_delay = stop_delay
        self._clock = clock
        self._due: dict[tuple[str, str], float] = {}  # (uid, what) → when
        self._addresses = itertools.count(2)

    def reconcile(self, key: str) -> float | None:
        """Start what is new, end what is deleted, each when it is due. One thread only."""
        namespace, name = split_meta_namespace_key(key)
        pods = self._cs.core_v1.pods(namespace)
        try:
            pod = pods.get(name)
        except NotFound:
            return None
        if pod.metadata.deletion_timestamp:
            if (rest := self._wait(pod, "stop", self._stop_delay)) > 0:
                return rest
            pods.delete(name, grace_period_seconds=0, preconditions={"uid": pod.metadata.uid})
        elif pod.status.phase in (None, "", "Pending"):
            if (rest := self._wait(pod, "start", self._start_delay)) > 0:
                return rest
            pod.status = self._running(pod)
            pods.update_status(pod)
        self._forget(pod)
        return None

    def _wait(self, pod: Pod, what: str, delay: float) -> float:
        """Seconds that are left of `delay`, which begins when this is first asked."""
        now = self._clock.now()
        return self._due.setdefault((pod.metadata.uid, what), now + delay) - now

    def _forget(self, pod: Pod) -> None:
        for what in ("start", "stop"):
            self._due.pop((pod.metadata.uid, what), None)

    def _running(self, pod: Pod) -> PodStatus:
        now = self._clock.time()
        number = next(self._addresses)
        address = f"10.244.{number // 250 % 250}.{number % 250 + 2}"
        status = pod.status
        status.phase = "Running"
        status.host_ip, status.pod_ip, status.pod_ips = "192.168.0.10", address, [PodIP(ip=address)]
        status.start_time = now
        status.conditions = [PodCondition(type=kind, status="True", last_transition_time=now) for kind in CONDITIONS]
        running = ContainerState(running=ContainerStateRunning(started_at=now))
        status.container_statuses = [_running_container(container, running) for container in pod.spec.containers]
        return status


def _running_container(container: Container, state: ContainerState) -> ContainerStatus:
    return ContainerStatus(
        name=container.name,
        image=container.image,
        image_id=f"docker.io/library/{container.image}",
        container_id=f"stand-in://{container.name}",
        ready=True,
        started=True,
        restart_count=0,
        state=state,
    )
