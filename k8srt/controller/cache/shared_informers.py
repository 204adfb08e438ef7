"""The informers of a cache: one of each kind that anybody asks for, shared by all who do.

Contract: CCH-01, CCH-03, CCH-08, CCH-09, CCH-14 to CCH-16, SHR-01.
"""

from __future__ import annotations

import builtins
import random
import threading
from collections.abc import Iterable, Mapping
from typing import Any, Literal, TypeVar, overload

from k8srt.apimachinery import scheme
from k8srt.apimachinery.object import Object
from k8srt.apimachinery.schema import GroupVersionKind
from k8srt.apimachinery.unstructured import Unstructured
from k8srt.controller.cache.informing import PartMaker, missing_form
from k8srt.controller.cache.kind_cache import InformerStatus, KindCache
from k8srt.controller.cache.kind_informer import KindInformer, KindRegistration, all_of
from k8srt.controller.cache.scopes import KindScope, Scope, Scopes
from k8srt.controller.cache.unseen import Unseen
from k8srt.controller.kinds import Form, MetadataOnly, Triple, form_of, gvk_of, name_of
from k8srt.errors import NoMatch, WaitTimeout
from k8srt.metadata.partial import PartialObjectMetadata
from k8srt.tools.cache.forms import Transform
from k8srt.tools.cache.reflector import ErrorHandler
from k8srt.tools.cache.shared_informer import check_informer_options
from k8srt.tools.cache.waiting import wait_for_cache_sync
from k8srt.util.ambient import ambient_stop, stopped
from k8srt.util.clock import SYSTEM, Clock
from k8srt.util.threads import Latch, Stop, linked

T = TypeVar("T", bound=Object)

SYNC_PERIOD = 36_000.0
READ_TIMEOUT = 60.0


