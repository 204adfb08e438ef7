"""What the verbs of a resource have in common: where it lives, what it can do, how a request is sent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Generic, TypeVar

from k8srt.apimachinery.object import Object
from k8srt.apimachinery.record import Record
from k8srt.apimachinery.resource import ResourceInfo
from k8srt.gentype import options as opts
from k8srt.rest.client import RESTClient
from k8srt.rest.request import Request
from k8srt.rest.result import Result

T = TypeVar("T", bound=Object)


class ResourceRequests(Generic[T]):
    """Makes the requests of one resource, in one namespace or (with "") in all."""

    def __init__(
        self, rest: RESTClient, cls: type[T], namespace: str = "", *, info: ResourceInfo | None = None
    ) -> None:
        """`info` takes the place of the facts on the class, for classes that have none, as `Unstructured`.

        Raises ValueError for a class that is no resource, and for a namespace where there are none.
        """
        known = info or cls.__info__
        if known is None or not known.resource:
            raise ValueError(f"{cls.__name__} is not served as a resource")
        if namespace and not known.namespaced:
            raise ValueError(f"{known.resource} are not in namespaces, so {namespace!r} cannot be asked for")
        self._rest = rest.for_group_version(known.gvk.group_version)
        self._cls = cls
        self._info = known
        self._strict = info is None  # facts given by a caller may be incomplete: the server judges
        self._namespace = namespace

    @property
    def info(self) -> ResourceInfo:
        """What the API says about this resource."""
        return self._info

    @property
    def object_class(self) -> type[T]:
        return self._cls

    def _record(self, obj: T | Mapping[str, Any]) -> Record:
        if isinstance(obj, Object):
            return obj.to_record()
        if isinstance(obj, Mapping):
            return self._cls.from_dict(obj).to_record()
        raise ValueError(f"{self._info.resource}: expected {self._cls.__name__} or a dict, got {type(obj).__name__}")

    def _at(
        self,
        verb: str,
        method: str,
        name: str | None,
        subresource: str = "",
        namespace: str = "",
        content_type: str = "",
    ) -> Request:
        """A request for a verb; `name` None is for the collection. Raises ValueError before anything is sent."""
        info = self._info
        self._check_verb(verb, subresource)
        request = self._rest.patch(content_type) if content_type else self._rest.verb(method)
        where = self._namespace or namespace
        if info.namespaced and (where or self._strict):
            request.namespace(where)
        request.resource(info.resource)
        if name is not None:
            if not name:
                raise ValueError(f"{verb} {info.gvr.group_resource}: the object has no name")
            request.name(name)
        if subresource:
            request.subresource(subresource)
        return request

    def _check_verb(self, verb: str, subresource: str) -> None:
        info = self._info
        where, verbs = info.resource, info.verbs
        if not self._strict:
            return
        if subresource:
            found = info.subresource(subresource)
            where, verbs = f"{info.resource}/{subresource}", found.verbs if found is not None else ()
        if verb not in verbs:
            raise ValueError(f"{where} in {info.api_version} cannot {verb}; possible: {', '.join(verbs) or 'nothing'}")

    def _send(self, request: Request, options: Mapping[str, Any], *, query: bool = True) -> Result:
        if query:
            request.options(opts.parameters(options))
        if timeout := options.get("timeout"):
            request.timeout(timeout)
        return request.do(options.get("stop"))

    def __repr__(self) -> str:
        info = self._info
        where = f" in {self._namespace}" if self._namespace else ""
        return f"<ResourceClient of {info.gvr.group_resource} {info.gvk.version}{where}>"
