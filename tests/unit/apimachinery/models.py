"""A kind of the tests' own, with every shape a part can have."""

from __future__ import annotations

from k8srt.apimachinery.meta import ObjectMeta
from k8srt.apimachinery.model import IntOrString, MicroTime, QuantityText, Struct, Time, field, unset
from k8srt.apimachinery.object import Object
from k8srt.apimachinery.objectlist import ObjectList


class EmptyDir(Struct):
    medium: str = unset


class Volume(Struct):
    name: str = field(required=True)
    empty_dir: EmptyDir = unset


class Port(Struct):
    container_port: int = field(required=True)
    target: IntOrString = unset


class Container(Struct):
    name: str = field(required=True)
    args: list[str] = field(list_type="atomic")
    ports: list[Port] = field(patch="merge", patch_key="containerPort", list_type="map", keys=("containerPort",))
    limits: dict[str, QuantityText] = unset


class BoatSpec(Struct):
    containers: list[Container] = field(required=True, patch="merge", patch_key="name")
    host_ips: list[str] = field("hostIPs")
    from_: str = field("from")
    renewed: MicroTime = unset
    started: Time = unset
    stops: list[Time] = unset
    volumes: list[Volume] = unset


class BoatStatus(Struct):
    phase: str = unset


class Boat(Object, gvk="tests.example.com/v1/Boat", resource="boats", short_names="bt", subresources="status"):
    metadata: ObjectMeta = unset
    spec: BoatSpec = unset
    status: BoatStatus = unset
    data: dict[str, str] = unset
    rules: list[str] = field(required=True)


class BoatList(ObjectList[Boat], gvk="tests.example.com/v1/BoatList"):
    pass