class SharedInformers:
    """See the module. Thread-safe. Runs until it is stopped, and then for ever refuses to start.

    `clientset` is anything with `resource(kind, namespace)`. `namespace`, or `default_namespaces` with a scope for
    each, limits what is cached of namespaced kinds; `label_selector`, `field_selector` and `transform` limit and change
    it everywhere, `by_object` says otherwise for single kinds (see `scopes`). A transform that fails is logged, and
    leaves the object as it came, or with `strict_transform` out of the cache. `reader_fail_on_missing_informer`:
    reading starts no informers. `on_missing_kind` "wait" holds up nobody for kinds that the server does not have yet.
    Every informer resyncs after `sync_period` seconds, a tenth more or less. Other options are those of informers.
    """

    def __init__(
        self,
        clientset: Any,
        *,
        namespace: str = "",
        default_namespaces: Mapping[str, Scope] | Iterable[str] | None = None,
        by_object: Mapping[Any, KindScope] | None = None,
        label_selector: Any = None,
        field_selector: Any = None,
        transform: Transform | None = None,
        strict_transform: bool = False,
        sync_period: float = SYNC_PERIOD,
        bookmarks: bool = True,
        on_missing_kind: Literal["fail", "wait"] = "fail",
        reader_fail_on_missing_informer: bool = False,
        read_your_writes: bool = True,
        watch_error_handler: ErrorHandler | None = None,
        clock: Clock = SYSTEM,
        rng: random.Random | None = None,
        **informer_options: Any,
    ) -> None:
        """Raises ValueError, TypeError, SelectorError for options that make no sense."""
        if namespace and default_namespaces is not None:
            raise ValueError("give either a namespace or default_namespaces")
        check_informer_options(informer_options)
        if on_missing_kind not in ("fail", "wait"):
            raise ValueError(f"on_missing_kind: must be fail or wait, not {on_missing_kind!r}")
        self.namespace = namespace
        self._clientset = clientset
        self._clock = clock
        self.kinds_may_be_missing = on_missing_kind == "wait"
        self._fail_on_missing = reader_fail_on_missing_informer
        self._scopes = Scopes(
            KindScope(
                label_selector=label_selector,
                field_selector=field_selector,
                transform=transform,
                sync_period=sync_period,
                bookmarks=bookmarks,
            ),
            [namespace] if namespace else default_namespaces,
            by_object,
        )
        self._maker = PartMaker(
            clientset, informer_options, watch_error_handler, strict_transform, rng or random.Random(), clock
        )
        self._unseen = Unseen(clock) if read_your_writes else None
        self._lock = threading.Lock()  # guards all below
        self._forms: dict[Any, Form] = {}
        self._shared: dict[tuple[GroupVersionKind, bool], KindCache] = {}
        self._listeners: dict[KindCache, dict[KindRegistration, None]] = {}
        self._running = False
        self._over = False

    # ---- running --------------------------------------------------------------------------------------------------

    def start(self, stop: threading.Event) -> None:
        """Run every informer, those asked for later too, until `stop` is set. Blocks until every thread has ended."""
        with self._lock:
            self._running = not self._over
            if self._running:
                for shared in self._shared.values():
                    shared.start()
        with linked(stop) as halt:
            halt.wait()
        with self._lock:
            self._running, self._over = False, True
            everyone = list(self._shared.values())
        for shared in everyone:
            shared.stop()
        for shared in everyone:
            shared.join()

    def is_running(self) -> bool:
        """Whether it can be read: it has been started, and not stopped."""
        with self._lock:
            return self._running

    def wait_for_sync(self, timeout: float | None = None, *, stop: threading.Event | None = None) -> bool:
        """Wait until every informer there is has synced, but those of kinds that may be missing and are; returns
        whether that is so."""
        deadline = None if timeout is None else self._clock.now() + timeout
        with linked(stop if stop is not None else Stop()) as halt:
            for part in [part for shared in self._kinds() for part in shared.parts() if not shared.optional]:
                left = None if deadline is None else max(deadline - self._clock.now(), 0.0)
                if not wait_for_cache_sync(part.informer, timeout=left, stop=halt, clock=self._clock):
                    return False
        return True

    def unsynced(self) -> builtins.list[str]:
        """The kinds that have not synced yet, for messages; not those that may be missing."""
        return [shared.form.name for shared in self._kinds() if not shared.optional and not is_synced(shared)]

    def _kinds(self) -> builtins.list[KindCache]:
        with self._lock:
            return list(self._shared.values())

    # ---- informers ------------------------------------------------------------------------------------------------

    @overload
    def informer(self, kind: type[T], *, optional: bool = ...) -> KindInformer[T]: ...
    @overload
    def informer(self, kind: Triple, *, optional: bool = ...) -> KindInformer[Unstructured]: ...
    @overload
    def informer(self, kind: MetadataOnly, *, optional: bool = ...) -> KindInformer[PartialObjectMetadata]: ...
    def informer(self, kind: Any, *, optional: bool = False) -> KindInformer[Any]:
        """The informer of a kind, made if there is none, and started if the cache runs. All who ask share what is
        beneath it, and their handlers each see everything.

        `optional`: the server may not have the kind yet; then it is waited for in the background, and nobody waits
        for the cache. Raises ValueError for what is no resource, NoMatch for a kind that neither a class nor the
        server knows. Contract: CCH-01, CCH-15, SHR-01.
        """
        shared, form = self._share(kind, optional or self.kinds_may_be_missing)
        with self._lock:
            return KindInformer(shared, form, self._listeners[shared])

    def get_informer(
        self, kind: Any, *, block_until_synced: bool = True, timeout: float = READ_TIMEOUT, stop: Stop | None = None
    ) -> KindInformer[Any]:
        """The informer of a kind, or of the kind of an object; synced, if the cache runs, unless it is not to block.

        Raises WaitTimeout, and as `informer`. Contract: CCH-03.
        """
        if isinstance(kind, Object):
            kind = type(kind) if type(kind).__info__ is not None else kind.gvk
        found = self.informer(kind)
        with self._lock:
            running = self._running
        if block_until_synced and running:
            self._await(kind, found.synced, timeout, stop)
        return found

    def get_informer_for_kind(self, kind: Triple, **options: Any) -> KindInformer[Any]:
        """The same for a group, version and kind: objects of its class if there is one. Contract: CCH-03."""
        return self.get_informer(scheme.default.lookup(gvk_of(kind)) or kind, **options)

    def remove_informer(self, kind: Any) -> None:
        """Stop watching a kind and forget its objects; a later read begins anew. Fine if there is none."""
        gvk, only = gvk_of(kind), isinstance(kind, MetadataOnly)
        with self._lock:
            shared = self._shared.pop((gvk, only), None)
            if shared is None:
                return
            self._listeners.pop(shared, None)
        shared.stop()
        shared.join()

    def set_namespaces(
        self, kind: Any, namespaces: Iterable[str], *, emit_deletes: bool = False, wait: bool = False
    ) -> None:
        """Keep other namespaces of a kind from now on, all of them if there are none; handlers follow.

        Objects of a namespace that is dropped are told as deleted only with `emit_deletes`, by this thread. `wait`
        until what is new has synced. Contract: CCH-14.
        """
        shared, form = self._share(kind, False)
        if not form.info.namespaced:
            raise ValueError(f"{form.name} are in no namespace, so none can be given for them")
        added, dropped = shared.change(self._scopes.ranges(form, list(namespaces)))
        with self._lock:
            listeners = list(self._listeners.get(shared, ()))
        for listener in listeners:
            for part in added:
                listener.follow(part)
            for part in dropped:
                listener.leave(part, emit_deletes=emit_deletes)
        if wait:
            self._await(kind, all_of([part.informer.synced for part in added]), READ_TIMEOUT, None)

    def _share(self, kind: Any, optional: bool) -> tuple[KindCache, Form]:
        """What is shared of a kind, and the form it was asked for in; made and started if need be."""
        form = self._form(kind, optional)
        gvk = form.info.gvk
        with self._lock:
            shared = self._shared.get((gvk, form.metadata))
            if shared is None and form.metadata:
                shared = self._shared.get((gvk, False))  # whole objects have metadata, too
        if shared is not None:
            if shared.optional:
                shared.is_optional(optional)
            return shared, form
        return self._make(form, optional), form

    def _make(self, form: Form, optional: bool) -> KindCache:
        key = (form.info.gvk, form.metadata)
        own = self._scopes.kind_of(form)
        native = form
        if own is not None and isinstance(own, MetadataOnly) == form.metadata:
            native = self._form(own, optional)
        made = KindCache(
            native,
            self._scopes.ranges(native),
            lambda part: self._maker.make(native, part),
            clock=self._clock,
            optional=optional,
        )
        with self._lock:
            shared = self._shared.setdefault(key, made)
            if shared is not made:
                return shared
            self._listeners[made] = {}
            unseen = self._unseen.take(key[0]) if self._unseen is not None else []
        for tell in unseen:
            tell(made)
        with self._lock:
            if self._running:
                made.start()
        return made

    def _form(self, kind: Any, optional: bool) -> Form:
        found = self._forms.get(kind)
        if found is None:
            try:
                found = form_of(self._clientset, kind)
            except NoMatch:
                if not optional:
                    raise
                return missing_form(kind)
            self._forms[kind] = found
        return found

    def _await(self, kind: Any, latch: Latch, timeout: float, stop: Stop | None) -> None:
        halt = stop or ambient_stop() or Stop()
        if not wait_for_cache_sync(latch, timeout=timeout, stop=halt, clock=self._clock):
            self._raise_waiting(f"the cache of {name_of(kind)}", timeout, halt)

    def _raise_waiting(self, what: str, timeout: float, stop: Stop | None) -> None:
        halt = stop or ambient_stop()
        if halt is not None and halt.is_set():
            raise stopped(halt, f"waiting for {what}")
        raise WaitTimeout(f"{what} has not come within {timeout:g}s")

    def kinds(self) -> builtins.list[type[Any]]:
        """The classes of what is cached now, where there are any."""
        found = {shared.form.info.gvk: shared.form.cls for shared in self._kinds()}
        classes = [scheme.default.lookup(gvk) if cls.__info__ is None else cls for gvk, cls in found.items()]
        return [cls for cls in classes if cls is not None]

    def status(self) -> builtins.list[InformerStatus]:
        """What every informer is up to. Contract: CCH-16."""
        return [each for shared in self._kinds() for each in shared.status()]

    def debug_state(self) -> Mapping[str, Any]:
        """What every informer is up to, in more detail."""
        return {
            shared.form.name + (f" in {part.range.namespace}" if len(parts) > 1 else ""): part.informer.debug_state()
            for shared in self._kinds()
            for parts in (shared.parts(),)
            for part in parts
        }

    def __repr__(self) -> str:
        kinds = ", ".join(shared.form.name for shared in self._kinds()) or "nothing"
        with self._lock:
            state = "running" if self._running else "stopped" if self._over else "not started"
        return f"<{type(self).__name__} of {kinds}: {state}>"


def is_synced(shared: KindCache) -> bool:
    """Whether every informer of a kind has synced."""
    return all(part.informer.synced.is_set() for part in shared.parts())
