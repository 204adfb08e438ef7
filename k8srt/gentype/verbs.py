"""The verbs, each written once: what a client is made of. `shapes` puts together those a resource has.

Methods raise `errors.StatusError` for what the server refuses, `errors.TransportError` when it cannot be reached,
ValueError or TypeError for calls that make no sense, before anything is sent. Every one takes `stop` and `timeout`.

Contract: CLI-02 to CLI-06, MACH-45, MACH-46.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Literal, TypeVar, Unpack, cast, overload

from k8srt.apimachinery.object import Object
from k8srt.apimachinery.objectlist import ObjectList
from k8srt.apimachinery.record import Record, RecordList
from k8srt.apimachinery.scheme import default as scheme
from k8srt.apimachinery.unstructured import Unstructured, UnstructuredList
from k8srt.errors import DecodeError
from k8srt.gentype import options as opts
from k8srt.gentype.options import PatchType
from k8srt.gentype.requests import ResourceRequests
from k8srt.rest.watch import EventStream, WatchStream

T = TypeVar("T", bound=Object)


class Gets(ResourceRequests[T]):
    """Reads one object."""

    __slots__ = ()

    def get(self, name: str, *, subresource: str = "", **options: Unpack[opts.GetOptions]) -> T:
        """Return one object. Raises NotFound.

        What a `subresource` answers that speaks another kind, as scale does, is of that kind.
        """
        opts.check("get", options, opts.GetOptions)
        return cast(
            "T", self._send(self._at("get", "GET", name, subresource), options).into(self._class_of(subresource))
        )


class Lists(ResourceRequests[T]):
    """Reads all objects, or those that are selected."""

    __slots__ = ()

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
        other = self._info.kind and found.kind not in (expected, "List", "")
        if other and scheme.is_built_in(self._info.api_version):  # a definition may call its lists as it likes
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


class Watches(ResourceRequests[T]):
    """Sees objects change. What can be watched can be listed too."""

    __slots__ = ()

    def watch(self, *, forever: bool = False, **options: Unpack[opts.WatchOptions]) -> EventStream[T]:
        """Return the changes as they come: a context manager and an iterator of events, closed from any thread.

        It ends when the server ends it, after `timeout_seconds` or some minutes, and when nothing was heard for
        `idle_timeout` seconds: ask for bookmarks to keep a quiet one alive. With `forever` it goes on over all of
        that; after a gap it tells what changed meanwhile, deletions included.
        """
        if forever:
            from k8srt.gentype.forever import watch_forever

            return watch_forever(cast("Any", self), **options)
        return EventStream(self.watch_records(**options), self._cls)

    def watch_records(self, **options: Unpack[opts.WatchOptions]) -> WatchStream:
        """`watch`, as batches of records: what reflectors read."""
        opts.check("watch", options, opts.WatchOptions)
        request = self._at("watch", "GET", None).param("watch", "true").options(opts.parameters(options))
        return request.watch(options.get("stop"), idle_timeout=options.get("idle_timeout"))

    @overload
    def wait(  # type: ignore[overload-overlap] # what is waited for to go is not returned
        self,
        name: str,
        condition: Literal["delete"],
        *,
        timeout: float | None = 60.0,
        stop: threading.Event | None = None,
        progress: bool = False,
    ) -> None: ...
    @overload
    def wait(
        self,
        name: str,
        condition: str | Callable[[T], object],
        *,
        timeout: float | None = 60.0,
        stop: threading.Event | None = None,
        progress: bool = False,
    ) -> T: ...
    def wait(
        self,
        name: str,
        condition: str | Callable[[T], object],
        *,
        timeout: float | None = 60.0,
        stop: threading.Event | None = None,
        progress: bool = False,
    ) -> T | None:
        """Wait until a condition holds, and return the object of which it does; None once it is deleted.

        `condition` is as kubectl has it ("condition=Ready", "delete", "create", "jsonpath={.status.phase}=Running"),
        or a callable that is given each state of the object. Listens to one watch and never polls. Raises
        WaitTimeout after `timeout` seconds, Stopped when `stop` is set.
        """
        from k8srt.gentype.waiting import wait_for

        return cast("T | None", wait_for(self, name, condition, timeout=timeout, stop=stop, progress=progress))


class Creates(ResourceRequests[T]):
    """Makes objects."""

    __slots__ = ()

    def create(self, obj: T | Mapping[str, Any], **options: Unpack[opts.WriteOptions]) -> T:
        """Create an object and return it as the server keeps it. Raises AlreadyExists, Invalid."""
        opts.check("create", options, opts.WriteOptions)
        record = self._record(obj)
        return self._post(self._at("create", "POST", None, namespace=record.namespace), record, options, self._cls)


class Updates(ResourceRequests[T]):
    """Replaces objects."""

    __slots__ = ()

    def update(self, obj: T | Mapping[str, Any], *, subresource: str = "", **options: Unpack[opts.WriteOptions]) -> T:
        """Replace an object. Raises Conflict when it changed since it was read, NotFound."""
        opts.check("update", options, opts.WriteOptions)
        cls = self._class_of(subresource)
        return cast("T", self._put(self._record(obj, cls), subresource, options, cls))


class Amends(ResourceRequests[T]):
    """Changes parts of objects."""

    __slots__ = ()

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
        text as they are. None in a merge patch removes. Contract: CLI-05, MACH-39, USR-24.

        What a `subresource` answers that speaks another kind, as scale does, is of that kind.
        """
        opts.check("patch", options, opts.WriteOptions)
        cls = self._class_of(subresource)
        return cast("T", self._patch(name, patch, patch_type, subresource, force, options, cls))

    def label(self, name: str, labels: Mapping[str, str | None] | None = None, /, **more: str | None) -> T:
        """Set labels, and remove those given as None. Keys that are no Python names go into the mapping."""
        return self.patch(name, {"metadata": {"labels": {**(labels or {}), **more}}}, patch_type="merge")

    def annotate(self, name: str, annotations: Mapping[str, str | None] | None = None, /, **more: str | None) -> T:
        """Set annotations, and remove those given as None."""
        return self.patch(name, {"metadata": {"annotations": {**(annotations or {}), **more}}}, patch_type="merge")


