"""Where events come from: informers, channels, polls, schedules."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from queue import Queue as InputQueue
from typing import Any

import pytest

from k8srt import errors
from k8srt.api.core.v1 import ConfigMap, Pod, Secret
from k8srt.apimachinery.meta import ObjectMeta
from k8srt.controller import predicate as p
from k8srt.controller.cache.cache import Cache
from k8srt.controller.event import CreateEvent, UpdateEvent
from k8srt.controller.handler import EnqueueForObject, EnqueueMapped, EventHandler
from k8srt.controller.request import Request
from k8srt.controller.source import Func, Informer, Kind, SourceFailed, in_words
from k8srt.controller.sources.channel import Channel, Feed, as_request
from k8srt.controller.sources.cron import Cron
from k8srt.controller.sources.timed import Poll, Schedule, digest
from k8srt.testing import FakeClientset, FakeClock
from k8srt.util.threads import Stop

LONG = 20.0


class Added:
    """A queue that keeps what is added, for waiting."""

    def __init__(self) -> None:
        self._cond = threading.Condition()
        self.keys: list[str] = []

    def add_with(
        self, items: Iterable[Request], *, after: float = 0.0, rate_limited: bool = False, priority: int = 0
    ) -> None:
        with self._cond:
            self.keys += map(str, items)
            self._cond.notify_all()

    def wait_for(self, *keys: str) -> None:
        with self._cond:
            assert self._cond.wait_for(lambda: len(self.keys) >= len(keys), timeout=LONG), self.keys
            assert self.keys == list(keys)
            self.keys.clear()


def config_map(name: str, **data: str) -> ConfigMap:
    return ConfigMap(metadata=ObjectMeta(name=name, namespace="shop"), data=data)


@pytest.fixture
def started() -> Iterator[Callable[[Any], Added]]:
    sources = []

    def start(source: Any) -> Added:
        queue = Added()
        source.start(queue)
        sources.append(source)
        return queue

    yield start
    for source in sources:
        source.stop()


@pytest.fixture
def fake() -> FakeClientset:
    return FakeClientset(config_map("a"))


@pytest.fixture
def cache(fake: FakeClientset) -> Iterator[Cache]:
    cache, stop = Cache(fake), Stop()
    thread = threading.Thread(target=cache.start, args=(stop,), daemon=True)
    thread.start()
    yield cache
    stop.set()
    thread.join(LONG)


def test_src_01_a_function_is_given_a_stop_and_the_queue() -> None:
    given: list[Any] = []
    source, queue = Func(lambda *parts: given.extend(parts)), Added()

    source.start(queue)
    source.wait_for_sync(0.0, Stop())

    stop, got = given
    assert got is queue
    assert not stop.is_set()
    source.stop()
    assert stop.is_set()


def test_src_01_and_03_a_kind_has_synced_when_its_handler_saw_it_all(
    fake: FakeClientset, cache: Cache, started: Callable[[Any], Added]
) -> None:
    go_on = threading.Event()

    class Slow(EnqueueForObject):
        def requests(self, event: Any) -> Any:
            assert go_on.wait(LONG)
            return super().requests(event)

    source = Kind(cache, ConfigMap, Slow(), lambda obj: obj.metadata.namespace == "shop")
    queue = started(source)
    assert cache.informer(ConfigMap).synced.wait(LONG)

    with pytest.raises(SourceFailed, match=r"<Kind ConfigMap> has not synced within 0\.01s"):
        source.wait_for_sync(0.01, Stop())
    go_on.set()
    source.wait_for_sync(LONG, Stop())

    assert "shop/a" in queue.keys


def test_src_01_an_informer_of_somebody_else(
    fake: FakeClientset, cache: Cache, started: Callable[[Any], Added]
) -> None:
    source = Informer(cache.informer(ConfigMap), EnqueueForObject(), p.from_function(lambda obj: obj.data))

    queue = started(source)
    source.wait_for_sync(LONG, Stop())
    fake.core_v1.config_maps("shop").create(config_map("b", k="v"))

    queue.wait_for("shop/b")


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda cache: Kind(None, ConfigMap, EnqueueForObject()), "needs a cache"),  # type: ignore[arg-type]
        (lambda cache: Kind(cache, ObjectMeta, EnqueueForObject()), "not the class of a resource"),  # type: ignore[arg-type]
        (lambda cache: Kind(cache, ConfigMap, None), "needs a handler"),  # type: ignore[arg-type]
    ],
)
def test_src_02_what_is_missing_is_told(cache: Cache, make: Callable[[Cache], Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make(cache)


def test_src_04_what_cannot_be_had_is_tried_again_and_explained(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    clock = FakeClock()
    tries: list[int] = []

    class Absent:
        def informer(self, kind: Any) -> Any:
            tries.append(1)
            raise errors.MappingError('no matches for kind "Foo"')

    source = Kind(Absent(), ConfigMap, EnqueueForObject(), clock=clock)  # type: ignore[arg-type]
    failures: list[BaseException] = []

    def wait() -> None:
        try:
            source.wait_for_sync(25.0, Stop())
        except SourceFailed as err:
            failures.append(err)

    source.start(Added())
    thread = threading.Thread(target=wait, daemon=True)
    thread.start()
    for seconds in (10.0, 10.0, 5.0):
        clock.wait_for_sleepers(1)
        clock.advance(seconds)
    thread.join(LONG)

    assert len(tries) == 4
    (failure,) = failures
    assert str(failure).startswith("<Kind ConfigMap> has not synced within 25s")
    assert "is the CRD installed?" in str(failure)
    assert sum("has not synced yet" in message for message in caplog.messages) == 2
    source.stop()


def test_src_04_causes_in_words() -> None:
    assert in_words("pods is forbidden: User x").endswith("(may this program list and watch them?)")
    assert in_words("something else") == "something else"
    assert in_words("") == ""


def test_src_05_what_was_sent_comes_in_order_before_and_after_the_start(started: Callable[[Any], Added]) -> None:
    channel = Channel(EnqueueForObject(), p.Funcs(generic=lambda event: event.object.metadata.name != "no"))
    channel.send(config_map("a"))

    queue = started(channel)
    channel.wait_for_sync(0.0, Stop())
    channel.send("shop/no")
    channel.send(Request("shop", "b"))
    channel.send("c")

    queue.wait_for("shop/a", "shop/b", "c")


def test_src_05_each_watcher_of_a_feed_sees_all_in_order(started: Callable[[Any], Added]) -> None:
    feed = Feed()
    queues = [started(Channel(EnqueueForObject(), of=feed)) for _ in range(3)]
    keys = [f"shop/{number}" for number in range(50)]

    for key in keys:
        feed.send(key)

    for queue in queues:
        queue.wait_for(*keys)


def test_src_05_a_full_buffer_holds_the_sender_back() -> None:
    channel = Channel(EnqueueForObject(), size=2)
    channel.send("a")
    channel.send("b")

    with pytest.raises(errors.WaitTimeout, match=r"has been full for 0\.01s"):
        channel.send("c", timeout=0.01)

    queue = Added()
    channel.start(queue)
    channel.send("c", timeout=LONG)
    queue.wait_for("a", "b", "c")
    channel.stop()


def test_src_05_a_channel_that_never_began_holds_nobody_back_once_it_is_stopped() -> None:
    feed = Feed()
    channel = Channel(EnqueueForObject(), of=feed, size=1)
    feed.send("a")
    with pytest.raises(errors.WaitTimeout):
        feed.send("b", timeout=0.0)

    channel.stop()
    channel.stop()

    feed.send("b", timeout=0.0)
    assert repr(feed) == "<Feed of 0 channels>"


def test_src_05_a_sender_with_a_timeout_does_not_wait_for_one_without() -> None:
    channel = Channel(EnqueueForObject(), size=1)
    channel.send("a")
    waiting = threading.Thread(target=channel.send, args=("b",), daemon=True)
    waiting.start()

    with pytest.raises(errors.WaitTimeout):
        channel.send("c", timeout=0.01)

    channel.stop()
    waiting.join(LONG)
    assert not waiting.is_alive()


@pytest.mark.parametrize("kind", ["queue", "iterable"])
def test_src_05_it_reads_a_queue_or_an_iterable_to_its_end(kind: str, started: Callable[[Any], Added]) -> None:
    waiting: InputQueue[Any] = InputQueue()
    for key in ("a", "b"):
        waiting.put(key)
    channel = Channel(EnqueueForObject(), of=waiting if kind == "queue" else iter(["a", "b"]))

    queue = started(channel)

    queue.wait_for("a", "b")
    if kind == "iterable":
        assert channel.feed._over.wait(LONG)
        with pytest.raises(errors.Stopped, match="is closed"):
            channel.send("c")


def test_src_05_a_sender_that_waits_is_let_go_at_the_end() -> None:
    entered, go_on = threading.Event(), threading.Event()

    class Slow(EnqueueForObject):
        def requests(self, event: Any) -> Any:
            entered.set()
            assert go_on.wait(LONG)
            return super().requests(event)

    channel = Channel(Slow(), size=1)
    channel.start(Added())
    channel.send("a")
    assert entered.wait(LONG)
    channel.send("b")
    sender = threading.Thread(target=channel.send, args=("c",), daemon=True)
    sender.start()
    stopper = threading.Thread(target=channel.stop, daemon=True)
    stopper.start()

    sender.join(LONG)
    assert not sender.is_alive()
    go_on.set()
    stopper.join(LONG)
    assert not stopper.is_alive()


def test_src_05_a_handler_that_raises_ends_nothing(started: Callable[[Any], Added], caplog: Any) -> None:
    class Picky(EventHandler):
        def requests(self, event: Any) -> Any:
            if event.object.metadata.name == "bad":
                raise RuntimeError("no")
            return [Request.of(event.object)]

    channel = Channel(Picky())
    queue = started(channel)
    channel.send("bad")
    channel.send("good")

    queue.wait_for("good")
    assert "failed" in caplog.text


def test_src_06_keys() -> None:
    assert as_request("shop/a") == Request("shop", "a")
    assert as_request(config_map("a")) == Request("shop", "a")
    for wrong in ("", "a/b/c", "a/"):
        with pytest.raises(ValueError, match="a key is"):
            as_request(wrong)
    with pytest.raises(errors.K8srtError):
        as_request(7)


def test_src_06_a_poll_tells_what_is_new_changed_and_gone() -> None:
    clock = FakeClock()
    buckets: list[dict[str, Any]] = [{"name": "a", "size": 1}, {"name": "b", "size": 1}]
    poll = Poll(
        lambda: [dict(each) for each in buckets],
        60.0,
        key=lambda bucket: f"shop/{bucket['name']}",
        where=p.from_function(lambda bucket: bucket["name"] != "hidden"),
        clock=clock,
        random=lambda: 0.5,
    )
    queue = Added()
    poll.start(queue)
    queue.wait_for("shop/a", "shop/b")

    clock.wait_for_sleepers(1)
    buckets[0]["size"] = 2
    buckets[1] = {"name": "c", "size": 1}
    buckets.append({"name": "hidden"})
    clock.advance(60.0)
    queue.wait_for("shop/a", "shop/c", "shop/b")

    clock.wait_for_sleepers(1)
    clock.advance(60.0)
    clock.wait_for_sleepers(1)
    assert queue.keys == []
    poll.stop()


def test_src_06_a_poll_that_fails_backs_off_and_forgets_nothing(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    answers: list[Any] = [[config_map("a")], OSError("down"), OSError("down"), [config_map("a", k="v")]]

    def look_up() -> Any:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    poll = Poll(look_up, 100.0, random=lambda: 0.5)
    queue, pauses = Added(), []
    for _ in range(4):
        pauses.append(poll.pause())
        poll.look(queue)

    assert pauses == [0.0, 100.0, 200.0, 300.0]
    assert queue.keys == ["shop/a", "shop/a"]
    assert [record.levelname for record in caplog.records] == ["WARNING", "INFO"]
    early = Poll(list, 100.0, random=lambda: 0.0)
    assert (early.pause(), round(early.pause())) == (0.0, 90)
    with pytest.raises(ValueError, match="more than 0"):
        Poll(look_up, 0.0)


def test_src_06_digests() -> None:
    assert digest({"a": 1, "b": 2}) == digest({"b": 2, "a": 1})
    assert digest(config_map("a")) == digest(config_map("a"))
    assert digest(config_map("a")) != digest(config_map("a", k="v"))
    assert digest(3 + 4j) == digest(3 + 4j)


def test_src_06_a_schedule_is_due_by_the_clock() -> None:
    clock = FakeClock(time=datetime(2026, 1, 1, 10, 7, 30, tzinfo=UTC))
    schedule = Schedule("*/15 * * * *", ["shop/nightly"], clock=clock)
    queue = Added()
    schedule.start(queue)

    clock.wait_for_sleepers(1)
    clock.advance(7 * 60.0)
    clock.wait_for_sleepers(1)
    assert queue.keys == []
    clock.advance(30.0)
    queue.wait_for("shop/nightly")
    clock.wait_for_sleepers(1)
    clock.advance(15 * 60.0)
    queue.wait_for("shop/nightly")
    schedule.stop()


@pytest.mark.parametrize(
    ("line", "after", "expected"),
    [
        ("0 3 * * *", "2026-01-01 03:00", "2026-01-02 03:00"),
        ("30 8-18/5 * * mon-fri", "2026-01-02 18:31", "2026-01-05 08:30"),
        ("0 0 29 feb *", "2026-03-01 00:00", "2028-02-29 00:00"),
        ("0 0 13 * 5", "2026-01-02 00:00", "2026-01-09 00:00"),
        ("0 0 13 * 5", "2026-01-09 00:00", "2026-01-13 00:00"),
        ("0 12 * * 7", "2026-01-01 00:00", "2026-01-04 12:00"),
        ("5,10 0 1 */6 *", "2026-01-01 00:05", "2026-01-01 00:10"),
        ("@monthly", "2026-12-31 23:59", "2027-01-01 00:00"),
    ],
)
def test_src_06_cron(line: str, after: str, expected: str) -> None:
    assert Cron(line).after(datetime.fromisoformat(after)) == datetime.fromisoformat(expected)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("* * * *", "five fields"),
        ("60 * * * *", "minute: '60' is not 0 to 59"),
        ("* * * foo *", "month: 'foo'"),
        ("9-5 * * * *", "runs backwards"),
        ("*/0 * * * *", "no step"),
        ("0 0 31 feb *", "no such day"),
    ],
)
def test_src_06_cron_lines_that_make_no_sense(line: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Cron(line)


def test_hdl_03_what_failed_is_handled_with_the_next_resync_whatever_predicates_say() -> None:
    failing = [True]

    def requests_of(obj: Pod) -> list[Request]:
        if failing[0]:
            raise RuntimeError("no idea")
        return [Request.of(obj)]

    source = Channel(EnqueueMapped(requests_of), p.GenerationChanged())
    queue = Added()
    pod = Pod(metadata=ObjectMeta(name="web", namespace="shop", resource_version="7"))
    source.pass_on(CreateEvent(pod), queue)
    failing[0] = False

    source.pass_on(UpdateEvent(pod, pod), queue)
    source.pass_on(UpdateEvent(pod, pod), queue)

    assert queue.keys == ["shop/web"]


def test_hdl_06_one_handler_in_order_and_none_waits_for_another(
    fake: FakeClientset, cache: Cache, started: Callable[[Any], Added]
) -> None:
    go_on = threading.Event()
    at_once: list[int] = []

    class Slow(EnqueueForObject):
        def requests(self, event: Any) -> Any:
            at_once.append(1)
            assert len(at_once) == 1
            assert go_on.wait(LONG)
            at_once.pop()
            return super().requests(event)

    slow = started(Kind(cache, Secret, Slow()))
    quick = started(Kind(cache, Secret, EnqueueForObject()))
    assert cache.informer(Secret).synced.wait(LONG)
    names = [f"s{number}" for number in range(20)]
    for name in names:
        fake.core_v1.secrets("shop").create(Secret(metadata=ObjectMeta(name=name)))

    keys = [f"shop/{name}" for name in names]
    quick.wait_for(*keys)
    assert slow.keys == []
    go_on.set()
    slow.wait_for(*keys)
