"""`ScaleClient`: how many replicas, of anything that can be scaled, whatever its kind.

    scales = ScaleClient(config).resource(GroupVersionResource("apps", "v1", "deployments")).namespace("default")
    scale = scales.get("web")
    scale.spec.replicas += 1
    scales.update(scale)

What comes back is always an autoscaling/v1 Scale; which kind the server wants to hear it learns from discovery.
Contract: CLI-28.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self, Unpack

import msgspec

from k8srt.api.autoscaling.v1 import Scale
from k8srt.apimachinery.schema import GroupResource, GroupVersionResource
from k8srt.discovery.client import DiscoveryClient
from k8srt.discovery.memory import MemCacheClient
from k8srt.errors import DecodeError
from k8srt.gentype import options as opts
from k8srt.gentype.options import PatchType
from k8srt.rest.client import RESTClient
from k8srt.rest.config import Config
from k8srt.rest.connected import Connected
from k8srt.rest.request import PATCH_TYPES, Request
from k8srt.restmapper.mapper import RESTMapper
from k8srt.scale import conversion
from k8srt.scale.kinds import ScaleKinds
from k8srt.util.clock import SYSTEM, Clock


class ScaleClient(Connected):
    """The scales of one cluster, over shared connections. Thread-safe; opens nothing when made.

    Discovery is asked once for each group-version, and kept.
    """

    def __init__(self, config: Config, *, clock: Clock = SYSTEM) -> None:
        """Raises ConfigError for a config that cannot be used."""
        self._set_up(RESTClient(config, clock=clock), None)

    @classmethod
    def over(cls, rest_client: RESTClient, mapper: RESTMapper | None = None) -> Self:
        """A client that shares connections and rate limit with another, and what is known of the server."""
        made = object.__new__(cls)
        made._set_up(rest_client, mapper)
        return made

    def _set_up(self, rest_client: RESTClient, mapper: RESTMapper | None) -> None:
        self.rest_client = rest_client
        self.mapper = mapper or RESTMapper(MemCacheClient(DiscoveryClient.over(rest_client)))
        self._kinds = ScaleKinds(self.mapper)

    def resource(
        self, resource: GroupVersionResource | GroupResource | str, namespace: str = ""
    ) -> ScaleResourceClient:
        """The scales of a resource.

        Without a version, or by text as kubectl takes it ("deploy"), the resource is looked up at once: raises NoMatch.
        """
        if not isinstance(resource, GroupVersionResource) or not resource.version:
            resource = self.mapper.resource_for(resource)
        return ScaleResourceClient(self.rest_client, self._kinds, resource, namespace)


class ScaleResourceClient:
    """The scales of one resource, in one namespace. Cheap, immutable, thread-safe.

    The methods raise what the server refuses, NoMatch for a resource that has no scale, and ValueError or TypeError for
    calls that make no sense, before anything is sent.
    """

    __slots__ = ("_kinds", "_namespace", "_resource", "_rest")

    def __init__(self, rest: RESTClient, kinds: ScaleKinds, resource: GroupVersionResource, namespace: str) -> None:
        self._rest = rest.for_group_version(resource.group_version)
        self._kinds = kinds
        self._resource = resource
        self._namespace = namespace

    def namespace(self, namespace: str) -> ScaleResourceClient:
        """The client of another namespace."""
        return ScaleResourceClient(self._rest, self._kinds, self._resource, namespace)

    def get(self, name: str, **options: Unpack[opts.GetOptions]) -> Scale:
        """Return the scale of an object. Raises NotFound."""
        opts.check("get", options, opts.GetOptions)
        return self._send(self._at(self._rest.get(), name), options)

    def update(self, scale: Scale | Mapping[str, Any], **options: Unpack[opts.WriteOptions]) -> Scale:
        """Replace the scale of the object that `scale` names. Raises Conflict when the object changed meanwhile."""
        opts.check("update", options, opts.WriteOptions)
        if isinstance(scale, Mapping):
            scale = Scale.from_dict(scale)
        if not isinstance(scale, Scale):
            raise TypeError(f"update: expected a Scale or a dict, got {type(scale).__name__}")
        record = scale.to_record()
        request = self._at(self._rest.put(), record.name, record.namespace)
        return self._send(request.body(conversion.to_wire(scale, self._kinds.of(self._resource))), options)

    def patch(self, name: str, patch: Any, *, patch_type: PatchType, **options: Unpack[opts.WriteOptions]) -> Scale:
        """Patch a scale: `patch("web", {"spec": {"replicas": 3}}, patch_type="merge")`."""
        opts.check("patch", options, opts.WriteOptions)
        if patch_type not in PATCH_TYPES:
            raise ValueError(f"patch_type must be json, merge, strategic or apply, not {patch_type!r}")
        if patch is None:
            raise ValueError(f"patch {self._resource.resource} {name}: there is no patch")
        request = self._at(self._rest.patch(patch_type), name)
        return self._send(request.body(patch.encode() if isinstance(patch, str) else patch), options)

    def _at(self, request: Request, name: str, namespace: str = "") -> Request:
        if not isinstance(name, str):
            raise TypeError(f"{self._resource.resource}: name: expected str, got {name!r}")
        if not name:
            raise ValueError(f"{self._resource.resource}: the scale has no name")
        if where := self._namespace or namespace:
            request.namespace(where)
        return request.resource(self._resource.resource).name(name).subresource("scale")

    def _send(self, request: Request, options: Mapping[str, Any]) -> Scale:
        self._kinds.of(self._resource)  # a resource without a scale is found before anything is asked of it
        request.options(opts.parameters(options))
        if timeout := options.get("timeout"):
            request.timeout(timeout)
        answer = request.do(options.get("stop"))
        try:
            document = msgspec.json.decode(answer.raw(), type=dict[str, Any])
        except msgspec.MsgspecError as err:
            raise DecodeError(f"{request.about()}: expected a scale: {err}") from err
        return conversion.from_wire(document, str(request.about()))

    def __repr__(self) -> str:
        where = f" in {self._namespace}" if self._namespace else ""
        return f"<ScaleResourceClient of {self._resource.group_resource} {self._resource.version}{where}>"
