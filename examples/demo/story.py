"""What happens in `k8srt demo`: chapters, each of which does something and waits until the cluster has followed.

| chapter | you | the controller |
| --- | --- | --- |
| three Foos | apply them | creates a Deployment for each |
| more of one | scale a Foo | scales its Deployment |
| by hand | delete a Deployment | creates it again |
| a name is taken | ask for a Deployment that somebody else has | refuses, until the name is free |
| one less | delete a Foo | nothing: garbage collection takes the Deployment |
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

from k8srt.api.apps.v1 import Deployment
from k8srt.apimachinery.meta import ObjectMeta
from k8srt.util.clock import SYSTEM, Clock

from ..sample_controller.deployment import deployment_for
from ..sample_controller.foo.api.v1alpha1 import Foo, FooSpec
from ..sample_controller.foo.client import Clientset
from .audience import Audience, counted
from .narrator import YOU, Narrator

PATIENCE = 15.0  # seconds in which a cluster that works on Deployments at all has begun to
MANAGER = "k8srt-demo"
FOREIGN = "legacy"  # a Deployment that isn't any Foo's

Row = tuple[str, float]


class Story:
    """Plays the part of the person who uses the cluster. `limit` is how many seconds each step may take."""

    def __init__(
        self,
        cs: Clientset,
        namespace: str,
        audience: Audience,
        narrator: Narrator,
        *,
        duration: float,
        limit: float,
        clock: Clock = SYSTEM,
    ) -> None:
        self.steps: list[Row] = []
        self._foos = cs.samplecontroller_v1alpha1.foos(namespace)
        self._deployments = cs.apps_v1.deployments(namespace)
        self._namespace = namespace
        self._audience = audience
        self._narrator = narrator
        self._duration = duration
        self._limit = limit
        self._clock = clock
        self._said: dict[str, int] = {}  # how often a Foo was called Synced before this chapter

    def play(self) -> None:
        """Play all chapters, spread over the duration. Raises NotReconciled when the cluster doesn't follow."""
        chapters = (self._three_foos, self._more_of_one, self._by_hand, self._a_name_is_taken, self._one_less)
        for number, chapter in enumerate(chapters):
            self._pause_until(self._duration * number / len(chapters))
            chapter()
        self._pause_until(self._duration)
        self._everything_is_reconciled()

    # ---- chapters -------------------------------------------------------------------------------------------------

    def _three_foos(self) -> None:
        with self._chapter("Three Foos are applied"):
            for name, replicas in (("apple", 2), ("pear", 3), ("plum", 1)):
                self._apply(name, name, replicas)
            self._wait(self._somebody_cares, "apple", "isn't reconciled", at_most=PATIENCE)
            for name in ("apple", "pear", "plum"):
                self._wait_reconciled(name)

    def _more_of_one(self) -> None:
        with self._chapter("One is scaled"):
            self._narrator.say(YOU, "scale Foo apple from 2 to 4 replicas")
            self._foos.patch("apple", {"spec": {"replicas": 4}}, patch_type="merge")
            self._wait_reconciled("apple")

    def _by_hand(self) -> None:
        with self._chapter("A Deployment is deleted by hand"):
            self._narrator.say(YOU, "delete Deployment pear, which Foo pear owns")
            self._deployments.delete("pear")
            self._wait_reconciled("pear")

    def _a_name_is_taken(self) -> None:
        with self._chapter("The name of a Deployment is taken"):
            self._narrator.say(YOU, f"create a Deployment {FOREIGN}, which no Foo owns")
            self._deployments.create(self._foreign_deployment())
            self._apply("quince", FOREIGN, 2)
            self._wait(lambda: self._audience.events("quince")["ErrResourceExists"] > 0, "quince", "isn't refused")
            self._narrator.say(YOU, f"delete Deployment {FOREIGN}")
            self._deployments.delete(FOREIGN)
            self._wait_reconciled("quince")

    def _one_less(self) -> None:
        with self._chapter("A Foo is deleted"):
            self._narrator.say(YOU, "delete Foo plum")
            self._foos.delete("plum")
            self._wait(self._plum_is_gone, "plum", "is deleted, but its Deployment isn't")

    def _plum_is_gone(self) -> bool:
        return self._audience.foo("plum") is None and self._audience.deployment("plum") is None

    # ---- steps ----------------------------------------------------------------------------------------------------

    @contextmanager
    def _chapter(self, title: str) -> Iterator[None]:
        self._narrator.chapter(title)
        names = [foo.metadata.name for foo in self._audience.foos()]
        self._said = {name: self._audience.events(name)["Synced"] for name in names}
        began = self._clock.now()
        yield
        self.steps.append((title, self._clock.now() - began))

    def _apply(self, name: str, deployment: str, replicas: int) -> None:
        self._narrator.say(YOU, f"apply Foo {name}: {counted(replicas)} in Deployment {deployment}")
        foo = Foo(metadata=ObjectMeta(name=name), spec=FooSpec(deployment_name=deployment, replicas=replicas))
        self._foos.apply(foo, field_manager=MANAGER)

    def _wait_reconciled(self, name: str) -> None:
        """Wait until it's so and the controller has said so, in this chapter."""
        said = self._said.get(name, 0)
        self._wait(
            lambda: self._audience.reconciled(name) and self._audience.events(name)["Synced"] > said,
            name,
            "isn't reconciled",
        )

    def _wait(self, done: Callable[[], bool], name: str, problem: str, at_most: float = math.inf) -> None:
        self._audience.wait(done, lambda: f"Foo {name} {problem}: {self._state(name)}", min(self._limit, at_most))

    def _somebody_cares(self) -> bool:
        """Whether this cluster has a controller that works on Deployments."""
        deployment = self._audience.deployment("apple")
        return deployment is not None and bool(deployment.status.observed_generation)

    def _everything_is_reconciled(self) -> None:
        for foo in self._audience.foos():
            name = foo.metadata.name
            self._wait(partial(self._audience.reconciled, name), name, "isn't reconciled any more")

    def _state(self, name: str) -> str:
        """What is so, for people who wonder why it isn't what they waited for."""
        foo = self._audience.foo(name)
        if foo is None:
            return "it isn't there"
        deployment = self._audience.deployment(foo.spec.deployment_name)
        if deployment is None:
            return f"Deployment {foo.spec.deployment_name} isn't there"
        if not deployment.status.observed_generation:
            return "no controller of this cluster works on Deployments; try --stand-ins on"
        available = deployment.status.available_replicas or 0
        return f"{available} of {foo.spec.replicas} replicas of Deployment {foo.spec.deployment_name} are available"

    def _foreign_deployment(self) -> Deployment:
        foreign = deployment_for(Foo(metadata=ObjectMeta(), spec=FooSpec(deployment_name=FOREIGN, replicas=1)))
        del foreign.metadata.owner_references[:]
        return foreign

    def _pause_until(self, moment: float) -> None:
        rest = moment - self._narrator.elapsed()
        if rest > 0:
            self._clock.wait_event(threading.Event(), rest)  # which nobody sets
