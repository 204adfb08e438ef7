"""What can be done to pods: placing, evicting, and changing them while they run. Contract: CLI-07, CLI-08, CLI-10."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal, TypeVar, Unpack

from k8srt.apimachinery.object import Object
from k8srt.gentype import options as opts
from k8srt.gentype.requests import ResourceRequests

if TYPE_CHECKING:
    from k8srt.api.core.v1 import Binding

T = TypeVar("T", bound=Object)


class Binds(ResourceRequests[T]):
    """Places pods."""

    __slots__ = ()

    def bind(self, name: str, target: str | Binding | Mapping[str, Any], **options: Unpack[opts.WriteOptions]) -> None:
        """Place a pod on a node, as a scheduler does; `target` is the node's name, or a whole Binding.

        Raises Conflict when the pod has a node, NotFound.
        """
        from k8srt.api.core.v1 import Binding

        opts.check("bind", options, opts.WriteOptions)
        if isinstance(target, str):
            if not target:
                raise ValueError(f"bind of {name!r}: the node has no name")
            target = {"target": {"apiVersion": "v1", "kind": "Node", "name": target}}
        binding = Binding.from_record(self._record(target, Binding))
        meta = binding.metadata
        if meta.name and meta.name != name:
            raise ValueError(f"bind of {name!r}: the binding is that of {meta.name!r}")
        meta.name, meta.namespace = name, meta.namespace or self._namespace
        request = self._at("create", "POST", name, "binding", meta.namespace)
        self._send(request.body(binding).header("Content-Type", "application/json"), options)


class Evicts(ResourceRequests[T]):
    """Asks pods to leave."""

    __slots__ = ()

    def evict(
        self,
        name: str,
        *,
        api_version: Literal["policy/v1", "policy/v1beta1"] = "policy/v1",
        **options: Unpack[opts.DeleteArguments],
    ) -> None:
        """Delete a pod if its disruption budgets allow it; the options are those of `delete`.

        Raises TooManyRequests when they do not at present, NotFound. Contract: CLI-10.
        """
        opts.check("evict", options, opts.DeleteArguments)
        if api_version not in ("policy/v1", "policy/v1beta1"):
            raise ValueError(f"evict: api_version must be policy/v1 or policy/v1beta1, not {api_version!r}")
        request = self._at("create", "POST", name, "eviction")
        meta = {"name": name, **({"namespace": self._namespace} if self._namespace else {})}
        body: dict[str, Any] = {"apiVersion": api_version, "kind": "Eviction", "metadata": meta}
        asked = {key: value for key, value in opts.delete_body(options).to_dict().items() if key not in _HEADERS}
        if asked:
            body["deleteOptions"] = asked
        self._send(request.body(body).header("Content-Type", "application/json"), options, query=False)


_HEADERS = ("apiVersion", "kind")


class UpdatesEphemeralContainers(ResourceRequests[T]):
    """Adds containers to running pods, to look into them."""

    __slots__ = ()

    def update_ephemeral_containers(self, obj: T | Mapping[str, Any], **options: Unpack[opts.WriteOptions]) -> T:
        """Replace `spec.ephemeral_containers` of a pod: more can be added, none changed or removed."""
        opts.check("update_ephemeral_containers", options, opts.WriteOptions)
        return self._put(self._record(obj), "ephemeralcontainers", options, self._cls)


class Resizes(ResourceRequests[T]):
    """Changes what running pods may use."""

    __slots__ = ()

    def update_resize(self, obj: T | Mapping[str, Any], **options: Unpack[opts.WriteOptions]) -> T:
        """Replace the resources of the containers of a pod."""
        opts.check("update_resize", options, opts.WriteOptions)
        return self._put(self._record(obj), "resize", options, self._cls)
