"""A generated package as users write with it. Checked by mypy, never run."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal, assert_type

from crds_gen.api.build.v1 import Blueprint, BlueprintSpecGrid
from crds_gen.api.fleet.v1 import (
    Fleet,
    FleetSpec,
    FleetSpecLeader,
    FleetSpecLeaderTemplateContainer,
    Voyage,
    VoyageSpecCrew,
)
from crds_gen.api.free.v1 import Anything, Settings
from crds_gen.api.net import v1, v1beta1
from crds_gen.client import Clientset
from crds_gen.informers import SharedInformerFactory
from crds_gen.listers.fleet.v1 import FleetLister

from k8srt.api.core.v1 import Pod
from k8srt.apimachinery.meta import Condition, LabelSelector, ObjectMeta
from k8srt.apimachinery.unstructured import Unstructured
from k8srt.gentype.shapes import StandardClient, StatusClient, WorkloadClient


def models(fleet: Fleet, voyage: Voyage, blueprint: Blueprint) -> None:
    container = fleet.spec.leader.template.containers[0]
    assert_type(container.name, str)
    assert_type(container.readiness_probe.http_get.port, int | str)
    assert_type(container.resources.limits, dict[str, str])
    assert_type(container.ports[0].protocol, Literal["TCP", "UDP"])
    assert_type(fleet.status.conditions, list[Condition])
    assert_type(fleet.spec.workers.template.selector, LabelSelector)
    container = voyage.spec.crew.init_containers[0]  # the same class, wherever it stands
    assert_type(blueprint.spec.base, Unstructured)
    assert_type(blueprint.spec.by_name, dict[str, Unstructured])
    assert_type(blueprint.spec.table, dict[str, dict[str, int]])
    assert_type(blueprint.spec.matrix, list[list[float]])
    assert_type(blueprint.spec.grid, list[list[BlueprintSpecGrid]])
    assert_type(blueprint.spec.due, datetime)
    assert_type(blueprint.spec.key, bytes)
    assert_type(blueprint.phase, Literal["Draft", "Final"])


def free(anything: Anything, settings: Settings) -> None:
    assert_type(anything.spec, Any)
    assert_type(settings.data, dict[str, Any])
    assert_type(settings.spec.raw, dict[str, Any])
    assert_type(settings.spec.sections[0].size, int)


def making() -> Fleet:
    FleetSpec(leader=3)  # type: ignore[arg-type]
    FleetSpec(leeder=FleetSpecLeader())  # type: ignore[call-arg]
    v1.RouteSpecBackend(kind="Pod")  # type: ignore[arg-type]
    return Fleet(
        metadata=ObjectMeta(name="a"),
        spec=FleetSpec(
            leader=FleetSpecLeader(template=VoyageSpecCrew(containers=[FleetSpecLeaderTemplateContainer(name="c")]))
        ),
    )


def clients(cs: Clientset) -> None:
    assert_type(cs.fleet_v1.fleets("web"), WorkloadClient[Fleet])
    assert_type(cs.fleet_v1.voyages("web"), StandardClient[Voyage])
    assert_type(cs.net_v1.routes("web"), StatusClient[v1.Route])
    assert_type(cs.net_v1beta1.routes("web").get("a"), v1beta1.Route)
    assert_type(cs.free_v1.settings().get("a"), Settings)
    cs.free_v1.settings("web")  # type: ignore[call-arg]
    assert_type(cs.core_v1.pods("web").get("a"), Pod)
    for event in cs.fleet_v1.fleets().watch():
        assert_type(event.object.spec, FleetSpec)


def informers(cs: Clientset) -> None:
    factory = SharedInformerFactory(cs)
    assert_type(factory.fleet_v1.fleets.lister.get("a", "web"), Fleet)
    assert_type(FleetLister(factory.fleet_v1.fleets.informer.indexer).list(), list[Fleet])


def parts(container: FleetSpecLeaderTemplateContainer) -> str:
    return container.image
