"""What is to be sent, decided before anything is: the resource of each manifest, its namespace, and the order.

Whatever can be found wrong here raises, and nothing has been sent: a kind that is not served, two manifests of one
object, a namespace that is not the one asked for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from k8srt.apimachinery import scheme
from k8srt.apimachinery.object import Object
from k8srt.apimachinery.resource import ResourceInfo
from k8srt.apimachinery.schema import GroupKind, GroupVersionKind
from k8srt.apimachinery.unstructured import Unstructured
from k8srt.errors import NoMatch
from k8srt.gentype.client import ResourceClient
from k8srt.kubernetes.manifests.order import DEFINITION, NAMESPACE, rank_of
from k8srt.kubernetes.manifests.sources import Manifest

if TYPE_CHECKING:
    from k8srt.kubernetes.clientset import Clientset


@dataclass(frozen=True, slots=True)
class Step:
    """One object to be sent. `custom` is whether a definition among the manifests defines its kind."""

    manifest: Manifest
    client: ResourceClient[Any]
    rank: int
    custom: bool

    @property
    def is_definition(self) -> bool:
        return self.manifest.gvk.group_kind == DEFINITION

    def object(self) -> Object:
        """The object as it was given."""
        made: Object = self.client.object_class.from_dict(self.manifest.document)
        return made


class Plan:
    """The steps, in the order in which objects are applied."""

    def __init__(self, clientset: Clientset, manifests: Sequence[Manifest], namespace: str = "") -> None:
        """`namespace` is for manifests that name none; "" stands for the clientset's. Sends discovery requests only.

        Raises NoMatch for a kind that is neither served nor defined among the manifests, ValueError.
        """
        self._clientset = clientset
        self._namespace = namespace
        self._defined = _definitions(manifests)
        self._resources: dict[GroupVersionKind, tuple[str, bool]] = {}
        steps = [self._step(manifest) for manifest in manifests]
        _check_unique(steps)
        self.steps = sorted(steps, key=lambda step: step.rank)
        self.namespaces = {each.name for each in manifests if each.gvk.group_kind == NAMESPACE}

    def _step(self, manifest: Manifest) -> Step:
        gvk, defined = manifest.gvk, self._defined.get(manifest.gvk.group_kind)
        resource, namespaced = self._resource(manifest)
        manifest = self._placed(manifest, namespaced)
        cls = scheme.default.lookup(gvk)
        custom = defined is not None or cls is None
        rank = rank_of(gvk, custom=custom)
        return Step(manifest, self._client(gvk, cls, resource, manifest.namespace), rank, defined is not None)

    def _resource(self, manifest: Manifest) -> tuple[str, bool]:
        """The resource of a kind and whether it is in namespaces, as the server or a definition has it."""
        gvk = manifest.gvk
        if gvk not in self._resources:
            try:
                mapping = self._clientset.mapper.rest_mapping(gvk)
                self._resources[gvk] = mapping.resource.resource, mapping.namespaced
            except NoMatch as err:
                defined = self._defined.get(gvk.group_kind)
                if defined is None:
                    raise type(err)(f"{manifest.place}: {manifest}: {err}", gvk) from err
                self._resources[gvk] = defined.resource_of(manifest)
        return self._resources[gvk]

    def _client(self, gvk: GroupVersionKind, cls: Any, resource: str, namespace: str) -> ResourceClient[Any]:
        rest = self._clientset.rest_client
        if cls is not None and cls.__info__ is not None and cls.__info__.resource == resource:
            return ResourceClient(rest, cls, namespace)
        # The kind of a list may have any name, so that of the object is left out, as in a dynamic client.
        return ResourceClient(rest, Unstructured, namespace, info=ResourceInfo(gvk._replace(kind=""), resource))

    def _placed(self, manifest: Manifest, namespaced: bool) -> Manifest:
        """The manifest in its namespace, or in none."""
        given, asked = manifest.namespace, self._namespace
        if not namespaced:
            return _moved(manifest, "") if given else manifest
        if given and asked and given != asked:
            where = manifest.place.at("metadata", "namespace")
            raise ValueError(f"{where}: {manifest}: its namespace is not {asked!r}, the one asked for")
        return manifest if given else _moved(manifest, asked or self._clientset.namespace or "default")


def _moved(manifest: Manifest, namespace: str) -> Manifest:
    metadata = {key: value for key, value in manifest.document["metadata"].items() if key != "namespace"}
    if namespace:
        metadata["namespace"] = namespace
    return replace(manifest, document={**manifest.document, "metadata": metadata}, namespace=namespace)


def _check_unique(steps: Sequence[Step]) -> None:
    seen: dict[tuple[Any, ...], Manifest] = {}
    for step in steps:
        this = step.manifest
        first = seen.setdefault((this.gvk.group_kind, this.namespace, this.name), this)
        if first is not this:
            raise ValueError(f"{this.place}: {this}: it is there already: {first.place}")


# ---- definitions among the manifests ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Defined:
    """What a CustomResourceDefinition among the manifests says."""

    manifest: Manifest
    resource: str
    namespaced: bool
    versions: tuple[str, ...]

    def resource_of(self, manifest: Manifest) -> tuple[str, bool]:
        if manifest.gvk.version not in self.versions:
            versions = ", ".join(self.versions) or "no version"
            where = manifest.place.at("apiVersion")
            raise ValueError(f"{where}: {manifest}: the definition ({self.manifest.place}) serves {versions}")
        return self.resource, self.namespaced


def _definitions(manifests: Sequence[Manifest]) -> dict[GroupKind, Defined]:
    found = {}
    for manifest in manifests:
        if manifest.gvk.group_kind != DEFINITION:
            continue
        spec = _mapping(manifest.document.get("spec"))
        names, versions = _mapping(spec.get("names")), spec.get("versions")
        kind, plural, group = str(names.get("kind")), str(names.get("plural")), str(spec.get("group"))
        served = tuple(
            str(version.get("name"))
            for version in (versions if isinstance(versions, list) else ())
            if isinstance(version, Mapping) and version.get("served")
        )
        found[GroupKind(group, kind)] = Defined(manifest, plural, spec.get("scope") == "Namespaced", served)
    return found


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
