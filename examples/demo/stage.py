"""Where the story plays: a cluster with the CRD in it, a namespace, the controller, stand-ins where they are needed.

Everything is a context manager: what was started is stopped, and what was made in somebody's cluster is removed, in
the opposite order, however the story ends.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from typing import TextIO

from k8srt.api.apiextensions.v1 import CustomResourceDefinition
from k8srt.api.core.v1 import Namespace
from k8srt.apimachinery.meta import ObjectMeta
from k8srt.errors import AlreadyExists, K8srtError, NotFound
from k8srt.rest import Config

from ..sample_controller import main as controller
from ..sample_controller.foo.api.v1alpha1 import Foo
from ..sample_controller.foo.client import Clientset
from ..stand_ins.cluster import StandIns
from .audience import Audience
from .narrator import CLUSTER, CONTROLLER, YOU, Narrator, wants_colour
from .story import Story

WORKERS = 2


@dataclass(frozen=True, slots=True)
class Plan:
    """What was asked for. Without a `config` the cluster is an API server in this process; times are seconds."""

    config: Config | None = None
    stand_ins: bool = True
    duration: float = 8.0
    limit: float = 60.0


def perform(plan: Plan, out: TextIO) -> None:
    """Play the whole story. Raises NotReconciled, or what kept the cluster from being used."""
    narrator = Narrator(out, colour=wants_colour(out))
    with ExitStack() as stack:
        narrator.chapter("A cluster, and a controller in it")
        config = stack.enter_context(_cluster(plan.config, narrator))
        cs = stack.enter_context(Clientset(config))
        stack.enter_context(_foos_served(cs, narrator, remove=plan.config is not None))
        namespace = "default" if plan.config is None else stack.enter_context(_namespace(cs, narrator))
        if plan.stand_ins:
            # Everybody has connections and a rate limit of their own, as if they were programs of their own.
            stack.enter_context(StandIns(stack.enter_context(Clientset(config)), namespace, owners=[Foo]))
            narrator.say(CLUSTER, "stand-ins for the deployment controller, the kubelet and garbage collection run")
        own = stack.enter_context(Clientset(config))
        stack.enter_context(controller.running(own, namespace=namespace, workers=WORKERS))
        narrator.say(CONTROLLER, f"runs: its informers have synced, {WORKERS} workers wait")
        audience = stack.enter_context(Audience(cs, namespace, narrator))
        story = Story(cs, namespace, audience, narrator, duration=plan.duration, limit=plan.limit)
        if plan.config is not None:
            stack.callback(narrator.chapter, "What was made is removed")
        story.play()
        foos = audience.foos()
        _sum_up(foos, story, audience, narrator)
    narrator.end(f"All {len(foos)} Foos were reconciled, in {narrator.elapsed():.1f} s.")


@contextmanager
def _cluster(config: Config | None, narrator: Narrator) -> Iterator[Config]:
    """How to reach the cluster that was given, or one that lives as long as the block."""
    if config is not None:
        narrator.say(YOU, f"use the cluster at {config.base_url()}")
        yield _unhurried(config, qps=50.0, burst=100)
        return
    from k8srt.testing import APIServer

    with APIServer() as server:
        narrator.say(CLUSTER, f"an API server listens at {server.url}, in this process, and is empty")
        yield _unhurried(server.config, qps=-1.0)


def _unhurried(config: Config, *, qps: float, burst: int = 0) -> Config:
    """The config with another client-side rate limit: the default of 5 requests a second would be all one saw."""
    config = config.copy()
    config.qps, config.burst = qps, burst
    return config


@contextmanager
def _foos_served(cs: Clientset, narrator: Narrator, *, remove: bool) -> Iterator[None]:
    """Install the CRD and wait until Foos are served. With `remove` it goes again, if it wasn't there before."""
    definitions = cs.apiextensions_v1.custom_resource_definitions()
    wanted = CustomResourceDefinition.from_yaml(controller.crd())
    name = wanted.metadata.name
    try:
        found = definitions.create(wanted)
        narrator.say(YOU, f"install the CRD {name}")
    except AlreadyExists:
        found, remove = definitions.get(name), False
        narrator.say(YOU, f"use the CRD {name} that is there")
    try:
        _wait_established(cs, found)
        narrator.say(CLUSTER, f"serves {wanted.spec.names.plural}.{wanted.spec.group}")
        yield
    finally:
        if remove:
            with suppress(NotFound):
                definitions.delete(name)
            narrator.say(YOU, f"remove the CRD {name}")


def _wait_established(cs: Clientset, definition: CustomResourceDefinition, timeout: int = 30) -> None:
    if _is_established(definition):
        return
    meta = definition.metadata
    changes = cs.apiextensions_v1.custom_resource_definitions().watch(
        field_selector=f"metadata.name={meta.name}", resource_version=meta.resource_version, timeout_seconds=timeout
    )
    with changes as events:
        if not any(_is_established(event.object) for event in events):
            raise K8srtError(f"the CRD {meta.name} isn't established after {timeout} s")


def _is_established(definition: CustomResourceDefinition) -> bool:
    conditions = definition.status.conditions or []
    return any(condition.type == "Established" and condition.status == "True" for condition in conditions)


@contextmanager
def _namespace(cs: Clientset, narrator: Narrator) -> Iterator[str]:
    """A namespace of the story's own in somebody's cluster; it goes with all that is in it."""
    made = cs.core_v1.namespaces().create(Namespace(metadata=ObjectMeta(generate_name="k8srt-demo-")))
    name = made.metadata.name
    narrator.say(YOU, f"work in a namespace of your own, {name}")
    try:
        yield name
    finally:
        with suppress(NotFound):
            cs.core_v1.namespaces().delete(name)
        narrator.say(YOU, f"remove the namespace {name} and all that is in it")


def _sum_up(foos: list[Foo], story: Story, audience: Audience, narrator: Narrator) -> None:
    head = ("FOO", "DEPLOYMENT", "WANTED", "AVAILABLE", "EVENTS")
    narrator.table(head, [_row(foo, audience.events(foo.metadata.name)) for foo in foos])
    narrator.table(("STEP", "SECONDS"), [(title, Seconds(took)) for title, took in story.steps])


def _row(foo: Foo, events: dict[str, int]) -> tuple[object, ...]:
    told = (reason if count == 1 else f"{reason} ×{count}" for reason, count in sorted(events.items()))
    return (
        foo.metadata.name,
        foo.spec.deployment_name,
        foo.spec.replicas,
        foo.status.available_replicas,
        ", ".join(told),
    )


class Seconds(float):
    """Prints as the lines of the story do."""

    def __str__(self) -> str:
        return f"{self:.2f}"
