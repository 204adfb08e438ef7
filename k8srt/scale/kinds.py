"""Which kind of scale a resource speaks. Contract: CLI-28."""

from __future__ import annotations

from k8srt.apimachinery.schema import GroupVersionKind, GroupVersionResource
from k8srt.errors import NoKindMatch
from k8srt.restmapper.mapper import RESTMapper
from k8srt.scale.conversion import KNOWN


class ScaleKinds:
    """Looks scale kinds up in what a server serves. Thread-safe."""

    def __init__(self, mapper: RESTMapper) -> None:
        self._mapper = mapper

    def of(self, resource: GroupVersionResource) -> GroupVersionKind:
        """The kind that a resource's scale has. Raises NoMatch for one that is not served, or has no scale."""
        info = self._mapper.info_for(resource)
        found = info.subresource("scale")
        if found is None or found.gvk is None:
            raise NoKindMatch(f"{info.resource} in {info.api_version} cannot be scaled", resource)
        if found.gvk not in KNOWN:
            raise NoKindMatch(f"the scale of {info.resource} in {info.api_version} is an unknown {found.gvk}", resource)
        return found.gvk
