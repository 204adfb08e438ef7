"""What the verbs of a resource have in common: where it lives, what it can do, how a request is made and sent.

Everything that can be wrong with a call is found here, before anything is sent. Contract: CLI-04, CLI-14, REST-13.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Generic, Self, TypeVar

import msgspec

from k8srt.apimachinery import scheme
from k8srt.apimachinery.object import Object
from k8srt.apimachinery.record import Record, encode_record, record_from_parts
from k8srt.apimachinery.resource import ResourceInfo
from k8srt.apimachinery.schema import GroupVersionKind
from k8srt.errors import DecodeError
from k8srt.gentype import options as opts
from k8srt.rest.client import RESTClient
from k8srt.rest.request import PATCH_TYPES, Request
from k8srt.rest.result import Result

T = TypeVar("T", bound=Object)
K = TypeVar("K", bound=Object)

_JSON = "application/json"
_OF_COLLECTIONS = frozenset({"create", "deletecollection", "list", "watch"})
_STATUS = b'"kind":"Status"'


class ResourceRequests(Generic[T]):
    """Makes the requests of one resource, in one namespace or (with "") in all. Immutable and thread-safe."""

    __slots__ = ("_cls", "_info", "_namespace", "_rest", "_strict")

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
        self._strict = bool(known.gvk.kind)  # where not even the kind is known, the server judges
        self._namespace = namespace

    @property
    def info(self) -> ResourceInfo:
        """What the API says about this resource."""
        return self._info

    @property
    def object_class(self) -> type[T]:
        return self._cls

    def namespace(self, namespace: str) -> Self:
        """The client of another namespace."""
        return type(self)(self._rest, self._cls, namespace, info=self._info)

    # ---- objects that are sent ------------------------------------------------------------------------------------

    def _record(self, obj: Any, cls: type[Object] | None = None) -> Record:
        """`obj` as it is sent: of the resource's kind, or that of `cls`. Raises ValueError for any other."""
        cls = cls or self._cls
        if type(obj) is cls and cls.__info__ is not None:
            return obj.to_record()
        what = self._info.resource
        expected = self._info.gvk if cls is self._cls or cls.__info__ is None else cls.__info__.gvk
        if isinstance(obj, Object):
            _check_kind(what, expected, obj.api_version, obj.kind, obj)
            return _with_kind(obj.to_record(), expected)
        if isinstance(obj, Mapping):
            _check_kind(what, expected, obj.get("apiVersion"), obj.get("kind"), None)
            return _with_kind(cls.from_dict(obj).to_record(), expected)
        article = f"{_kind(expected)} or a dict" if expected.kind else "an object or a dict"
        raise ValueError(f"{what}: expected {article}, got {type(obj).__name__}")

    def _class_of(self, subresource: str) -> type[Any]:
        """What a subresource speaks: the kind of the resource, if it has none of its own."""
        found = self._info.subresource(subresource) if subresource else None
        if found is None or found.gvk is None or found.gvk == self._info.gvk:
            return self._cls
        return scheme.default.lookup(found.gvk) or self._cls

    # ---- requests -------------------------------------------------------------------------------------------------

    def _at(
        self,
        verb: str,
        method: str,
        name: Any,
        subresource: str = "",
        namespace: str = "",
        content_type: str = "",
    ) -> Request:
        """A request for a verb; `name` None is for the collection. Raises before anything is sent."""
        info = self._info
        self._check_verb(verb, subresource)
        request = self._rest.patch(content_type) if content_type else self._rest.verb(method)
        where = self._namespace or namespace
        if info.namespaced and (where or self._strict):
            request.namespace(where)
        request.resource(info.resource)
        if name is not None or subresource or verb not in _OF_COLLECTIONS:  # delete(None) must not be of all
            if name == "":
                raise ValueError(f"{verb} {info.gvr.group_resource}: the object has no name")
            if not isinstance(name, str):
                raise TypeError(f"{verb} {info.gvr.group_resource}: name: expected str, got {name!r}")
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

    # ---- what several verbs do ------------------------------------------------------------------------------------

    def _post(self, request: Request, record: Record, options: Mapping[str, Any], cls: type[K]) -> K:
        """Send an object to be made. Where the server only says that it has done so, what was sent is returned."""
        result = self._send(request.body(encode_record(record)).header("Content-Type", _JSON), options)
        return cls.from_record(record) if _is_status(result) else result.into(cls)

    def _put(self, record: Record, subresource: str, options: Mapping[str, Any], cls: type[K]) -> K:
        request = self._at("update", "PUT", record.name, subresource, record.namespace)
        return self._send(request.body(encode_record(record)).header("Content-Type", _JSON), options).into(cls)

    def _patch(
        self,
        name: str,
        patch: Any,
        kind: str,
        subresource: str,
        force: bool,
        options: Mapping[str, Any],
        cls: type[K],
        namespace: str = "",
    ) -> K:
        if kind not in PATCH_TYPES:
            raise ValueError(f"patch_type must be json, merge, strategic or apply, not {kind!r}")
        if patch is None:
            raise ValueError(f"patch {self._info.resource} {name}: there is no patch")
        request = self._at("patch", "PATCH", name, subresource, namespace, content_type=kind)
        request.body(patch.encode() if isinstance(patch, str) else patch)
        if force:
            request.param("force", "true")
        return self._send(request, options).into(cls)

    def _apply(
        self, record: Record, sub: str, field_manager: str, force: bool, options: Mapping[str, Any], cls: type[K]
    ) -> K:
        what = f"apply {self._info.resource}"
        if not field_manager:
            raise ValueError(f"{what} needs a field_manager")
        if not record.name:
            raise ValueError(f"{what}: name must be provided to Apply")
        if _has_managed_fields(record):
            raise ValueError(
                f"{what}: {record.key}: metadata.managedFields must not be set; apply only the fields that are yours"
            )
        writing = {**options, "field_manager": field_manager}
        return self._patch(record.name, encode_record(record), "apply", sub, force, writing, cls, record.namespace)

    def __repr__(self) -> str:
        info = self._info
        where = f" in {self._namespace}" if self._namespace else ""
        return f"<{type(self).__name__} of {info.gvr.group_resource} {info.gvk.version}{where}>"


