"""How a client of a manager calls: what holds for every call unless the call says otherwise.

    dry_run(client).create(foo)                         # checked by the server, and not kept
    with_field_owner(client, "foo-controller")
    with_field_validation(client, "Strict")
    namespaced(client, "shop").get(Foo, "web")

Contract: CRC-04, CRC-05.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, get_args

from k8srt.apimachinery.schema import GroupVersionKind
from k8srt.util.threads import Stop

if TYPE_CHECKING:
    from k8srt.controller.client.client import Client

FieldValidation = Literal["Ignore", "Warn", "Strict"]


def allowed() -> None:
    """Leave to write, for all who need none."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What holds for every call. `live`: kinds that are read from the server."""

    field_manager: str = ""
    field_validation: str = ""
    dry_run: bool = False
    namespace: str = ""
    stop: Stop | None = None
    may_write: Callable[[], object] = allowed
    live: frozenset[GroupVersionKind] = frozenset()
    cache_unstructured: bool = False

    def __post_init__(self) -> None:
        if self.field_validation and self.field_validation not in get_args(FieldValidation):
            raise ValueError(f"field_validation: must be Ignore, Warn or Strict, not {self.field_validation!r}")

    def reading(self, options: dict[str, Any]) -> dict[str, Any]:
        """The options of a read."""
        return {"stop": self.stop, **options} if self.stop is not None else options

    def deleting(self, options: dict[str, Any]) -> dict[str, Any]:
        """The options of a deletion."""
        return self.reading({"dry_run": True, **options} if self.dry_run else options)

    def applying(self, options: dict[str, Any]) -> dict[str, Any]:
        """The options of an apply, which the server checks strictly anyway."""
        own = {"field_manager": self.field_manager} if self.field_manager else {}
        return self.deleting({**own, **options})

    def writing(self, options: dict[str, Any]) -> dict[str, Any]:
        """The options of every other write."""
        own = {"field_validation": self.field_validation} if self.field_validation else {}
        return self.applying({**own, **options})

    def namespace_of(self, given: str, what: object) -> str:
        """The namespace to use where `given` was said. Raises ValueError for another than the client's own."""
        if self.namespace and given and given != self.namespace:
            raise ValueError(f"{what} is in namespace {given!r}, and the client is for {self.namespace!r} only")
        return given or self.namespace


def dry_run(client: Client) -> Client:
    """The same client, of which nothing that it writes is kept."""
    return client.with_settings(dry_run=True)


def with_field_owner(client: Client, name: str) -> Client:
    """The same client under another name."""
    return client.with_settings(field_manager=name)


def with_field_validation(client: Client, mode: FieldValidation) -> Client:
    """The same client, which has the server ignore unknown fields, warn of them or refuse them."""
    return client.with_settings(field_validation=mode)


def namespaced(client: Client, namespace: str) -> Client:
    """The same client for one namespace: it is filled in for namespaced kinds, and no other may be named."""
    return client.with_settings(namespace=namespace)
