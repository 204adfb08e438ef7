"""A cluster with a simulation and a clock turned by hand, in the thread of the test."""

from __future__ import annotations

from typing import Any

from k8srt.testing.apiserver.controllers.simulation.loop import SimulationWorker
from k8srt.testing.apiserver.controllers.simulation.options import Simulation
from k8srt.testing.apiserver.prepared import PreparedCluster
from k8srt.testing.clock import FakeClock

JSON = dict[str, Any]
APPS, BATCH = "apps/v1", "batch/v1"


class Simulated:
    """What a test says to it: `create`, `change`, `delete`; `pass_time` turns the clock and lets everybody work."""

    def __init__(self, options: Simulation | None = None, seed: int = 1) -> None:
        self.clock = FakeClock()
        self.prepared = PreparedCluster(clock=self.clock, seed=seed, garbage_collection=True)
        self.worker = SimulationWorker(self.prepared.cluster, options or Simulation(), seed)
        self.world = self.worker.world
        self.worker.prepare()
        self.settle()

    def settle(self) -> None:
        busy = True
        while busy:
            self.prepared.settle()
            busy = self.worker.settle()

    def pass_time(self, seconds: float, step: float = 0.1) -> None:
        """Let time pass in small steps, as it does."""
        end = self.clock.now() + seconds
        self.settle()
        while self.clock.now() < end - 1e-9:
            self.clock.advance(min(step, end - self.clock.now()))
            self.settle()

    def create(
        self, table: str, name: str, namespace: str = "default", *, meta: JSON | None = None, **parts: Any
    ) -> JSON:
        made = self.world.create(table, namespace, {"metadata": {"name": name, **(meta or {})}, **parts}, "tests")
        self.settle()
        return made

    def get(self, table: str, name: str, namespace: str = "default") -> JSON:
        found = self.world.get(table, namespace, name)
        assert found is not None, f"no {name} in {table}"
        return found

    def change(self, table: str, name: str, change: Any, subresource: str = "") -> None:
        self.world.change(self.get(table, name), change, "tests", subresource)
        self.settle()

    def delete(self, table: str, name: str) -> None:
        self.world.delete(self.get(table, name), "tests")
        self.settle()

    def pods(self, namespace: str = "default") -> list[JSON]:
        return self.world.all("pods", namespace)

    def phases(self) -> list[str]:
        return sorted(pod["status"]["phase"] for pod in self.pods())

    def said(self, name: str) -> list[str]:
        """The reasons of events about an object, in the order they came."""
        found = [each for each in self.world.all("events") if each["involvedObject"]["name"] == name]
        found.sort(key=lambda each: int(each["metadata"]["resourceVersion"]))
        return [each["reason"] for each in found]


def template(labels: JSON | None = None, *, image: str = "app:1", notes: JSON | None = None, **spec: Any) -> JSON:
    meta: JSON = {"labels": labels or {"app": "web"}}
    if notes:
        meta["annotations"] = notes
    return {"metadata": meta, "spec": {"containers": [{"name": "app", "image": image}], **spec}}


def workload(replicas: int = 3, labels: JSON | None = None, **more: Any) -> JSON:
    """The spec of a deployment, a replica set or a stateful set."""
    chosen = labels or {"app": "web"}
    made = {"replicas": replicas, "selector": {"matchLabels": chosen}, "template": template(chosen)}
    return {**made, **more}