def _check_kind(what: str, expected: GroupVersionKind, version: Any, kind: Any, obj: Object | None) -> None:
    """An object may leave out what goes without saying. Raises ValueError when it says something else."""
    wrong_kind = bool(kind) and bool(expected.kind) and kind != expected.kind
    if not wrong_kind and (not version or version == expected.api_version):
        return
    given = f"{version or '?'} {kind or '?'}" + (f" ({obj!r})" if obj is not None else "")
    raise ValueError(f"{what}: expected {_kind(expected)}, got {given}")


def _with_kind(record: Record, gvk: GroupVersionKind) -> Record:
    """The record with what it left out because it goes without saying, as far as that is known here."""
    if not gvk.kind or ("apiVersion" in record.parts and "kind" in record.parts):
        return record
    parts = {"apiVersion": f'"{gvk.api_version}"'.encode(), "kind": f'"{gvk.kind}"'.encode(), **record.parts}
    return record_from_parts(parts)


def _kind(gvk: GroupVersionKind) -> str:
    return f"{gvk.api_version} {gvk.kind}".strip()


def _is_status(result: Result) -> bool:
    if _STATUS not in result.raw()[:200]:
        return False
    record = result.record()
    return (record.text("apiVersion"), record.text("kind")) == ("v1", "Status")


class _Owners(msgspec.Struct, gc=False):
    managedFields: list[msgspec.Raw] | None = None


def _has_managed_fields(record: Record) -> bool:
    """Whether the metadata has any: a server refuses to apply such an object."""
    metadata = record.parts.get("metadata") or b""
    if b'"managedFields"' not in metadata:
        return False
    try:
        return bool(msgspec.json.decode(metadata, type=_Owners).managedFields)
    except msgspec.MsgspecError as err:
        raise DecodeError(f"metadata.managedFields: {err}") from err
