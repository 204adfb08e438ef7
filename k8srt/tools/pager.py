"""Lists in pages: all in one list, one after the other, or through a function.

The pager knows no server: it calls `page(options)`, which answers one page as a `RecordList`. Options are keywords as
`ResourceClient.list` takes them. A page after the first asks with the continue token alone, never with a resource
version (MACH-48).

Contract: MACH-47 to MACH-49, REFL-18, USR-35.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from k8srt.apimachinery.record import Record, RecordList
from k8srt.errors import Expired, Stopped
from k8srt.util.threads import spawn

PAGE_SIZE = 500
PAGE_BUFFER = 10

Options = Mapping[str, Any]
PageFunction = Callable[[dict[str, Any]], RecordList]


class Listed(NamedTuple):
    """A whole list, and whether it took more than one page."""

    list: RecordList
    paginated: bool


class Pager:
    """Lists through `page`. Thread-safe: it keeps nothing between calls."""

    def __init__(
        self,
        page: PageFunction,
        *,
        page_size: int = PAGE_SIZE,
        page_buffer: int = PAGE_BUFFER,
        full_list_if_expired: bool = True,
    ) -> None:
        """`page_size` 0 leaves the limit to the server. Raises ValueError for a negative size or buffer."""
        if page_size < 0 or page_buffer < 0:
            raise ValueError(f"page_size and page_buffer must not be negative: {page_size}, {page_buffer}")
        self._page = page
        self._page_size = page_size
        self._page_buffer = page_buffer
        self._full_list_if_expired = full_list_if_expired

    def list(self, options: Options | None = None, stop: threading.Event | None = None) -> Listed:
        """Return everything as one list, with the metadata of the first page.

        When the continue token expires on the way, it lists once more without limit, at the resource version asked
        for. Raises Stopped, and whatever `page` raises.
        """
        asked = dict(options or {})
        first = self._page(self._first(asked))
        if not _token(first):
            return Listed(first, False)
        records, last = list(first.records), first
        while token := _token(last):
            _check(stop)
            try:
                last = self._page(self._following(asked, token))
            except Expired:
                if not self._full_list_if_expired:
                    raise
                return Listed(self._page({**asked, "limit": 0, "continue_": ""}), True)
            records += last.records
        first.metadata.continue_ = ""
        first.metadata.remaining_item_count = None  # type: ignore[assignment]
        return Listed(first._replace(records=records), True)

    def pages(self, options: Options | None = None, stop: threading.Event | None = None) -> Iterator[RecordList]:
        """Yield page after page. Raises Expired when the continue token expires: nothing is repeated here."""
        asked = dict(options or {})
        page = self._page(self._first(asked))
        yield page
        while token := _token(page):
            _check(stop)
            page = self._page(self._following(asked, token))
            yield page

    def iterate(self, options: Options | None = None, stop: threading.Event | None = None) -> Iterator[Record]:
        """Yield each record once, one page in memory at a time, also when the continue token expires on the way.

        It then goes on with the token the server offers instead, or starts again and passes over what it has yielded:
        servers list in the order of namespace and name.
        """
        asked = dict(options or {})
        seen = ""
        request = self._first(asked)
        while True:
            _check(stop)
            try:
                page = self._page(request)
            except Expired as err:
                if not request.get("continue_"):
                    raise
                offered = _token_of(getattr(err.status, "metadata", None))
                request = self._following(asked, offered) if offered else self._first({**asked, "resource_version": ""})
                continue
            for record in page.records:
                if (key := _order(record)) > seen:
                    seen = key
                    yield record
            if not (token := _token(page)):
                return
            request = self._following(asked, token)

    def each_list_item(
        self, fn: Callable[[Record], object], options: Options | None = None, stop: threading.Event | None = None
    ) -> None:
        """Call `fn` with each record while the next pages are fetched in the background.

        What `fn` raises ends it. Raises Expired too: there is no falling back. Contract: MACH-49.
        """
        with _Prefetch(self.pages(options, stop), self._page_buffer) as pages:
            for page in pages:
                for record in page.records:
                    _check(stop)
                    fn(record)

    def _first(self, asked: dict[str, Any]) -> dict[str, Any]:
        return asked if asked.get("limit") else {**asked, "limit": self._page_size}

    def _following(self, asked: dict[str, Any], token: str) -> dict[str, Any]:
        plain = {key: value for key, value in asked.items() if not key.startswith("resource_version")}
        return {**self._first(plain), "continue_": token}


def _token(page: RecordList) -> str:
    return _token_of(page.metadata)


def _token_of(metadata: Any) -> str:
    return (getattr(metadata, "continue_", None) or "") if metadata is not None else ""


def _order(record: Record) -> str:
    return f"{record.namespace}/{record.name}"


def _check(stop: threading.Event | None) -> None:
    if stop is not None and stop.is_set():
        raise Stopped("stopped while listing")


class _Prefetch:
    """Runs an iterator of pages in a thread, at most so many pages ahead. The thread ends with the context."""

    def __init__(self, pages: Iterator[RecordList], ahead: int) -> None:
        self._pages = pages
        self._ready: queue.Queue[RecordList | BaseException | None] = queue.Queue()
        self._room = threading.Semaphore(ahead + 1)
        self._over = False  # written once, by the context's end, before it makes room

    def __enter__(self) -> Iterator[RecordList]:
        self._thread = spawn("pager", self._run)
        return self._take()

    def __exit__(self, *exc: object) -> None:
        self._over = True
        self._room.release()
        self._thread.join()

    def _take(self) -> Iterator[RecordList]:
        while (page := self._ready.get()) is not None:
            if isinstance(page, BaseException):
                raise page
            self._room.release()
            yield page

    def _run(self) -> None:
        try:
            while True:
                self._room.acquire()
                if self._over or (page := next(self._pages, None)) is None:
                    break
                self._ready.put(page)
        except Exception as err:  # noqa: BLE001 - raised again by the one who takes
            self._ready.put(err)
        self._ready.put(None)
