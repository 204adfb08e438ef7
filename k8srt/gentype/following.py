"""Follows a collection on a server through whatever happens: the machinery of `watch(forever=True)` and `wait`.

    LISTING ──ok──▶ WATCHING ──end, silence, cut──▶ WATCHING, from the last version seen
       ▲                │ that version has expired, or an unknown failure
       └────────────────┘

A watch that ends is opened again at once if it brought something or lasted a second, else after a delay that grows; so
is a list that fails. What cannot get better by itself, such as Forbidden, is raised.

Contract: USR-01 to USR-04, USR-06, REFL-11, REFL-17, REFL-34 to REFL-39.
"""

from __future__ import annotations

import logging
import random
from collections.abc import Iterator
from typing import Any, Protocol

from k8srt.apimachinery.meta import Status
from k8srt.apimachinery.record import Record, RecordList, WatchRecord, encode_record
from k8srt.apimachinery.unstructured import with_type
from k8srt.apimachinery.wire import decoder
from k8srt.errors import (
    BadRequest,
    ClientClosed,
    Forbidden,
    Gone,
    Invalid,
    K8srtError,
    MethodNotSupported,
    NotAcceptable,
    NotFound,
    StatusError,
    Stopped,
    Timeout,
    TooManyRequests,
    TransportError,
    Unauthorized,
    UnsupportedMediaType,
    status_error,
)
from k8srt.gentype.known import Known
from k8srt.tools.pager import PAGE_SIZE, Pager
from k8srt.util.clock import SYSTEM, Clock
from k8srt.util.threads import Stop
from k8srt.util.wait import Backoff, BackoffManager

log = logging.getLogger(__name__)

BACKOFF = Backoff(initial=0.8, factor=2.0, jitter=1.0, cap=30.0)
BACKOFF_RESET = 120.0
MIN_WATCH_TIMEOUT = 300
SHORT = 1.0
"""Seconds below which a watch that brought nothing is suspicious."""

HOPELESS = (
    BadRequest,
    ClientClosed,
    Forbidden,
    Invalid,
    MethodNotSupported,
    NotAcceptable,
    NotFound,
    Unauthorized,
    UnsupportedMediaType,
)
_SELECTORS = ("label_selector", "field_selector")


class Stream(Protocol):
    """The records of one watch; as `k8srt.rest.watch.WatchStream`."""

    def read_batch(self) -> list[WatchRecord]: ...
    def close(self) -> None: ...


