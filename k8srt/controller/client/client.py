"""The client of a manager: reads from the cache, writes to the server.

    foo = client.get(Foo, request)                # raises NotFound; get_or_none gives None
    client.create(deployment); client.status().update(foo); client.apply(deployment)
    client.patch(foo, merge_from(base))

Kinds are classes; triples of group, version and kind, whose objects are `Unstructured` and read from the server unless
`cache_unstructured`; and `metadata_only(...)` of either. What a write answers is returned, and seen by every read after
it: the cache shows it until the watch has caught up. With `read_your_writes=False` at the manager it does not, and a
read right after a write may be older than the write; so may what *others* have written, in any case.
`api_reader` reads from the server, past the cache. Every call of a client that belongs to a reconcile ends when that is
to stop.

Contract: CRC-01 to CRC-13, REC-10, MGR-10.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any, Self, TypeVar, cast

from k8srt.apimachinery.object import Object
from k8srt.apimachinery.schema import GroupVersionKind
from k8srt.controller.cache.cache import Cache
from k8srt.controller.cache.overlay import moment
from k8srt.controller.client.patches import PatchFrom
from k8srt.controller.client.reads import Reads
from k8srt.controller.client.server_warnings import Warnings, warning_handler
from k8srt.controller.client.settings import Settings, allowed
from k8srt.controller.client.sub_resource import SubResourceClient
from k8srt.controller.kinds import Kind, MetadataOnly, gvk_of, kind_of
from k8srt.errors import NotFound
from k8srt.gentype.client import ResourceClient
from k8srt.gentype.options import PatchType
from k8srt.kubernetes.clientset import Clientset
from k8srt.rest.config import Config
from k8srt.rest.observing import observer_here
from k8srt.util.threads import Stop

T = TypeVar("T", bound=Object)


class Client(Reads):
    """See the module. Thread-safe.

    Without a `cache` every read is live, and those of the kinds in `disable_for` are anyway. `field_manager` is who
    writes. `stop` ends every call; `may_write` is asked before each write and raises what forbids it.
    """

    def __init__(
        self,
        clientset: Any,
        cache: Cache | None = None,
        *,
        field_manager: str = "",
        stop: Stop | None = None,
        may_write: Callable[[], object] = allowed,
        disable_for: Iterable[Kind] = (),
        cache_unstructured: bool = False,
    ) -> None:
        live = frozenset(gvk_of(kind) for kind in disable_for)
        settings = Settings(
            field_manager=field_manager,
            stop=stop,
            may_write=may_write,
            live=live,
            cache_unstructured=cache_unstructured,
        )
        super().__init__(clientset, cache, settings)

    @classmethod
    def connect(cls, config: Config, *, warnings: Warnings = "log", **options: Any) -> Self:
        """A client without a cache and with connections of its own, for programs without a manager. `warnings` says
        what becomes of those of the server: "log", "dedupe", "drop", or a function of (code, agent, text)."""
        own = config.copy()
        own.warning_handler = warning_handler(warnings)
        return cls(Clientset(own), **options)

    # ---- the same client otherwise --------------------------------------------------------------------------------

    def with_settings(self, **changes: Any) -> Self:
        """The same client with other settings: see `client_settings`."""
        made = object.__new__(type(self))
        Reads.__init__(made, self._clientset, self._cache, replace(self._settings, **changes))
        return made

    def within(self, stop: Stop, may_write: Callable[[], object] = allowed) -> Self:
        """The same client for something that is to end with `stop`, and needs leave to write besides."""
        before = self._settings.may_write

        def both() -> None:
            before()
            may_write()

        return self.with_settings(stop=stop, may_write=both)

    def acting_as(self, field_manager: str) -> Self:
        """The same client under another name."""
        return self.with_settings(field_manager=field_manager)

    @property
    def api_reader(self) -> Self:
        """The same client reading from the server."""
        made = object.__new__(type(self))
        Reads.__init__(made, self._clientset, self._cache, self._settings, reads_live=True)
        return made

    # ---- writing --------------------------------------------------------------------------------------------------

    def create(self, obj: T, **options: Any) -> T:
        """Create an object. Raises AlreadyExists, Invalid; ValueError for one of which there is only the metadata."""
        options = self._settings.writing(options)
        return self._write(obj, lambda: self._writing(obj, "created").create(obj, **options), options)

    def update(self, obj: T, **options: Any) -> T:
        """Replace an object. Raises Conflict when it has changed since it was read."""
        options = self._settings.writing(options)
        return self._write(obj, lambda: self._writing(obj, "updated").update(obj, **options), options)

    def update_status(self, obj: T, **options: Any) -> T:
        """Replace the status of an object."""
        options = self._settings.writing(options)
        return self._write(obj, lambda: self._writing(obj, "updated").update_status(obj, **options), options)

    def patch(
        self, obj: T, patch: Any, *, patch_type: PatchType | None = None, subresource: str = "", **options: Any
    ) -> T:
        """Patch an object: with `merge_from(base)` or `strategic_merge_from(base)` by what differs between `base` and
        it, or with any patch, of which the type is said. See `ResourceClient.patch`."""
        kind: Any = patch_type
        if isinstance(patch, PatchFrom):
            if patch_type not in (None, patch.patch_type):
                raise ValueError(f"patch_type: the patch is of type {patch.patch_type}, not {patch_type}")
            source = patch
            patch, kind = source.data(obj), source.patch_type
            if not patch and source.skip_empty:
                return obj.copy()
        elif patch_type is None:
            raise TypeError("patch: patch_type must be said: json, merge, strategic or apply")
        options = self._settings.writing(options)
        name = obj.metadata.name or ""
        return self._write(
            obj,
            lambda: self._writing(obj).patch(name, patch, patch_type=kind, subresource=subresource, **options),
            options,
        )

    def apply(self, obj: T, *, force: bool = True, locked: bool = False, **options: Any) -> T:
        """Server-side apply of just the fields that are set, by default against whoever else has them.

        managedFields and the resource version that the object was read with are left out; `locked` sends the version,
        and Conflict is raised if the object is newer. So it is if it has a uid and there is no object of that.
        """
        from k8srt.controller.client.applying import applicable

        obj = applicable(obj, locked=locked)
        options = self._settings.applying(options)
        return self._write(obj, lambda: self._writing(obj, "applied").apply(obj, force=force, **options), options)

    def apply_status(self, obj: T, *, force: bool = True, **options: Any) -> T:
        """The same to the status."""
        options = self._settings.applying(options)
        return self._write(
            obj, lambda: self._writing(obj, "applied").apply_status(obj, force=force, **options), options
        )

    def delete(self, obj: Object, *, ignore_not_found: bool = True, **options: Any) -> bool:
        """Delete an object; returns whether it was there. It may stay for a while, for its finalizers or its grace
        period. Raises Conflict when a precondition does not hold, and NotFound unless that is to be ignored."""
        options, since = self._settings.deleting(options), moment()
        try:
            answer = self._writing(obj).delete_record(obj.metadata.name or "", **options)
        except NotFound:
            if not ignore_not_found:
                raise
            return False
        if self._cache is not None and not options.get("dry_run"):
            gvk = self.form(kind_of(obj)).info.gvk
            self._cache.answered_delete(gvk, obj, self.namespace_for(obj), answer, since)
        return True

    def delete_all_of(self, kind: Kind, *, namespace: str = "", **options: Any) -> None:
        """Delete all objects of a kind in a namespace that the selectors select. The cache shows them until it hears
        of their end. Raises ValueError without a namespace, where there are namespaces."""
        self.check_may_write()
        form = self.form(kind)
        namespace = self._settings.namespace_of(namespace, form.name) if form.info.namespaced else ""
        if form.info.namespaced and not namespace:
            raise ValueError(f"delete_all_of {form.name}: a namespace must be given")
        self.resource_of(kind, namespace).delete_collection(**self._settings.deleting(options))

    # ---- what lies below ------------------------------------------------------------------------------------------

    def sub_resource(self, name: str) -> SubResourceClient:
        """What lies below objects under a name: "status", "scale", "eviction", "token", …"""
        return SubResourceClient(self, name)

    def status(self) -> SubResourceClient:
        """The status of objects: `client.status().update(foo)`."""
        return SubResourceClient(self, "status")

    # ---- for what is beside it ------------------------------------------------------------------------------------

    @property
    def rest_client(self) -> Any:
        return self._clientset.rest_client

    def check_may_write(self) -> None:
        """Raises what forbids writing now."""
        self._settings.may_write()

    def write_options(self, options: dict[str, Any]) -> dict[str, Any]:
        return self._settings.writing(options)

    def read_options(self, options: dict[str, Any]) -> dict[str, Any]:
        return self._settings.reading(options)

    def namespace_for(self, obj: Object) -> str:
        """The namespace of an object, that of the client if it says none. Raises ValueError for another."""
        given = obj.metadata.namespace or ""
        if not self.form(kind_of(obj)).info.namespaced:
            return given
        return self._settings.namespace_of(given, repr(obj))

    def tell_written(self, answer: Object, gvk: GroupVersionKind, options: dict[str, Any], since: int) -> None:
        """Have reads see what a write has answered, unless nothing was kept of it."""
        observer = observer_here()
        if observer is not None and not options.get("dry_run"):
            observer.wrote(answer)
        if self._cache is not None and not options.get("dry_run"):
            self._cache.wrote(answer, gvk, since)

    def _writing(self, obj: T, how: str = "") -> ResourceClient[T]:
        self.check_may_write()
        kind = kind_of(obj)
        if how and isinstance(kind, MetadataOnly):
            raise ValueError(f"{obj!r}: an object of which only the metadata is known cannot be {how}; patch it")
        return cast("ResourceClient[T]", self.resource_of(kind, self.namespace_for(obj)))

    def _write(self, obj: T, call: Callable[[], Any], options: dict[str, Any]) -> T:
        since = moment()
        answer = call()
        form = self.form(kind_of(obj))
        if answer.kind in ("", form.info.kind) or form.metadata:
            answer = form.convert(answer)
            self.tell_written(answer, form.info.gvk, options, since)
        return cast("T", answer)

    def __repr__(self) -> str:
        over = f" over {self._cache!r}" if self._cache is not None else ", reading live"
        return f"<Client of {self._clientset!r}{over}>"
