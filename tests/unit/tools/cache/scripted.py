"""A collection on a server that says what a test wrote down."""

from __future__ import annotations

import contextlib
import json
import queue
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from k8srt.api.core.v1 import Pod
from k8srt.apimachinery.meta import ListMeta, Status
from k8srt.apimachinery.record import Record, RecordList, WatchRecord, decode_record
from k8srt.apimachinery.wire import encode
from k8srt.errors import StatusError, status_error
from k8srt.tools.cache import ListOptions
from k8srt.util.threads import Stop

WAIT = 10.0


def pod(name: str, rv: int | str = 1, namespace: str = "default", **more: Any) -> Record:
    """A pod as a record. `more` goes into the metadata; `node` into the spec."""
    node = more.pop("node", "")
    metadata = {"name": name, "namespace": namespace, "uid": f"uid-{name}", "resourceVersion": str(rv), **more}
    document = {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": {"nodeName": node}}
    return decode_record(json.dumps(document).encode())


def pod_object(name: str, rv: int | str = 1, namespace: str = "default", **more: Any) -> Pod:
    return Pod.from_record(pod(name, rv, namespace, **more))


def pods(*records: Record, rv: int | str = 10, more: str = "") -> RecordList:
    return RecordList("v1", "PodList", ListMeta(resource_version=str(rv), continue_=more or None), list(records))  # type: ignore[arg-type]


def added(record: Record) -> WatchRecord:
    return WatchRecord("ADDED", record)


def modified(record: Record) -> WatchRecord:
    return WatchRecord("MODIFIED", record)


def deleted(record: Record) -> WatchRecord:
    return WatchRecord("DELETED", record)


def bookmark(rv: int | str, annotation: str | None = None) -> WatchRecord:
    metadata: dict[str, Any] = {"resourceVersion": str(rv)}
    if annotation is not None:
        metadata["annotations"] = {"k8s.io/initial-events-end": annotation}
    document = {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": {}}
    return WatchRecord("BOOKMARK", decode_record(json.dumps(document).encode()))


def status(code: int, reason: str, message: str = "") -> Status:
    return Status(
        api_version="v1", kind="Status", status="Failure", code=code, reason=reason, message=message or reason
    )


def failure(code: int, reason: str, message: str = "") -> WatchRecord:
    return WatchRecord("ERROR", decode_record(encode(status(code, reason, message))))


def api_error(code: int, reason: str, message: str = "") -> StatusError:
    return status_error(status(code, reason, message))


EXPIRED = api_error(410, "Expired", "too old resource version")
BUSY = api_error(429, "TooManyRequests", "try later")


class Stream:
    """A watch stream that gives these batches, and then waits, or ends."""

    def __init__(self, *batches: WatchRecord | Sequence[WatchRecord], end: bool = False) -> None:
        self._queue: queue.SimpleQueue[list[WatchRecord] | Exception | Callable[[], object]] = queue.SimpleQueue()
        self.closed = 0
        self.reads = 0
        for batch in batches:
            self.send(batch)
        if end:
            self.end()

    def send(self, batch: WatchRecord | Sequence[WatchRecord]) -> None:
        self._queue.put([batch] if isinstance(batch, WatchRecord) else list(batch))

    def do(self, action: Callable[[], object] | Exception) -> None:
        """Have the reader call something, or fail."""
        self._queue.put(action)

    def end(self) -> None:
        self._queue.put([])

    def read_batch(self) -> list[WatchRecord]:
        self.reads += 1
        while True:
            found = self._queue.get(timeout=WAIT)
            if isinstance(found, Exception):
                raise found
            if not callable(found):
                return found
            found()

    def close(self) -> None:
        self.closed += 1
        self._queue.put([])


Answer = Any


class Source:
    """A lister-watcher that answers by script, and then lists nothing new and watches quietly."""

    def __init__(self, lists: Sequence[Answer] = (), watches: Sequence[Answer] = (), *, streams: bool = False) -> None:
        self._cond = threading.Condition()
        self._lists, self._watches = list(lists), list(watches)
        self._streams = streams
        self.listed: list[ListOptions] = []
        self.watched: list[ListOptions] = []
        self.opened: list[Stream] = []

    def list(self, options: ListOptions, stop: threading.Event) -> RecordList:
        with self._cond:
            self.listed.append(options)
            answer = self._lists.pop(0) if self._lists else pods(rv=max(int(options.resource_version or 1), 1))
            self._cond.notify_all()
        result: RecordList = _answer(answer, options, stop)
        return result

    def watch(self, options: ListOptions, stop: threading.Event) -> Stream:
        with self._cond:
            self.watched.append(options)
            answer = self._watches.pop(0) if self._watches else Stream()
            self._cond.notify_all()
        stream: Stream = _answer(answer, options, stop)
        with self._cond:
            self.opened.append(stream)
        return stream

    def is_watch_list_semantics_unsupported(self) -> bool:
        return not self._streams

    def wait(self, *, lists: int = 0, watches: int = 0) -> None:
        """Wait until so many requests have come."""
        with self._cond:
            enough = self._cond.wait_for(lambda: len(self.listed) >= lists and len(self.watched) >= watches, WAIT)
        assert enough, f"{len(self.listed)} lists, {len(self.watched)} watches"

    @property
    def list_versions(self) -> list[str]:
        return [options.resource_version for options in self.listed]

    @property
    def watch_versions(self) -> list[str]:
        return [options.resource_version for options in self.watched]


def _answer(answer: Answer, options: ListOptions, stop: threading.Event) -> Any:
    if isinstance(answer, Exception):
        raise answer
    return answer(options, stop) if callable(answer) else answer


@contextlib.contextmanager
def running(run: Callable[[threading.Event], object]) -> Iterator[Stop]:
    """Run something in a thread until the end of the block."""
    stop = Stop()
    errors: list[BaseException] = []

    def body() -> None:
        try:
            run(stop)
        except BaseException as err:  # noqa: BLE001 - raised below
            errors.append(err)

    thread = threading.Thread(target=body, name="test-running", daemon=True)
    thread.start()
    try:
        yield stop
    finally:
        stop.set()
        thread.join(WAIT)
    assert not thread.is_alive()
    if errors:
        raise errors[0]


class Recorder:
    """A handler that writes down what it is told."""

    def __init__(self) -> None:
        self._cond = threading.Condition()
        self.told: list[tuple[Any, ...]] = []
        self.objects: list[Any] = []

    def _note(self, *what: Any, objects: Sequence[Any] = ()) -> None:
        with self._cond:
            self.told.append(what)
            self.objects.extend(objects)
            self._cond.notify_all()

    def on_add(self, obj: Any, is_in_initial_list: bool) -> None:
        self._note("add", obj.metadata.name, is_in_initial_list, objects=[obj])

    def on_update(self, old: Any, new: Any) -> None:
        versions = old.metadata.resource_version, new.metadata.resource_version
        self._note("update", new.metadata.name, *versions, objects=[old, new])

    def on_delete(self, obj: Any) -> None:
        name = obj.key if hasattr(obj, "key") else obj.metadata.name
        self._note("delete", name, objects=[obj])

    def wait(self, count: int) -> list[tuple[Any, ...]]:
        with self._cond:
            assert self._cond.wait_for(lambda: len(self.told) >= count, WAIT), self.told
            return list(self.told)
