"""`ResourceClient`: every verb of every resource, written once.

    pods = ResourceClient(rest, Pod, "default")
    pods.get("web-0"); pods.list(label_selector="app=web"); pods.patch("web-0", {...}, patch_type="merge")

The facts (path, scope, verbs, subresources) ride on the class. Methods raise `errors.StatusError` for what the server
refuses, `errors.TransportError` when it cannot be reached, ValueError for calls that make no sense before they are
sent. Clients are cheap, immutable and thread-safe.

Contract: CLI-02 to CLI-07, MACH-45, MACH-46, REST-13.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, TypeVar, Unpack, cast

from k8srt.apimachinery.object import Object
from k8srt.apimachinery.objectlist import ObjectList
from k8srt.apimachinery.record import RecordList, encode_record
from k8srt.apimachinery.unstructured import Unstructured, UnstructuredList
from k8srt.errors import DecodeError
from k8srt.gentype import options as opts
from k8srt.gentype.options import PatchType
from k8srt.gentype.requests import ResourceRequests
from k8srt.rest.watch import EventStream, WatchStream

if TYPE_CHECKING:
    from k8srt.api.autoscaling.v1 import Scale

T = TypeVar("T", bound=Object)


class ResourceClient(ResourceRequests[T]):
    """A client of one resource, in one namespace or (with "") in all."""

    def namespace(self, namespace: str) -> ResourceClient[T]:
        """The client of another namespace."""
        return ResourceClient(self._rest, self._cls, namespace, info=None if self._strict else self._info)

    # ---- reading --------------------------------------------------------------------------------------------------

    def get(self, name: str, **options: Unpack[opts.GetOptions]) -> T:
        """Return one object. Raises NotFound."""
        opts.check("get", options, opts.GetOptions)
        return self._send(self._at("get", "GET", name), options).into(self._cls)

    def list(self, **options: Unpack[opts.ListOptions]) -> ObjectList[T]:
        """Return the objects, in one answer; with `limit` the first so many (see `iterate` for all of them)."""
        found = self.list_records(**options)
        if issubclass(self._cls, Unstructured):
            return cast("ObjectList[T]", UnstructuredList.of(self._cls, found))
        return ObjectList.of(self._cls, found)

    def list_records(self, **options: Unpack[opts.ListOptions]) -> RecordList:
        """`list`, as records: what caches take."""
        opts.check("list", options, opts.ListOptions)
        request = self._at("list", "GET", None)
        if (seconds := options.get("timeout_seconds")) and not options.get("timeout"):
            request.timeout(seconds)
        found = self._send(request, options).records()
        expected = f"{self._info.kind}List"
        if self._info.kind and found.kind not in (expected, "List", ""):
            raise DecodeError(f"{request.about()}: expected {expected}, got {found.api_version} {found.kind}")
        return found

    def iterate(self, page_size: int = 500, **options: Unpack[opts.ListOptions]) -> Iterator[T]:
        """Yield all objects, page by page, each once, also when a continue token expires on the way.

        Memory stays flat: one page at a time. Contract: USR-35.
        """
        from k8srt.tools.pager import Pager

        pager = Pager(lambda page: self.list_records(**cast("opts.ListOptions", page)), page_size=page_size)
        from_record = self._cls.from_record
        for record in pager.iterate(cast("dict[str, Any]", options)):
            yield from_record(record)

    def watch(self, *, forever: bool = False, **options: Unpack[opts.WatchOptions]) -> EventStream[T]:
        """Return the changes as they come: a context manager and an iterator of events, closed from any thread.

        It ends when the server ends it, after `timeout_seconds` or some minutes, and when nothing was heard for
        `idle_timeout` seconds: ask for bookmarks to keep a quiet one alive.
        """
        if forever:
            raise NotImplementedError("watch(forever=True) is not there yet; an informer does the same and more")
        return EventStream(self.watch_records(**options), self._cls)

    def watch_records(self, **options: Unpack[opts.WatchOptions]) -> WatchStream:
        """`watch`, as batches of records: what reflectors read."""
        opts.check("watch", options, opts.WatchOptions)
        request = self._at("watch", "GET", None).param("watch", "true").options(opts.parameters(options))
        return request.watch(options.get("stop"), idle_timeout=options.get("idle_timeout"))

    # ---- writing --------------------------------------------------------------------------------------------------

    def create(self, obj: T | Mapping[str, Any], **options: Unpack[opts.WriteOptions]) -> T:
        """Create an object and return it as the server keeps it. Raises AlreadyExists, Invalid."""
        opts.check("create", options, opts.WriteOptions)
        record = self._record(obj)
        request = self._at("create", "POST", None, namespace=record.namespace)
        return self._send(request.body(encode_record(record)).header("Content-Type", _JSON), options).into(self._cls)

    def update(self, obj: T | Mapping[str, Any], **options: Unpack[opts.WriteOptions]) -> T:
        """Replace an object. Raises Conflict when it changed since it was read, NotFound."""
        return self._put(obj, "", options)

    def update_status(self, obj: T | Mapping[str, Any], **options: Unpack[opts.WriteOptions]) -> T:
        """Replace only the status of an object."""
        return self._put(obj, "status", options)

    def patch(
        self,
        name: str,
        patch: Any,
        *,
        patch_type: PatchType,
        subresource: str = "",
        force: bool = False,
        **options: Unpack[opts.WriteOptions],
    ) -> T:
        """Patch an object; the type is always said and never guessed. `patch` is a dict, list, object, or bytes or
        text as they are. None in a merge patch removes. Contract: CLI-05, MACH-39, USR-24."""
        return self._patch(name, patch, patch_type, subresource, force, options)

    def apply(
        self,
        obj: T | Mapping[str, Any],
        *,
        field_manager: str,
        force: bool = False,
        **options: Unpack[opts.ApplyOptions],
    ) -> T:
        """Server-side apply: own the fields that `obj` sets, and no others. Raises Conflict, which names the other
        managers and their fields, unless `force`. Contract: MACH-45, CLI-04."""
        return self._apply(obj, "", field_manager, force, options)

    def apply_status(
        self,
        obj: T | Mapping[str, Any],
        *,
        field_manager: str,
        force: bool = False,
        **options: Unpack[opts.ApplyOptions],
    ) -> T:
        """Server-side apply to the status."""
        return self._apply(obj, "status", field_manager, force, options)

    def delete(self, name: str, **options: Unpack[opts.DeleteArguments]) -> None:
        """Delete an object. It may stay for a while, for its finalizers or its grace period. Raises NotFound,
        Conflict when a precondition does not hold."""
        opts.check("delete", options, opts.DeleteArguments)
        self._send(self._at("delete", "DELETE", name).body(opts.delete_body(options)), options, query=False)

    def delete_collection(self, **options: Unpack[opts.DeleteCollectionArguments]) -> None:
        """Delete all objects that the selectors select: all of the namespace without one."""
        opts.check("delete_collection", options, opts.DeleteCollectionArguments)
        request = self._at("deletecollection", "DELETE", None)
        select = {key: options.get(key) for key in ("label_selector", "field_selector")}
        request.options(opts.parameters(select)).body(opts.delete_body(options))
        self._send(request, options, query=False)

    def label(self, name: str, labels: Mapping[str, str | None] | None = None, /, **more: str | None) -> T:
        """Set labels, and remove those given as None. Keys that are no Python names go into the mapping."""
        return self.patch(name, {"metadata": {"labels": {**(labels or {}), **more}}}, patch_type="merge")

    def annotate(self, name: str, annotations: Mapping[str, str | None] | None = None, /, **more: str | None) -> T:
        """Set annotations, and remove those given as None."""
        return self.patch(name, {"metadata": {"annotations": {**(annotations or {}), **more}}}, patch_type="merge")

    def get_scale(self, name: str, **options: Unpack[opts.GetOptions]) -> Scale:
        """Return the scale of an object that has one. Contract: CLI-07."""
        from k8srt.api.autoscaling.v1 import Scale

        opts.check("get_scale", options, opts.GetOptions)
        return self._send(self._at("get", "GET", name, "scale"), options).into(Scale)

    def update_scale(self, name: str, scale: Scale, **options: Unpack[opts.WriteOptions]) -> Scale:
        """Replace the scale of an object."""
        from k8srt.api.autoscaling.v1 import Scale

        opts.check("update_scale", options, opts.WriteOptions)
        return self._send(self._at("update", "PUT", name, "scale").body(scale), options).into(Scale)

    # ---- shared by the verbs --------------------------------------------------------------------------------------

    def _put(self, obj: Any, subresource: str, options: opts.WriteOptions) -> T:
        opts.check("update", options, opts.WriteOptions)
        record = self._record(obj)
        request = self._at("update", "PUT", record.name, subresource, record.namespace)
        return self._send(request.body(encode_record(record)).header("Content-Type", _JSON), options).into(self._cls)

    def _patch(
        self, name: str, patch: Any, kind: str, sub: str, force: bool, options: opts.WriteOptions, namespace: str = ""
    ) -> T:
        opts.check("patch", options, opts.WriteOptions)
        if kind not in ("json", "merge", "strategic", "apply"):
            raise ValueError(f"patch_type must be json, merge, strategic or apply, not {kind!r}")
        request = self._at("patch", "PATCH", name, sub, namespace, content_type=kind)
        request.body(patch.encode() if isinstance(patch, str) else patch)
        if force:
            request.param("force", "true")
        return self._send(request, options).into(self._cls)

    def _apply(self, obj: Any, sub: str, field_manager: str, force: bool, options: opts.ApplyOptions) -> T:
        if not field_manager:
            raise ValueError("apply needs a field_manager")
        record = self._record(obj)
        if not record.name:
            raise ValueError(f"apply {self._info.resource}: name must be provided to Apply")
        body = encode_record(record)
        writing: opts.WriteOptions = {**options, "field_manager": field_manager}
        return self._patch(record.name, body, "apply", sub, force, writing, record.namespace)


_JSON = "application/json"
