"""What an owner leaves behind is deleted: garbage collection through owner references."""

from __future__ import annotations

from k8srt.apimachinery import scheme
from k8srt.apimachinery.meta import OwnerReference
from k8srt.apimachinery.object import Object
from k8srt.apimachinery.owners import controller_of
from k8srt.apimachinery.schema import GroupVersionKind
from k8srt.errors import NotFound
from k8srt.kubernetes import Clientset
from k8srt.tools.cache import split_meta_namespace_key


class GarbageCollector:
    """Deletes objects of one kind whose controller is gone: not there, or another one of the same name."""

    def __init__(self, cs: Clientset, kind: type[Object]) -> None:
        self._cs = cs
        self._kind = kind

    def reconcile(self, key: str) -> None:
        """Look at one object, and ask the server for its owner."""
        namespace, name = split_meta_namespace_key(key)
        client = self._cs.resource(self._kind, namespace)
        try:
            obj = client.get(name)
        except NotFound:
            return
        owner = controller_of(obj)
        if owner is not None and not obj.metadata.deletion_timestamp and self._is_gone(owner, namespace):
            client.delete(name, preconditions={"uid": obj.metadata.uid})

    def _is_gone(self, owner: OwnerReference, namespace: str) -> bool:
        cls = scheme.default.lookup(GroupVersionKind.of(owner.api_version, owner.kind))
        if cls is None:
            return False  # of a kind we know nothing about: better keep too much
        try:
            found: Object = self._cs.resource(cls, namespace).get(owner.name)
        except NotFound:
            return True
        return found.metadata.uid != owner.uid
