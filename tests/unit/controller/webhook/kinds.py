"""Kinds in several versions, of which some can be converted."""

from __future__ import annotations

from typing import Any

from k8srt.apimachinery.meta import ObjectMeta
from k8srt.apimachinery.model import Struct, field, unset
from k8srt.apimachinery.object import Object
from k8srt.controller.webhook import ConversionError


class TankSpecV1(Struct):
    size: int = field(required=True)
    unit: str = unset


class TankV1(Object, gvk="conv.test/v1/Tank", resource="tanks"):
    metadata: ObjectMeta = unset
    spec: TankSpecV1 = unset

    def hub(self) -> None: ...


class TankSpecV1beta1(Struct):
    volume: str = field(required=True)


class TankV1beta1(Object, gvk="conv.test/v1beta1/Tank", resource="tanks"):
    metadata: ObjectMeta = unset
    spec: TankSpecV1beta1 = unset

    def convert_to(self, hub: TankV1) -> None:
        size, _, unit = self.spec.volume.partition(" ")
        if not size.isdigit():
            raise ConversionError(f"volume: {size!r} is no number")
        hub.spec = TankSpecV1(size=int(size), unit=unit)

    def convert_from(self, hub: TankV1) -> None:
        self.spec = TankSpecV1beta1(volume=f"{hub.spec.size} {hub.spec.unit}")


class TankV1alpha1(Object, gvk="conv.test/v1alpha1/Tank", resource="tanks"):
    """Returns new objects, where the other spoke fills those given; and it loses the unit."""

    metadata: ObjectMeta = unset
    spec: TankSpecV1 = unset

    def convert_to(self, hub: TankV1) -> TankV1:
        return TankV1(spec=TankSpecV1(size=self.spec.size, unit="l"))

    def convert_from(self, hub: TankV1) -> TankV1alpha1:
        return TankV1alpha1(metadata=ObjectMeta(name="changed", uid="x"), spec=TankSpecV1(size=hub.spec.size))


class Lone(Object, gvk="conv.test/v1/Lone", resource="lones"):
    metadata: ObjectMeta = unset


class PartV1(Object, gvk="conv.test/v1/Part", resource="parts"):
    metadata: ObjectMeta = unset

    def hub(self) -> None: ...


class PartV2(Object, gvk="conv.test/v2/Part", resource="parts"):
    metadata: ObjectMeta = unset

    def convert_to(self, hub: Any) -> None: ...


class TwoV1(Object, gvk="conv.test/v1/Two", resource="twos"):
    metadata: ObjectMeta = unset

    def hub(self) -> None: ...


class TwoV2(Object, gvk="conv.test/v2/Two", resource="twos"):
    metadata: ObjectMeta = unset

    def hub(self) -> None: ...


class PlainV1(Object, gvk="conv.test/v1/Plain", resource="plains"):
    metadata: ObjectMeta = unset


class PlainV2(Object, gvk="conv.test/v2/Plain", resource="plains"):
    metadata: ObjectMeta = unset
