"""One cache of one collection, and any number of handlers that are told what changes in it.

    informer = SharedIndexInformer(source, Pod)
    informer.add_event_handler(on_add=..., on_update=..., on_delete=...)
    with informer:
        informer.synced.wait(timeout=60.0)

Threads: the one that calls `run` takes changes out of the queue; the reflector has one; each handler has one. Handlers
get objects of their own and never hold up the cache. Once stopped, an informer does not run again.

Contract: INF-07 to INF-43, INF-67 to INF-70.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Generic, TypeVar

from k8srt.errors import AlreadyStarted, K8srtError
from k8srt.tools.cache.consumer import Notification, consume
from k8srt.tools.cache.controller import Controller
from k8srt.tools.cache.expected import Expectation, Expected
from k8srt.tools.cache.forms import Transform
from k8srt.tools.cache.handlers import FilteringResourceEventHandler, Handler, ResourceEventHandlerFuncs
from k8srt.tools.cache.identity import Identifier
from k8srt.tools.cache.indexer import Indexer, Indexers
from k8srt.tools.cache.listwatch import ListerWatcher
from k8srt.tools.cache.processor import Merging, Processor, Registration
from k8srt.tools.cache.queue import Pending, Queue
from k8srt.tools.cache.queues import QueueKind, check_queue_kind, make_queue
from k8srt.tools.cache.reflector import ErrorHandler, Reflector
from k8srt.tools.cache.running import Running
from k8srt.tools.cache.store import GONE
from k8srt.util.clock import SYSTEM, Clock
from k8srt.util.threads import Latch, linked

log = logging.getLogger(__name__)

T = TypeVar("T")


_REFLECTOR_OPTIONS = ("backoff", "max_internal_error_retry", "min_watch_timeout", "page_size", "rng", "watch_list")

INFORMER_OPTIONS = (*_REFLECTOR_OPTIONS, "fatal_errors", "identifier", "merge_beyond", "queue")
"""What may be said of every informer of a cache or a factory, as keywords."""


def check_informer_options(options: Mapping[str, Any]) -> None:
    """Raises TypeError for what no informer has."""
    if unknown := sorted(options.keys() - INFORMER_OPTIONS):
        raise TypeError(f"informers have no option {unknown[0]!r}; they have {', '.join(sorted(INFORMER_OPTIONS))}")


class InformerStopped(K8srtError):
    """A handler or index was added to an informer that has stopped. Contract: INF-16, INF-29."""


class SharedIndexInformer(Running, Generic[T]):
    """See the module. Thread-safe.

    `kind` is the class of the objects; `resync_period` in seconds, 0 for none. With `fatal_errors` an exception of a
    handler ends `run`, which raises it; otherwise it is logged, and the handler goes on. `queue` chooses what it runs
    on: see `QueueKind`. What waits for a slow handler is merged by key if it is more than `merge_beyond` notifications,
    and never with None. With an `identifier` it can be measured. Other options are those of the reflector:
    `watch_list`, `page_size`, `min_watch_timeout`, `backoff`, `rng`.
    """

    def __init__(
        self,
        source: ListerWatcher,
        kind: Expectation,
        *,
        resync_period: float = 0.0,
        indexers: Indexers | None = None,
        description: str = "",
        transform: Transform | None = None,
        fatal_errors: bool = False,
        queue: QueueKind = "delta",
        merge_beyond: int | None = None,
        identifier: Identifier | None = None,
        clock: Clock = SYSTEM,
        **reflector_options: Any,
    ) -> None:
        check_queue_kind(queue)
        check_informer_options(reflector_options)
        if merge_beyond is not None and merge_beyond < 1:
            raise ValueError(f"merge_beyond: {merge_beyond} is not positive")
        self._expected = Expected(kind, description)
        super().__init__(f"informer-{self._expected.description.lower()}")
        self._source = source
        self._kind = kind
        self.name = f"SharedIndexInformer {self._expected.description}"
        self.indexer: Indexer[T] = Indexer(indexers=indexers, kind=self._expected.kind)
        self.synced = Latch()
        self._clock = clock
        self._default_period = resync_period
        self._options = reflector_options
        self._queue_kind: QueueKind = queue
        self._identifier = identifier
        self._fatal = fatal_errors
        self._merging = None if merge_beyond is None else Merging(merge_beyond, self.indexer.key_of)
        self._processor = Processor(clock, resync_period, self.name)
        # Held while a batch is applied and distributed, and while a late handler is shown what is there, so that it
        # misses nothing and sees nothing twice. Taken after _lock where both are needed.
        self._deltas = threading.Lock()
        self._progress: tuple[Callable[[], object], ...] = ()  # replaced, never changed
        self._lock = threading.RLock()  # guards all below
        self._transform = transform
        self._error_handler: ErrorHandler | None = None
        self._controller: Controller | None = None
        self._started = False
        self._stopped = False
        self._crash: Exception | None = None

    # ---- handlers -------------------------------------------------------------------------------------------------

    def add_event_handler(
        self,
        handler: Handler | None = None,
        *,
        on_add: Callable[..., object] | None = None,
        on_update: Callable[[T, T], object] | None = None,
        on_delete: Callable[[Any], object] | None = None,
        filter: Callable[[Any], bool] | None = None,
        resync_period: float | None = None,
    ) -> Registration:
        """Add a handler, or functions that make one; at any time, from any thread, also from a handler.

        One that comes late is first told of everything in the cache as added. `resync_period` None is the informer's.
        Raises InformerStopped. Contract: INF-27 to INF-29, INF-36 to INF-40.
        """
        if handler is None:
            handler = ResourceEventHandlerFuncs(on_add, on_update, on_delete)
        elif on_add or on_update or on_delete:
            raise ValueError("give either a handler or functions, not both")
        if filter is not None:
            handler = FilteringResourceEventHandler(filter, handler)
        wanted = self._default_period if resync_period is None else resync_period
        with self._lock:
            if self._stopped:
                raise InformerStopped(
                    f"handler {handler!r} was not added to shared informer because it has stopped already"
                )
            registration = self._registration(handler)
            self._processor.settle_period(registration, wanted, started=self._started)
            if self._started:
                self._show_everything(registration)
            else:
                self._processor.add(registration)
        self.synced.on_set(registration.upstream_has_synced)
        return registration

    def add_event_handler_with_resync_period(self, handler: Handler, resync_period: float) -> Registration:
        """`add_event_handler` under its upstream name."""
        return self.add_event_handler(handler, resync_period=resync_period)

    def _registration(self, handler: Handler) -> Registration:
        on_crash = self._crashed if self._fatal else None
        thaw = self.indexer.form.thaw
        return Registration(handler, thaw, self._clock, about=self.name, on_crash=on_crash, merging=self._merging)

    def _show_everything(self, registration: Registration) -> None:
        with self._deltas:
            self._processor.add(registration)
            chunk = [Notification(GONE, kept, True) for kept in self.indexer.kept()]
            if chunk:
                registration.push(chunk, len(chunk))

    def remove_event_handler(self, registration: Registration) -> None:
        """Tell it nothing more; a call that is under way may still finish after this. Twice is fine.

        Raises TypeError for what is no registration. Contract: INF-33, INF-34.
        """
        if not isinstance(registration, Registration):
            raise TypeError(f"not a registration: {registration!r}")
        self._processor.remove(registration)

    # ---- before the start -----------------------------------------------------------------------------------------

    def set_transform(self, transform: Transform | None) -> None:
        """Have every object changed before it is stored. Raises AlreadyStarted. Contract: INF-15, INF-20."""
        with self._lock:
            self._refuse_started_locked()
            self._transform = transform

    def set_watch_error_handler(self, handler: ErrorHandler) -> None:
        """Have `handler(reflector, error)` called in place of a log line. Raises AlreadyStarted. Contract: INF-15."""
        with self._lock:
            self._refuse_started_locked()
            self._error_handler = handler

    def _refuse_started_locked(self) -> None:
        if self._started:
            raise AlreadyStarted("informer has already started")

    def add_indexers(self, indexers: Indexers) -> None:
        """Add indices, at any time before the end. Raises InformerStopped, ValueError, IndexFuncError: INF-16."""
        with self._lock:
            if self._stopped:
                raise InformerStopped("indexer was not added because it has stopped already")
        self.indexer.add_indexers(indexers)

    # ---- running --------------------------------------------------------------------------------------------------

    def run(self, stop: threading.Event) -> None:
        """Fill the cache and tell the handlers until `stop` is set. Blocks.

        Returns when every thread of it has ended. A second call returns at once, with a warning. Contract: INF-12.
        """
        controller = self._begin()
        if controller is None:
            log.warning("%s: was started already, and runs only once", self.name)
            return
        with linked(stop) as linked_stop:
            forget = linked_stop.on_set(self._halt.set)
            self._processor.start()
            try:
                controller.run(self._halt)
            finally:
                with self._lock:
                    self._stopped = True
                forget()
                self._processor.stop()
        if self._crash is not None:
            raise self._crash

    def _begin(self) -> Controller | None:
        with self._lock:
            if self._started:
                return None
            self._started = True
            queue = make_queue(
                self._queue_kind,
                self.indexer,
                transformer=self._transform,
                name=self._expected.description,
                clock=self._clock,
                identifier=self._identifier,
            )
            queue.synced.on_set(self.synced.set)
            name = self._expected.description.lower()
            self._controller = Controller(queue, lambda: self._reflector(queue), self._process, name)
            return self._controller

    def _reflector(self, queue: Queue) -> Reflector:
        with self._lock:
            return Reflector(
                self._source,
                self._kind,
                queue,
                description=self._expected.description,
                name=self._expected.description,
                resync_period=self._processor.check_period,
                should_resync=self._processor.should_resync,
                error_handler=self._error_handler,
                clock=self._clock,
                **self._options,
            )

    def _process(self, batch: Sequence[Pending], initial: bool) -> None:
        try:
            with self._deltas:
                self._processor.distribute(consume(self.indexer, batch, initial))
        except Exception:
            log.exception("%s: cannot process a batch of %d", self.name, len(batch))
        for told in self._progress:
            told()

    def on_progress(self, callback: Callable[[], object]) -> Callable[[], None]:
        """Have `callback`, which must be quick, called by the informer's thread whenever the cache has moved on, be it
        only to a later version. Returns how to end that."""
        with self._lock:
            self._progress = (*self._progress, callback)

        def forget() -> None:
            with self._lock:
                self._progress = tuple(each for each in self._progress if each is not callback)

        return forget

    def _crashed(self, err: Exception) -> None:
        with self._lock:
            self._crash = self._crash or err
        self._halt.set()

    # ---- asking ---------------------------------------------------------------------------------------------------

    @property
    def store(self) -> Indexer[T]:
        """The cache, also before the start. Not to be written to. Contract: INF-17."""
        return self.indexer

    def has_synced(self) -> bool:
        """Whether the initial list is in the cache; handlers may be behind. Contract: INF-18."""
        with self._lock:
            controller = self._controller
        return controller is not None and controller.has_synced()

    def is_stopped(self) -> bool:
        """Whether it has run and is over. Contract: INF-14."""
        with self._lock:
            return self._stopped

    def is_started(self) -> bool:
        """Whether it runs or has run."""
        with self._lock:
            return self._started

    def last_sync_resource_version(self) -> str:
        """The resource version the cache is at; "" before the start. Contract: INF-19."""
        with self._lock:
            controller = self._controller
        return controller.last_sync_resource_version() if controller is not None else ""

    def debug_state(self) -> Mapping[str, Any]:
        """What this is up to: cache, queue, reflector, handlers."""
        with self._lock:
            controller, stopped = self._controller, self._stopped
        inner = controller.debug_state() if controller is not None else {}
        return {
            "name": self.name,
            "objects": len(self.indexer),
            "synced": self.synced.is_set(),
            "stopped": stopped,
            "handlers": [registration.debug_state() for registration in self._processor.all()],
            "last_error": (inner.get("reflector") or {}).get("last_error"),
            **inner,
        }

    def __repr__(self) -> str:
        state = "stopped" if self.is_stopped() else "running" if self.is_started() else "not started"
        version = self.last_sync_resource_version()
        return f"<{self.name}: {state}, {len(self.indexer)} objects{f' at version {version}' if version else ''}>"


def shut_down_event_handler(informer: SharedIndexInformer[Any], registration: Registration) -> None:
    """Remove a handler and wait until it has returned; not to be called from within it. Contract: INF-35."""
    informer.remove_event_handler(registration)
    registration.join()
