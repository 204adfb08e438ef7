"""What every handler works with: storage, registry, clock, and the few facts about one running server."""

from __future__ import annotations

import random
import threading
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from k8srt.apimachinery.names import random_suffix
from k8srt.apimachinery.wire import format_time
from k8srt.testing.apiserver.customs import fitted, settle
from k8srt.testing.apiserver.failures import Failure, not_found
from k8srt.testing.apiserver.registry import Registry, Resource
from k8srt.testing.apiserver.storage import NoSuchKey, Storage, Stored
from k8srt.testing.apiserver.strategies.conversions import convert
from k8srt.testing.apiserver.webhooks.calls import WebhookCalls
from k8srt.testing.apiserver.webhooks.conversion import VERSION, Conversions, needs_webhook
from k8srt.util.clock import SYSTEM, Clock

JSON = dict[str, Any]


@dataclass
class Cluster:
    """The state of one server. `rng` makes generated names and addresses; its use is locked here."""

    storage: Storage
    registry: Registry
    clock: Clock = SYSTEM
    rng: random.Random = field(default_factory=random.Random)
    default_service_accounts: bool = True
    # Creates a core object on the server's own behalf: resource, namespace, document. Set by `bootstrap.connect`.
    make: Callable[[str, str, JSON], Any] = lambda plural, namespace, raw: None
    # Who may do what, who is who, and the tokens of service accounts; set by the dispatcher.
    authorizer: Any = None
    authenticator: Any = None
    accounts: Any = None
    # The certificate by which clients know this server, in PEM; empty where there is no TLS.
    authority: bytes = b""
    # Serves custom resource definitions; set by the server.
    definitions: Any = None
    # Calls webhooks, and remembers what they made of objects.
    calls: WebhookCalls = field(default_factory=WebhookCalls)
    conversions: Conversions = field(default_factory=Conversions)

    def __post_init__(self) -> None:
        self._lock = threading.Lock()  # guards the rng

    # ---- facts that writes need

    def now(self) -> str:
        """The present moment, as written in objects."""
        return format_time(self.clock.time())

    def new_uid(self) -> str:
        with self._lock:
            return str(uuid.UUID(int=self.rng.getrandbits(128), version=4))

    def suffix(self, length: int = 5) -> str:
        """The random end of a generated name."""
        with self._lock:
            return random_suffix(length, self.rng)

    def random_below(self, limit: int) -> int:
        with self._lock:
            return self.rng.randrange(limit)

    # ---- objects in the form of a version

    def get(self, resource: Resource, namespace: str, name: str) -> Stored:
        """Raises Failure(404)."""
        try:
            return self.storage.get(resource.table, namespace, name)
        except NoSuchKey:
            raise self.missing(resource, name) from None

    def find(self, table: str, namespace: str, name: str) -> JSON | None:
        """An object as stored, or None; for admission and controllers."""
        try:
            return self.storage.get(table, namespace, name).decode()
        except NoSuchKey:
            return None

    @staticmethod
    def missing(resource: Resource, name: str) -> Failure:
        return not_found(resource.group, resource.plural, name)

    def document(self, resource: Resource, stored: Stored) -> JSON:
        """The stored object in the version of `resource`, with kind and apiVersion; a private copy.

        Raises Failure(500) when a webhook would have to convert it, and does not.
        """
        if needs_webhook(resource, stored):
            obj = self.conversions.documents(self, resource, [stored])[0]
            settle(resource, obj)
            return obj
        obj = stored.decode()
        if not resource.stored_here or resource.table == "events":
            obj = convert(resource.table, obj, resource.api_version)
        if _outdated(resource, stored):
            obj = self._refitted(resource, obj)
        return {"kind": resource.kind, "apiVersion": resource.api_version, **obj}

    def _refitted(self, resource: Resource, obj: JSON) -> JSON:
        """A stored custom object as it is read now: by the schema it is stored under, and then by that of the version.

        Only the former fills in defaults.
        """
        origin = self._storage_row(resource)
        obj = fitted(origin, obj)
        settle(origin, obj)
        return obj if origin is resource else fitted(resource, obj)

    def _storage_row(self, resource: Resource) -> Resource:
        """The row of the version that objects are stored in; the given one when that is not served, or a webhook
        has converted to it."""
        if resource.stored_here or resource.custom is None or resource.custom.conversion is not None:
            return resource
        return self.registry.find(resource.group, resource.storage_version, resource.plural) or resource

    def body(self, resource: Resource, stored: Stored) -> bytes:
        """The stored object as bytes, without kind and apiVersion."""
        if resource.stored_here and resource.table != "events" and not _outdated(resource, stored):
            return stored.body
        obj = self.document(resource, stored)
        del obj["kind"], obj["apiVersion"]
        return msgspec.json.encode(obj)

    def whole(self, resource: Resource, stored: Stored) -> bytes:
        """The stored object as bytes, with kind and apiVersion."""
        return resource.prefix + self.body(resource, stored)[1:]

    def foresee(self, resource: Resource, items: Sequence[Stored]) -> None:
        """Convert in one call what is about to be shown, where a webhook converts. Raises Failure(500)."""
        wanted = [stored for stored in items if needs_webhook(resource, stored)]
        if wanted:
            self.conversions.documents(self, resource, wanted)

    def converted(self, obj: JSON, source: Resource, target: Resource) -> JSON:
        """An object in the version of another row of the same resource. Raises Failure(500)."""
        if source.version == target.version and source.group == target.group:
            return obj
        if target.custom is not None and target.custom.conversion is not None:
            made = self.conversions.convert(self, target, [obj])[0]
            settle(target, made)
            return made
        bare = self.to_stored(source, obj)
        if not target.stored_here or target.table == "events":
            bare = convert(target.table, bare, target.api_version)
        if target.custom is not None:
            bare = fitted(target, bare)
        return {"kind": target.kind, "apiVersion": target.api_version, **bare}

    def to_stored(self, resource: Resource, obj: JSON) -> JSON:
        """The stored form of an object in the version of `resource`. Raises Failure(500) as `document` does."""
        if resource.custom is not None and resource.custom.conversion is not None and not resource.stored_here:
            obj = self.conversions.convert(self, resource, [obj], resource.storage_version)[0]
            return {name: part for name, part in obj.items() if name not in ("kind", "apiVersion")}
        bare = {name: part for name, part in obj.items() if name not in ("kind", "apiVersion")}
        if resource.stored_here and resource.table != "events":
            return bare
        if resource.custom is not None:
            origin = self._storage_row(resource)
            bare = fitted(origin, bare)
            settle(origin, bare)  # as each reader would find it
            return bare
        return convert(resource.table, bare, "", source=resource.api_version)

    def fields_of(self, resource: Resource) -> Callable[[JSON], dict[str, str]]:
        """The function that takes the selectable fields out of a stored object."""
        if resource.custom is not None:
            version = {VERSION: resource.storage_version} if resource.custom.conversion is not None else {}
            return lambda obj: {**_custom_fields(resource, obj), **version}
        return lambda obj: dict(resource.strategy.fields(obj))


def _outdated(resource: Resource, stored: Stored) -> bool:
    """Whether a custom object was stored under another schema than the one it is shown under."""
    custom = resource.custom
    return custom is not None and (not resource.stored_here or stored.revision < custom.since)


def _custom_fields(resource: Resource, obj: JSON) -> dict[str, str]:
    found: dict[str, str] = {}
    assert resource.custom is not None
    for path in resource.custom.selectable:
        value: Any = obj
        for part in path.strip(".").split("."):
            value = value.get(part) if isinstance(value, dict) else None
        if isinstance(value, bool):
            value = "true" if value else "false"
        found[path.strip(".")] = "" if value is None else str(value)
    return found
