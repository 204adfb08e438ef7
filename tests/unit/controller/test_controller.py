"""Controllers: their start and end, what they are asked to look at, and what they say of themselves."""

from __future__ import annotations

import logging
import threading
from typing import Any

import pytest

from k8srt.api.core.v1 import ConfigMap
from k8srt.controller.controller import Controller
from k8srt.controller.event import CreateEvent, DeleteEvent, UpdateEvent
from k8srt.controller.request import Request, Result
from k8srt.controller.source import SourceFailed
from k8srt.errors import AlreadyStarted
from k8srt.testing.asserting import eventually
from k8srt.util.threads import Stop
from k8srt.util.workqueue import LOW_PRIORITY
from tests.unit.controller.rig import LONG, ByHand, Rig, StubCache, StubClient, config_map

A = Request("default", "a")


def quiet(request: Request, ctx: Any) -> None: ...


class Held:
    """A reconciler that waits to be let go, and says who was there."""

    def __init__(self) -> None:
        self.began = threading.Semaphore(0)
        self.go = threading.Semaphore(0)
        self.seen: list[Request] = []

    def __call__(self, request: Request, ctx: Any) -> None:
        self.seen.append(request)
        self.began.release()
        assert self.go.acquire(timeout=LONG)

    def wait(self) -> None:
        assert self.began.acquire(timeout=LONG)


def make(reconcile: Any = quiet, **options: Any) -> Controller:
    return Controller("c", reconcile, cache=StubCache(), client=StubClient(), **options)  # type: ignore[arg-type]


# ---- making ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"workers": 0}, "workers"),
        ({"timeout": 0.0}, "timeout"),
        ({"backoff": (5.0, 1.0)}, "backoff"),
        ({"on_wedged": "panic"}, "on_wedged"),
        ({"on_error": 3}, "on_error"),
        ({"wokers": 2}, "wokers"),
        ({"max_attempts": 0}, "max_attempts"),
    ],
)
def test_ctl_01_what_cannot_work_is_refused_with_the_name(options: dict[str, Any], message: str) -> None:
    with pytest.raises((ValueError, TypeError), match=f"controller c: .*{message}"):
        make(**options)


def test_ctl_01_and_rec_13_no_reconciler_no_name_no_coroutine() -> None:
    async def later(request: Request, ctx: Any) -> None: ...

    with pytest.raises(TypeError, match="a reconciler is a function"):
        make(None)
    with pytest.raises(TypeError, match="coroutine"):
        make(later)
    with pytest.raises(ValueError, match="name"):
        Controller("", quiet, cache=StubCache(), client=StubClient())  # type: ignore[arg-type]


def test_ctl_03_defaults() -> None:
    options = make().options

    assert (options.workers, options.cache_sync_timeout, options.timeout) == (1, 120.0, None)
    assert (options.recover_panic, options.need_leader_election, options.priority_queue) == (True, True, True)
    assert not options.enable_warmup
    assert options.limiter().when(A) == 0.005
    assert make(backoff=(1.0, 300.0)).options.limiter().when(A) == 1.0
    bucketed = make(priority_queue=False).options.limiter()
    assert max(bucketed.when(Request("", str(n))) for n in range(150)) > 0.1


def waiting(rig: Rig, priorities: dict[str, int]) -> None:
    """A worker that waited at the queue as it was paused may hold one for a moment, and puts it back."""

    def told() -> None:
        assert {each["request"]: each["priority"] for each in rig.controller.queue_snapshot()} == priorities

    eventually(told)


def test_ctl_03_without_priorities_all_are_the_same() -> None:
    with Rig(quiet, priority_queue=False) as rig:
        assert rig.source.started.wait(LONG)
        rig.controller.pause()
        rig.source.tell(CreateEvent(config_map("a"), is_in_initial_list=True))
        waiting(rig, {"default/a": 0})


def test_pq_10_priorities_of_what_is_not_new_are_options() -> None:
    with Rig(quiet, initial_list_priority=-5, resync_priority=-7) as rig:
        assert rig.source.started.wait(LONG)
        rig.controller.pause()
        same = config_map("b", resource_version="1")
        rig.source.tell(CreateEvent(config_map("a"), is_in_initial_list=True))
        rig.source.tell(UpdateEvent(same, same))
        rig.source.tell(CreateEvent(config_map("c")))
        waiting(rig, {"default/a": -5, "default/b": -7, "default/c": 0})


# ---- starting and stopping ------------------------------------------------------------------------------------------


def test_ctl_05_sources_start_at_the_same_time_and_workers_after_all() -> None:
    slow, other = ByHand(syncs=False), ByHand()
    with Rig(quiet, sources=[slow, other]) as rig:
        assert slow.started.wait(LONG)
        assert other.started.wait(LONG)
        rig.create("a")
        assert not rig.controller.ready.is_set()
        assert len(rig.controller.queue) == 1

        slow.let_go.set()
        rig.ended()


