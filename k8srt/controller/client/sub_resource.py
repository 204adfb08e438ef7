"""What lies below an object, by the client of a manager: `client.sub_resource("scale")`, `client.status()`.

    foo.status.ready = True
    client.status().update(foo)                       # foo now holds what the server has answered
    client.sub_resource("eviction").create(pod, Eviction(...))

Contract: CRC-02, CRC-06.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar, cast

from k8srt.apimachinery.object import Object
from k8srt.apimachinery.unstructured import Unstructured
from k8srt.controller.cache.overlay import moment
from k8srt.controller.client.patches import PatchFrom
from k8srt.controller.kinds import MetadataOnly, kind_of
from k8srt.dynamic.client import DynamicClient, DynamicResourceClient
from k8srt.gentype.options import PatchType

if TYPE_CHECKING:
    from k8srt.controller.client.client import Client

T = TypeVar("T", bound=Object)
B = TypeVar("B", bound=Object)


class SubResourceClient:
    """See the module. Thread-safe. After a write what was given, the body if there is one, holds the answer."""

    def __init__(self, client: Client, name: str) -> None:
        if not name:
            raise ValueError("a subresource has a name")
        self._client = client
        self._name = name

    def get(self, obj: Object, body: type[B] | None = None, **options: Any) -> Any:
        """What lies below an object now, by the server: of the class `body`, or `Unstructured`. Raises NotFound."""
        kind = kind_of(obj)
        if isinstance(kind, MetadataOnly):
            raise ValueError(f"the {self._name} of {obj!r} cannot be read with metadata only: use the whole kind")
        resource = self._client.resource_of(kind, obj.metadata.namespace or "")
        found = resource.get(obj.metadata.name or "", subresource=self._name, **self._client.read_options(options))
        return found if body is None else body.from_record(found.to_record())

    def create(self, obj: Object, body: B, **options: Any) -> B:
        """Make what lies below an object: a token, an eviction, a binding. Raises what the server refuses it with."""
        named = body.copy()
        named.metadata.name = obj.metadata.name
        if obj.metadata.namespace:
            named.metadata.namespace = obj.metadata.namespace
        resource = self._dynamic(obj)
        answer = resource.create(named, subresource=self._name, **self._client.write_options(options))
        return _hold(body, answer)

    def update(self, obj: T, body: Object | None = None, **options: Any) -> Any:
        """Replace what lies below an object: with `body`, or with what the object says. Raises Conflict."""
        sent = obj if body is None else body
        options = self._client.write_options(options)
        since = moment()
        answer = self._dynamic(obj).update(self._named(sent, obj), subresource=self._name, **options)
        return self._held(obj, body, answer, options, since)

    def patch(
        self, obj: T, patch: Any, *, patch_type: PatchType | None = None, body: Object | None = None, **options: Any
    ) -> Any:
        """Patch what lies below an object; with `merge_from(base)` by what differs between `base` and the object, or
        `body`."""
        kind: str | None = patch_type
        if isinstance(patch, PatchFrom):
            source = patch
            patch, kind = source.data(obj if body is None else body), source.patch_type
            if not patch and source.skip_empty:
                return obj if body is None else body
        elif patch_type is None:
            raise ValueError("patch: the patch_type must be said")
        options = self._client.write_options(options)
        since = moment()
        answer = self._dynamic(obj).patch(
            obj.metadata.name or "",
            patch,
            patch_type=kind,  # type: ignore[arg-type]
            subresource=self._name,
            **options,
        )
        return self._held(obj, body, answer, options, since)

    def apply(self, obj: T, *, force: bool = True, field_manager: str = "", **options: Any) -> T:
        """Server-side apply to what lies below an object."""
        options = self._client.write_options({**options, **({"field_manager": field_manager} if field_manager else {})})
        options.pop("field_validation", None)
        since = moment()
        answer = self._dynamic(obj).apply(obj, force=force, subresource=self._name, **options)
        return cast("T", self._held(obj, None, answer, options, since))

    def _dynamic(self, obj: Object) -> DynamicResourceClient:
        self._client.check_may_write()
        namespace = self._client.namespace_for(obj)
        gvr = self._client.form(kind_of(obj)).info.gvr
        return DynamicClient.over(self._client.rest_client).resource(gvr, namespace)

    def _named(self, sent: Object, obj: Object) -> Object:
        if sent is obj:
            return Unstructured.from_record(obj.to_record())
        named = sent.copy()
        named.metadata.name = named.metadata.name or obj.metadata.name
        return named

    def _held(self, obj: Any, body: Any, answer: Unstructured, options: dict[str, Any], since: int) -> Any:
        if answer.gvk == obj.gvk:  # status, resize and such speak the kind itself
            self._client.tell_written(answer, obj.gvk, options, since)
            obj.become(self._client.form(kind_of(obj)).make(answer.to_record()))
            return obj
        return _hold(body, answer) if body is not None else answer

    def __repr__(self) -> str:
        return f"<SubResourceClient of {self._name} by {self._client!r}>"


def _hold(target: B, answer: Object) -> B:
    if answer.kind != "Status" or target.kind == "Status":
        target.become(type(target).from_record(answer.to_record()))
    return target