class Follower:
    """Yields batches of changes until `halt` is set. Used by one thread; `halt` is set by any."""

    def __init__(
        self,
        source: Any,
        halt: Stop,
        options: dict[str, Any],
        *,
        about: str,
        add_types: bool = False,
        bookmarks: bool = False,
        clock: Clock = SYSTEM,
        rng: random.Random | None = None,
        backoff: Backoff = BACKOFF,
    ) -> None:
        """`source` has `list_records` and `watch_records` with the keywords of a `ResourceClient`; `options` are those
        of a watch. `add_types` completes the items of lists, `bookmarks` hands them on."""
        self._source = source
        self._halt = halt
        self._options = options
        self._about = about
        self._add_types = add_types
        self._bookmarks = bookmarks
        self._clock = clock
        self._rng = rng or random.Random()
        self._backoff = BackoffManager(backoff, BACKOFF_RESET, clock=clock, rng=self._rng)
        self._since: float | None = None  # the beginning of an outage
        given = str(options.get("resource_version") or "")
        listed = options.get("resource_version_match") or options.get("send_initial_events")
        self.version = "" if given == "0" or listed else given
        self.known = Known(self.version)
        self._must_list = not self.version
        self._moved = True  # whether something came since the last list

    def begin(self) -> list[WatchRecord]:
        """Make the first list, if one is needed, and return what there is. Raises what the list raises."""
        if not self._must_list:
            return []
        match = self._options.get("resource_version_match") or ""
        found = self._list_at(str(self._options.get("resource_version") or ""), match)
        return self._take_list(found)

    def batches(self) -> Iterator[list[WatchRecord]]:
        """Yield what changes, in batches that may be empty. Raises what cannot get better by itself."""
        while not self._halt.is_set():
            yield from (self._relist() if self._must_list else self._watch())

    # ---- listing --------------------------------------------------------------------------------------------------

    def _relist(self) -> Iterator[list[WatchRecord]]:
        try:
            found = self._list()
        except (K8srtError, OSError) as err:
            self._failed("list", err)
            return
        changes = self._take_list(found)
        log.debug("%s: listed again, %d changes", self._about, len(changes))
        yield changes

    def _list(self) -> RecordList:
        """List, never older than before unless the server refuses that. Contract: REFL-11, REFL-20, REFL-39."""
        try:
            return self._list_at(self.version)
        except (Gone, Timeout):  # a version that is too new is answered with a timeout
            if not self.version:
                raise
            return self._list_at("")

    def _list_at(self, version: str, match: str = "") -> RecordList:
        pager = Pager(
            lambda page: self._source.list_records(**page, stop=self._halt),
            page_size=PAGE_SIZE if version in ("", "0") else 0,
        )
        asked = {name: self._options[name] for name in _SELECTORS if self._options.get(name)}
        if version:
            asked["resource_version"] = version
        if match:
            asked["resource_version_match"] = match
        return pager.list(asked, self._halt).list

    def _take_list(self, found: RecordList) -> list[WatchRecord]:
        self._works()
        self.version = found.metadata.resource_version or ""
        self._must_list = self._moved = False
        return self.known.replaced(self._typed(found))

    def _typed(self, found: RecordList) -> list[Record]:
        if not self._add_types:
            return found.records
        kind = found.kind.removesuffix("List")
        return [with_type(record, found.api_version, kind) for record in found.records]

    # ---- watching -------------------------------------------------------------------------------------------------

    def _watch(self) -> Iterator[list[WatchRecord]]:
        opened, before = self._clock.now(), self.version
        try:
            stream: Stream = self._source.watch_records(**self._watch_options(), stop=self._halt)
        except (K8srtError, OSError) as err:
            self._failed("watch", err)
            return
        failure: StatusError | None = None
        forget = self._halt.on_set(stream.close)
        try:
            while failure is None and not self._halt.is_set() and (batch := self._read(stream)):
                changes, failure = self._take(batch)
                yield changes
        finally:
            forget()
            stream.close()
        self._ended(failure, self.version != before or self._clock.now() - opened >= SHORT)

    def _watch_options(self) -> dict[str, Any]:
        """Options of one watch; the server is to end it after some minutes. Contract: REFL-05, REFL-34."""
        names = (*_SELECTORS, "idle_timeout", "timeout_seconds")
        asked = {name: self._options[name] for name in names if self._options.get(name)}
        asked.setdefault("timeout_seconds", self._rng.randrange(MIN_WATCH_TIMEOUT, 2 * MIN_WATCH_TIMEOUT))
        return {**asked, "resource_version": self.version, "allow_watch_bookmarks": True}

    def _read(self, stream: Stream) -> list[WatchRecord]:
        try:
            return stream.read_batch()
        except TransportError as err:  # a lost connection is an end like any other
            log.info("%s: a watch was cut: %s", self._about, err)
            return []

    def _take(self, batch: list[WatchRecord]) -> tuple[list[WatchRecord], StatusError | None]:
        changes: list[WatchRecord] = []
        for kind, record in batch:
            if kind == "ERROR":
                return changes, status_error(decoder(Status).decode(encode_record(record)))
            if kind == "BOOKMARK":
                changes += [WatchRecord(kind, record)] if self._bookmarks else []
            else:
                changes += self.known.taken(kind, record)
            self.version = record.resource_version or self.version
        self._works()
        return changes, None

    # ---- what comes next ------------------------------------------------------------------------------------------

    def _ended(self, failure: StatusError | None, brought: bool) -> None:
        """A watch is over. Contract: REFL-36, USR-03, USR-06."""
        if self._halt.is_set():
            return
        self._moved = self._moved or brought
        if isinstance(failure, Gone):
            self._expired(failure)
        elif failure is not None:
            level = logging.DEBUG if said(failure) else logging.WARNING
            log.log(level, "%s: the watch ended with: %s", self._about, failure)
            self._must_list = not isinstance(failure, TooManyRequests)
            self._pause(failure)
        elif not brought:
            self._pause(None)

    def _expired(self, err: Gone) -> None:
        """Nothing but a list helps; it follows at once, unless one was just made. Contract: USR-03."""
        log.debug("%s: the version of the watch has expired: %s", self._about, err)
        self._must_list = True
        if not self._moved:
            self._pause(err)

    def _failed(self, verb: str, err: Exception) -> None:
        """A request failed. Raises it when another try makes no sense."""
        if self._halt.is_set() or isinstance(err, Stopped):
            return
        if isinstance(err, HOPELESS):
            raise err
        if verb == "watch" and isinstance(err, Gone):
            self._expired(err)
            return
        if not isinstance(err, (TransportError, TooManyRequests, OSError)):
            self._must_list = True
        if self._since is None:
            self._since = self._clock.now()
            log.warning("%s: cannot %s: %s; trying again", self._about, verb, err)
        self._pause(err)

    def _works(self) -> None:
        if self._since is not None:
            log.info("%s: works again after %.1fs", self._about, self._clock.now() - self._since)
            self._since = None

    def _pause(self, err: Exception | None) -> None:
        asked = err.retry_after if isinstance(err, StatusError) else None
        self._clock.wait_event(self._halt, max(self._backoff.step(), asked or 0.0))


def said(err: StatusError) -> bool:
    """Whether whoever could not read a watch has said so already."""
    return err.has_cause("ClientWatchDecoding")
