"""Watches what happens in one namespace and has it told: Foos, their Deployments, and the Events about them.

It learns everything as anybody could, by watching the server; it shares nothing with the controller but that. So what
is told has happened, and what the story waits for is what the server says.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

from k8srt.api.apps.v1 import Deployment
from k8srt.api.core.v1 import Event
from k8srt.apimachinery.owners import controller_of, is_controlled_by
from k8srt.errors import K8srtError, NotFound
from k8srt.tools.cache import DeletedFinalStateUnknown
from k8srt.util.clock import SYSTEM, Clock

from ..sample_controller.foo.api.v1alpha1 import Foo
from ..sample_controller.foo.client import Clientset
from ..sample_controller.foo.informers import SharedInformerFactory
from .narrator import CLUSTER, CONTROLLER, Narrator


class NotReconciled(K8srtError):
    """Something that the story waits for didn't happen in time; the text says what, and what is so instead."""


class Audience:
    """Sees, remembers and has told. A context manager; `wait` for what should happen next. Thread-safe."""

    def __init__(self, cs: Clientset, namespace: str, narrator: Narrator, *, clock: Clock = SYSTEM) -> None:
        self._namespace = namespace
        self._narrator = narrator
        self._clock = clock
        self._changed = threading.Condition()  # guards _events; notified after every change
        self._events: Counter[tuple[str, str]] = Counter()  # (name of the Foo, reason) → how often
        self._client = cs.samplecontroller_v1alpha1.foos(namespace)
        self._factory = SharedInformerFactory(cs, namespace=namespace)
        self._deployments = self._factory.apps_v1.deployments
        self._foos = self._factory.samplecontroller_v1alpha1.foos
        self._listen()

    def _listen(self) -> None:
        self._foos.informer.add_event_handler(
            on_add=lambda foo: self._change(),
            on_update=lambda old, new: self._change(),
            on_delete=lambda obj: self._change(),
        )
        self._deployments.informer.add_event_handler(
            on_add=lambda deployment: self._change(),
            on_update=self._deployment_changed,
            on_delete=self._deployment_gone,
        )
        self._factory.core_v1.events.informer.add_event_handler(
            on_add=lambda event: self._event(event, event.count or 1),
            on_update=lambda old, new: self._event(new, (new.count or 1) - (old.count or 1)),
        )

    def __enter__(self) -> Self:
        self._factory.start()
        self._factory.wait_for_cache_sync(timeout=30.0).raise_for_error()
        return self

    def __exit__(self, kind: type[BaseException] | None, err: BaseException | None, tb: TracebackType | None) -> None:
        self._factory.shutdown()

    # ---- what is so -----------------------------------------------------------------------------------------------

    def foo(self, name: str) -> Foo | None:
        return self._foos.lister.find(name, self._namespace)

    def foos(self) -> list[Foo]:
        """All Foos, by name."""
        return sorted(self._foos.lister.list(), key=lambda foo: foo.metadata.name)

    def deployment(self, name: str) -> Deployment | None:
        return self._deployments.lister.find(name, self._namespace)

    def events(self, name: str) -> Counter[str]:
        """How often each reason was given in Events about a Foo."""
        with self._changed:
            return Counter({reason: count for (about, reason), count in self._events.items() if about == name})

    def reconciled(self, name: str) -> bool:
        """Whether a Foo has its Deployment, with all replicas available, and says so."""
        foo = self.foo(name)
        if foo is None:
            return False
        deployment = self.deployment(foo.spec.deployment_name)
        if deployment is None or not is_controlled_by(deployment, foo):
            return False
        counts = {foo.spec.replicas, deployment.spec.replicas}
        counts |= {foo.status.available_replicas, deployment.status.available_replicas}
        return len(counts) == 1

    def wait(self, done: Callable[[], bool], what: Callable[[], str], timeout: float) -> None:
        """Wait until `done`. Raises NotReconciled with the text of `what` after `timeout` seconds, OSError when
        nobody listens to the story any more."""
        deadline = self._clock.now() + timeout
        with self._changed:
            while not done():
                self._narrator.check()
                if self._clock.now() >= deadline:
                    raise NotReconciled(f"{what()} after {timeout:g} s")
                self._clock.wait(self._changed, deadline)

    # ---- what happens ---------------------------------------------------------------------------------------------

    def _change(self) -> None:
        with self._changed:
            self._changed.notify_all()

    def _event(self, event: Event, more: int) -> None:
        about = event.involved_object
        if about.kind != Foo.__name__ or more <= 0:
            return
        self._narrator.say(CONTROLLER, f"{about.name}: {event.message}", bad=event.type == "Warning")
        with self._changed:
            self._events[about.name, event.reason] += more
            self._changed.notify_all()

    def _deployment_changed(self, old: Deployment, new: Deployment) -> None:
        before, now = old.status.available_replicas or 0, new.status.available_replicas or 0
        if before != now:
            self._narrator.say(CLUSTER, f"{new.metadata.name}: {now} of {new.spec.replicas} replicas ready")
        self._change()

    def _deployment_gone(self, obj: Deployment | DeletedFinalStateUnknown[Deployment]) -> None:
        deployment = _last_known(obj)
        why = ", with the Foo that owned it" if self._is_orphan(deployment) else ""
        self._narrator.say(CLUSTER, f"Deployment {deployment.metadata.name} is gone{why}")
        self._change()

    def _is_orphan(self, deployment: Deployment) -> bool:
        """Whether the Foo that owned it is gone. The server knows; our cache of Foos may not have heard yet."""
        owner = controller_of(deployment)
        if owner is None:
            return False
        try:
            return self._client.get(owner.name).metadata.uid != owner.uid
        except NotFound:
            return True


def counted(replicas: int) -> str:
    return "1 replica" if replicas == 1 else f"{replicas} replicas"


def _last_known(obj: Any) -> Any:
    return obj.obj if isinstance(obj, DeletedFinalStateUnknown) else obj