def test_ctl_05_a_source_that_blocks_is_named() -> None:
    blocking = ByHand(blocks=True)
    with Rig(quiet, sources=[blocking], cache_sync_timeout=5.0) as rig:
        assert blocking.started.wait(LONG)
        rig.clock.wait_for_sleepers(1)
        rig.clock.advance(5.0)
        rig.join()
    blocking.let_go.set()

    assert isinstance(rig.error, SourceFailed)
    assert "<ByHand> has blocked for 5s" in str(rig.error)
    assert rig.source.stopped.is_set()


def test_ctl_05_each_source_has_the_whole_time_and_says_why_it_failed() -> None:
    with Rig(quiet, sources=[ByHand(fails=SourceFailed("no such kind"))]) as rig:
        rig.join()

    assert str(rig.error) == "no such kind"


def test_ctl_05_a_stop_in_between_is_no_failure() -> None:
    blocking = ByHand(blocks=True)
    with Rig(quiet, sources=[blocking]) as rig:
        assert blocking.started.wait(LONG)
    blocking.let_go.set()

    assert rig.error is None


def test_ctl_06_twice_is_an_error_and_the_end_ends_all() -> None:
    held = Held()
    with Rig(held) as rig:
        rig.create("a")
        held.wait()
        rig.create("b")
        with pytest.raises(AlreadyStarted, match="rig"):
            rig.controller.start(Stop())
        rig.stop.set()
        held.go.release()
        rig.join()

    assert held.seen == [A]
    assert rig.source.stopped.is_set()
    assert not [t for t in threading.enumerate() if "rig" in t.name]


def test_ctl_06_a_running_reconcile_hears_of_the_end(caplog: pytest.LogCaptureFixture) -> None:
    began = Stop()

    def waits(request: Request, ctx: Any) -> None:
        began.set()
        ctx.sleep(1000.0)

    with Rig(waits) as rig:
        rig.create("a")
        assert began.wait(LONG)

    assert rig.error is None
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]


def test_ctl_04_and_08_sources_come_and_go_while_it_runs() -> None:
    with Rig(quiet) as rig:
        rig.create("a")
        rig.ended()
        late = ByHand()
        rig.controller.watch(late)
        late.tell(CreateEvent(config_map("b")))
        rig.ended(2)

        rig.controller.unwatch(late)
        assert late.stopped.is_set()
        late.tell(CreateEvent(config_map("c")))
        assert len(rig.controller.queue) == 0
        with pytest.raises(ValueError, match="does not watch"):
            rig.controller.unwatch(late)


def test_rec_19_and_20_the_queue_is_full_before_the_election() -> None:
    rig = Rig(quiet, enable_warmup=True)
    warmup = rig.controller.warmup
    assert warmup is not None
    stop = Stop()
    warm = threading.Thread(target=warmup.start, args=(stop,), daemon=True)
    warm.start()
    assert warmup.ready.wait(LONG)
    rig.create("a")
    assert len(rig.controller.queue) == 1
    assert not rig.metrics.told

    with rig:
        rig.ended()
        stop.set()
        warm.join(LONG)
        rig.create("b")
        rig.ended(2)

    assert Rig(quiet, enable_warmup=True, need_leader_election=False).controller.warmup is None


def test_rec_19_who_is_never_elected_stops_what_was_warm() -> None:
    rig = Rig(quiet, enable_warmup=True)
    warmup, stop = rig.controller.warmup, Stop()
    assert warmup is not None
    warm = threading.Thread(target=warmup.start, args=(stop,), daemon=True)
    warm.start()
    assert warmup.ready.wait(LONG)

    stop.set()
    warm.join(LONG)

    assert rig.source.stopped.is_set()
    rig.controller.start(Stop())  # comes too late, and does nothing


def test_rec_19_a_warm_up_that_fails_says_so() -> None:
    rig = Rig(quiet, enable_warmup=True, sources=[ByHand(fails=SourceFailed("no such kind"))])
    assert rig.controller.warmup is not None

    with pytest.raises(SourceFailed, match="no such kind"):
        rig.controller.warmup.start(Stop())


# ---- asking for work ------------------------------------------------------------------------------------------------


def test_ctl_09_a_paused_controller_finishes_and_takes_nothing_new() -> None:
    held = Held()
    with Rig(held) as rig:
        rig.create("a")
        held.wait()
        rig.controller.pause()
        rig.create("b")
        held.go.release()
        rig.ended()
        assert rig.controller.paused
        assert "paused" in repr(rig.controller)
        assert held.seen == [A]

        rig.controller.resume()
        held.wait()
        held.go.release()
        rig.ended(2)


