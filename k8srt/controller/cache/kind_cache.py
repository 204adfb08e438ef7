"""What a cache has of one kind: an informer for each namespace that is cached, each with its overlay of writes.

Contract: CCH-01, CCH-09, CCH-11, CCH-14, CCH-16.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from k8srt.apimachinery.record import Record
from k8srt.apimachinery.resource import ResourceInfo
from k8srt.controller.cache.field_index import Query, meets, select
from k8srt.controller.cache.overlay import Overlay
from k8srt.controller.cache.scopes import ALL_NAMESPACES, Range
from k8srt.controller.kinds import Form
from k8srt.errors import K8srtError, NoMatch, NotFound, StatusError
from k8srt.tools.cache.forms import Transform
from k8srt.tools.cache.indexer import IndexFunc
from k8srt.tools.cache.reflector import ErrorHandler, Reflector
from k8srt.tools.cache.shared_informer import SharedIndexInformer
from k8srt.tools.cache.store import GONE
from k8srt.tools.cache.verdicts import is_expired
from k8srt.util.clock import Clock
from k8srt.util.threads import Stop, spawn

log = logging.getLogger(__name__)


class NamespaceNotCached(K8srtError, LookupError):
    """A namespace was read that the cache does not keep: what is in it is not known. Contract: CCH-09."""


class InformerStatus(NamedTuple):
    """What one informer is up to. `failures`: how often in a row it could not list or watch; `pending`: what waits for
    the slowest of its handlers. Contract: CCH-16."""

    kind: str
    namespace: str
    synced: bool
    objects: int
    resource_version: str
    seconds_since_event: float | None
    failures: int
    last_error: str
    error_code: int | None
    error_reason: str
    transform_errors: int
    unseen_writes: int
    lists: int
    watches: int
    info: ResourceInfo
    pending: int = 0


class Failures:
    """Why an informer cannot list or watch, until it can. `quiet` is for kinds that may not be there: CCH-15."""

    def __init__(self, about: str, handler: ErrorHandler | None = None) -> None:
        self.quiet = False
        self.count = 0
        self.last: Exception | None = None
        self._about = about
        self._handler = handler

    @property
    def cause(self) -> BaseException | None:
        """What the server has answered, or what else went wrong."""
        last = self.last
        return None if last is None else last.__cause__ or last

    @property
    def missing(self) -> bool:
        """Whether the server does not know the kind."""
        return isinstance(self.cause, (NotFound, NoMatch))

    def report(self, reflector: Reflector, err: Exception) -> None:
        """Take an error of the reflector."""
        if is_expired(err) or is_expired(err.__cause__):
            reflector.report(err)
            return
        was_missing = self.missing
        self.count, self.last = self.count + 1, err
        if self.quiet and self.missing:
            if not was_missing:
                log.info("%s: the server does not have them yet; waiting until it does", self._about)
        elif self._handler is not None:
            self._handler(reflector, err)
        else:
            reflector.report(err)

    def over(self) -> None:
        """It works."""
        if self.last is not None:
            self.count, self.last = 0, None


class Forgiving:
    """A transform that leaves an object as it came where the user's one fails for it. Contract: CCH-11."""

    def __init__(self, transform: Transform, about: str) -> None:
        self._transform = transform
        self._about = about
        self.errors = 0

    def __call__(self, obj: Any) -> Any:
        record = obj.to_record()
        try:
            changed = self._transform(obj)
            if changed is None:
                raise TypeError("it returned nothing")
        except Exception:
            self.errors += 1
            log.exception("%s: the transform failed for %s, which is kept as it came", self._about, record.key)
            return type(obj).from_record(record)
        return changed


@dataclass(slots=True)
class Part:
    """One informer: of a kind, in one namespace or all."""

    range: Range
    informer: SharedIndexInformer[Any]
    overlay: Overlay
    failures: Failures
    transform: Transform | None = None
    halt: Stop = field(default_factory=Stop)
    thread: threading.Thread | None = None

    def admit(self, record: Record) -> Any:
        """What the informer will keep of something that was written; GONE for what is not within its range."""
        if not self.range.labels.matches(record.labels or {}):
            return GONE
        form = self.informer.indexer.form
        return form.transformed(self.transform, record) if self.transform is not None else form.freeze(record)

    def start(self, name: str) -> None:
        if self.thread is None:
            self.thread = spawn(f"informer-{name}", self.informer.run, self.halt)

    def join(self) -> None:
        if self.thread is not None:
            self.thread.join()