class Patches(Amends[T]):
    """Changes parts of objects, by patches and by apply."""

    __slots__ = ()

    def apply(
        self,
        obj: T | Mapping[str, Any],
        *,
        field_manager: str,
        force: bool = False,
        subresource: str = "",
        **options: Unpack[opts.ApplyOptions],
    ) -> T:
        """Server-side apply: own the fields that `obj` sets, and no others. Raises Conflict, which names the other
        managers and their fields, unless `force`. Contract: MACH-45, CLI-04."""
        opts.check("apply", options, opts.ApplyOptions)
        cls = self._class_of(subresource)
        return cast("T", self._apply(self._record(obj, cls), subresource, field_manager, force, options, cls))


class Deletes(ResourceRequests[T]):
    """Removes one object."""

    __slots__ = ()

    def delete(self, name: str, **options: Unpack[opts.DeleteArguments]) -> None:
        """Delete an object. It may stay for a while, for its finalizers or its grace period. Raises NotFound,
        Conflict when a precondition does not hold."""
        opts.check("delete", options, opts.DeleteArguments)
        self._send(self._at("delete", "DELETE", name).body(opts.delete_body(options)), options, query=False)

    def delete_record(self, name: str, **options: Unpack[opts.DeleteArguments]) -> Record:
        """`delete`, with the answer: the object if it stays for a while, else a Status that names it, or nothing."""
        opts.check("delete", options, opts.DeleteArguments)
        request = self._at("delete", "DELETE", name).body(opts.delete_body(options))
        result = self._send(request, options, query=False)
        return result.record() if result.raw() else Record({})


class DeletesCollections(ResourceRequests[T]):
    """Removes all objects, or those that are selected."""

    __slots__ = ()

    def delete_collection(self, **options: Unpack[opts.DeleteCollectionArguments]) -> None:
        """Delete all objects that the selectors select: all of the namespace without one."""
        opts.check("delete_collection", options, opts.DeleteCollectionArguments)
        request = self._at("deletecollection", "DELETE", None)
        select = {key: options.get(key) for key in ("label_selector", "field_selector")}
        request.options(opts.parameters(select)).body(opts.delete_body(options))
        self._send(request, options, query=False)