def test_ctl_09_some_are_put_aside_until_something_new_or_resume() -> None:
    paused = {"a", "b"}
    seen: list[str] = []
    with Rig(
        lambda request, ctx: seen.append(f"{request.name} {ctx.reasons[0].event}"),
        pause_when=lambda request: request.name in paused,
    ) as rig:
        for name in ("a", "b", "c"):
            rig.create(name)
        rig.ended()
        assert seen == ["c created"]

        paused.clear()
        rig.source.tell(UpdateEvent(config_map("a"), config_map("a")))
        rig.ended(2)
        rig.controller.resume()
        rig.ended(3)

    assert seen == ["c created", "a created", "b created"]


def test_ctl_10_one_or_all_are_looked_at() -> None:
    order: list[tuple[str, int, str]] = []

    def note(request: Request, ctx: Any) -> None:
        order.append((request.name, ctx.priority, str(ctx.reasons[0])))

    with Rig(note) as rig:
        rig.cache.put(config_map("a"), config_map("b"), config_map("not-mine"))
        rig.controller.only(lambda obj: obj.metadata.name != "not-mine")
        rig.controller.pause()
        assert rig.controller.reconcile_all() == 2
        rig.controller.enqueue("default/c", priority=3)
        rig.controller.enqueue(Request("default", "d"), after=60.0)
        rig.controller.resume()
        rig.ended(3)
        rig.clock.wait_for_sleepers(1)
        rig.clock.advance(60.0)
        rig.ended(4)

    assert order == [
        ("c", 3, "manual"),
        ("a", LOW_PRIORITY, "all"),
        ("b", LOW_PRIORITY, "all"),
        ("d", 0, "manual"),
    ]
    with pytest.raises(ValueError, match="for no kind"):
        make().reconcile_all()


def test_rec_02_and_16_one_worker_for_a_key_and_once_more_afterwards() -> None:
    held = Held()
    with Rig(held, workers=4) as rig:
        rig.create("a")
        held.wait()
        for _ in range(3):
            rig.create("a")
        rig.clock.wait_for_sleepers(1)  # another worker waits, and is given nothing
        assert held.seen == [A]
        held.go.release()
        held.wait()
        held.go.release()
        rig.ended(2)
        assert len(rig.controller.queue) == 0

    results = iter([Result(requeue_after=3600.0), None])
    with Rig(lambda request, ctx: next(results)) as rig:
        rig.create("a")
        rig.ended(outcome="requeue_after")
        rig.create("a")
        rig.ended()
        assert rig.controller.queue_snapshot() == []


def test_rec_14_a_deletion_is_an_object_that_is_not_there() -> None:
    found: list[Any] = []
    with Rig(lambda request, ctx: found.append(ctx.cache.get(ConfigMap, request))) as rig:
        obj = rig.create("a")
        rig.ended()
        del rig.cache.objects[A]
        rig.source.tell(DeleteEvent(obj))
        rig.ended(2)

    assert found == [obj, None]


# ---- what it says of itself -----------------------------------------------------------------------------------------


def test_rec_22_what_runs_is_ready_and_waits() -> None:
    held = Held()
    with Rig(held) as rig:
        rig.create("a")
        held.wait()
        rig.clock.advance(2.0)
        rig.create("b")
        rig.controller.enqueue("c", after=60.0)
        rig.clock.advance(1.0)

        running, ready, waiting = rig.controller.queue_snapshot()

        assert (running["request"], running["state"], running["age"]) == ("default/a", "running", 3.0)
        assert (ready["request"], ready["state"], ready["age"]) == ("default/b", "ready", 1.0)
        assert (waiting["request"], waiting["state"], waiting["due_in"]) == ("c", "waiting", 59.0)
        assert running["reasons"] == ["for ConfigMap default/a created"]
        assert waiting["reasons"] == ["manual"]
        assert rig.controller.debug_state()["active"][0]["seconds"] == 3.0
        assert repr(rig.controller) == "<Controller rig: 1 of 1 workers busy, 1 queued>"
        held.go.release(2)


def test_rec_06_everything_is_counted() -> None:
    results = iter([None, Result(requeue_after=1.0), Result(requeue=True), ValueError("x")])

    def reconcile(request: Request, ctx: Any) -> Any:
        result = next(results)
        if isinstance(result, Exception):
            raise result
        return result

    with Rig(reconcile) as rig:
        for name in ("a", "b", "c", "d"):
            rig.create(name)
        rig.ended(outcome="error")
        assert rig.controller.debug_state()["counts"] == {
            "success": 1,
            "requeue_after": 1,
            "requeue": 1,
            "error": 1,
        }
        assert rig.metrics.count("started", 1) == 1