class KindCache:
    """See the module. Thread-safe. `make` makes the informer of a range; `form` is what its objects are made as."""

    def __init__(
        self, form: Form, ranges: Mapping[str, Range], make: Callable[[Range], Part], *, clock: Clock, optional: bool
    ) -> None:
        self.form = form
        self.clock = clock
        self._make = make
        self._lock = threading.RLock()  # guards all below
        self.optional = optional
        self.fields: dict[str, IndexFunc] = {}
        self._taken: set[str] = set()
        self._parts: dict[str, Part] = {name: make(each) for name, each in ranges.items()}
        self._running = False
        self._over = False
        for part in self._parts.values():
            part.failures.quiet = optional

    # ---- running --------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Run every informer, in threads of their own."""
        with self._lock:
            self._running = not self._over
            for part in self._parts.values():
                self._start_locked(part)

    def _start_locked(self, part: Part) -> None:
        if self._running:
            part.start(self.form.info.kind.lower())

    def stop(self) -> None:
        """End them all, for good. Does not wait."""
        with self._lock:
            self._running, self._over = False, True
            parts = list(self._parts.values())
        for part in parts:
            part.halt.set()

    def join(self) -> None:
        """Wait until all have ended."""
        for part in self.parts():
            part.join()

    def is_optional(self, optional: bool) -> bool:
        """Whether the kind may be missing; one that needs it is enough for it not to."""
        with self._lock:
            self.optional = self.optional and optional
            for part in self._parts.values():
                part.failures.quiet = self.optional
            return self.optional

    def parts(self) -> list[Part]:
        """All informers there are now."""
        with self._lock:
            return list(self._parts.values())

    def waited_for(self) -> list[Part]:
        """Those that are to sync before anybody starts: not of kinds that may be missing, and are."""
        return [part for part in self.parts() if not (self.optional and part.failures.missing)]

    # ---- which namespaces -----------------------------------------------------------------------------------------

    def change(self, ranges: Mapping[str, Range]) -> tuple[list[Part], list[Part]]:
        """Keep these ranges instead; returns the informers that are new, which run if the others do, and those that
        are dropped, which have ended."""
        with self._lock:
            keep = {name: part for name, part in self._parts.items() if ranges.get(name) == part.range}
            dropped = [part for name, part in self._parts.items() if name not in keep]
            added = [self._make(each) for name, each in ranges.items() if name not in keep]
            for part in added:
                part.failures.quiet = self.optional
                part.informer.add_indexers(self.fields)
            self._parts = keep | {part.range.namespace: part for part in added}
            for part in added:
                self._start_locked(part)
        for part in dropped:
            part.halt.set()
        for part in dropped:
            part.join()
        return added, dropped

    def parts_of(self, namespace: str) -> list[Part]:
        """The informers to be asked about a namespace; "" means all. Raises NamespaceNotCached."""
        with self._lock:
            if not namespace or not self.form.info.namespaced:
                return list(self._parts.values())
            found = self._parts.get(namespace) or self._parts.get(ALL_NAMESPACES)
            names = ", ".join(self._parts)
        if found is None:
            raise NamespaceNotCached(
                f"{self.form.name} of namespace {namespace!r} are not cached, only those of {names}"
            )
        return [found]

    # ---- reading and writing --------------------------------------------------------------------------------------

    def key_of(self, namespace: str, name: str) -> str:
        return f"{namespace}/{name}" if namespace and self.form.info.namespaced else name

    def newest(self, namespace: str, name: str) -> Any:
        """What is kept of an object, or was written of it; GONE for nothing. Raises NamespaceNotCached."""
        key = self.key_of(namespace, name)
        for part in self.parts_of(namespace):
            found = part.overlay.newest(key)
            if found is not GONE:
                return found
        return GONE

    def select(self, query: Query, limit: int = 0) -> list[Any]:
        """What meets a query, as it is kept, with what was written in place of what is older."""
        if not self.form.info.namespaced:
            query = query._replace(namespace="")
        found: list[Any] = []
        for part in self.parts_of(query.namespace):
            found += _select_newest(part, query)
            if limit and len(found) >= limit:
                return found[:limit]
        return found

    def wrote(self, record: Record, since: int | None) -> None:
        """Lay the answer to a write that began at a moment over what is cached."""
        for part in self._written_to(record.namespace):
            part.overlay.wrote(record, since)

    def deleted(self, namespace: str, name: str, uid: str, version: str, since: int | None) -> None:
        """Lay a deletion over what is cached."""
        for part in self._written_to(namespace):
            part.overlay.deleted(self.key_of(namespace, name), uid, version, since)

    def _written_to(self, namespace: str) -> list[Part]:
        """The informers that will hear of a write; none where only the server knows whether they will."""
        try:
            return [part for part in self.parts_of(namespace) if not part.range.judges_fields]
        except NamespaceNotCached:
            return []

    def add_index(self, name: str, func: IndexFunc) -> None:
        """Make an index; nobody finds it before it is complete. Raises ValueError for a name that is taken."""
        with self._lock:
            if name in self._taken:
                raise ValueError(f"there is an index of {self.form.name} by {name.partition(':')[2]!r} already")
            self._taken.add(name)
        while True:
            for part in self.parts():  # not under the lock: this calls the user's function
                if not part.informer.indexer.has_index(name):
                    part.informer.add_indexers({name: func})
            with self._lock:
                if all(part.informer.indexer.has_index(name) for part in self._parts.values()):
                    self.fields[name] = func
                    return

    def status(self) -> list[InformerStatus]:
        """What each informer is up to."""
        return [_status(self.form, part) for part in self.parts()]


def _select_newest(part: Part, query: Query) -> list[Any]:
    keys = part.overlay.keys()  # before the rest: what is dropped meanwhile is in what is read then
    found = select(part.informer.indexer, query)
    if not keys:
        return found
    written = set(keys)
    found = [each for each in found if each.key not in written]
    newest = (part.overlay.newest(key) for key in keys)
    return found + [each for each in newest if each is not GONE and meets(part.informer.indexer, each, query)]


def _status(form: Form, part: Part) -> InformerStatus:
    informer, err, cause = part.informer, part.failures.last, part.failures.cause
    state = informer.debug_state()
    reflector = state.get("reflector") or {}
    return InformerStatus(
        form.name,
        part.range.namespace,
        informer.synced.is_set(),
        len(informer.indexer),
        informer.last_sync_resource_version(),
        reflector.get("seconds_since_event"),
        part.failures.count,
        str(err) if err is not None else "",
        cause.code if isinstance(cause, StatusError) else None,
        cause.reason if isinstance(cause, StatusError) else "",
        part.transform.errors if isinstance(part.transform, Forgiving) else 0,
        len(part.overlay),
        reflector.get("lists", 0),
        reflector.get("watches", 0),
        form.info,
        max((each["pending"] for each in state["handlers"]), default=0),
    )
