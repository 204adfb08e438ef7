"""Electors in threads, a clock to turn, and a cluster in memory on which they meet."""

from __future__ import annotations

import random
import threading
from typing import Any

from k8srt import errors
from k8srt.api.coordination.v1 import Lease
from k8srt.apimachinery.meta import ObjectMeta
from k8srt.testing import FakeClientset, FakeClock
from k8srt.tools.leaderelection import LeaderElectionRecord, LeaderElector, LeaseLock

LEASE, RENEW, RETRY = 15.0, 10.0, 2.0
LIMIT = 5.0
"""Seconds of real time that anything may take."""


class Dice(random.Random):
    """Always falls the same."""

    def __init__(self, value: float = 0.0) -> None:
        super().__init__()
        self.value = value

    def random(self) -> float:
        return self.value


class Run:
    """One elector, and what it has called back, in order."""

    def __init__(self, stage: Stage, identity: str, lock: Any = None, **options: Any) -> None:
        self.stop = threading.Event()
        self.told: list[Any] = []
        self._changed = threading.Condition()  # guards told
        options = {
            "on_started_leading": self._lead,
            "on_stopped_leading": lambda: self.tell("stopped"),
            "clock": stage.clock,
            "rng": Dice(),
            **options,
        }
        self.reign: Any = None
        self.elector = LeaderElector(lock or stage.lock(identity), LEASE, RENEW, RETRY, **options)
        self._stage = stage
        self.future: Any = None

    def _lead(self, stop: threading.Event) -> None:
        self.reign = stop
        self.tell("started")
        stop.wait()

    def tell(self, what: Any) -> None:
        with self._changed:
            self.told.append(what)
            self._changed.notify_all()

    def wait_for(self, *told: Any) -> None:
        """Wait until all of these were called back."""
        with self._changed:
            assert self._changed.wait_for(lambda: set(told) <= set(self.told), LIMIT), f"{told} not in {self.told}"

    def start(self) -> Run:
        self.future = self._stage.pool.submit(self.elector.run, self.stop)
        return self

    def asleep(self, seconds: float) -> None:
        """Wait until it sleeps between two attempts, for at most so long."""
        clock = self._stage.clock
        clock.wait_for_sleepers(1, by=clock.now() + seconds)

    def leading(self) -> Run:
        """Start it and wait until it leads and sleeps."""
        self.start()
        self.wait_for("started")
        self.asleep(RETRY)
        return self

    def ended(self) -> None:
        """Wait until `run` has returned."""
        self.future.result(timeout=LIMIT)

    def end(self) -> None:
        self.stop.set()
        if self.future is not None:
            self.future.exception(timeout=LIMIT)
        assert self.elector.join(LIMIT)


class Stage:
    def __init__(self, pool: Any) -> None:
        self.pool = pool
        self.clock = FakeClock()
        self.fake = FakeClientset(clock=self.clock)
        self._runs: list[Run] = []

    def lock(self, identity: str = "a", **options: Any) -> LeaseLock:
        return LeaseLock(self.fake, "default", "foo", identity, **options)

    def run(self, identity: str = "a", **options: Any) -> Run:
        run = Run(self, identity, **options)
        self._runs.append(run)
        return run

    def close(self) -> None:
        for run in self._runs:
            run.end()
        self.fake.close()

    def sleep_on(self, seconds: float) -> None:
        """Let time pass that nobody who sleeps is woken by: as if this thread were the first to run again."""
        with self.clock._guard:
            self.clock._now += seconds

    # ---- the rest of the world

    @property
    def leases(self) -> Any:
        return self.fake.tracker.coordination_v1.leases("default")

    def spec(self) -> Any:
        return self.leases.get("foo").spec

    def record(self) -> LeaderElectionRecord:
        return LeaderElectionRecord.from_lease_spec(self.spec())

    def write(self, holder: str, **more: Any) -> None:
        """Have somebody else write the lease, whatever it says now."""
        now = self.clock.time()
        fields = {"lease_duration_seconds": 15, "acquire_time": now, "renew_time": now, "leader_transitions": 3, **more}
        spec = LeaderElectionRecord(holder_identity=holder, **fields).to_lease_spec()
        try:
            lease = self.leases.get("foo")
        except errors.NotFound:
            self.leases.create(Lease(metadata=ObjectMeta(name="foo"), spec=spec))
            return
        lease.spec = spec
        self.leases.update(lease)

    def calls(self, *verbs: str) -> list[str]:
        """What was asked of the server so far, of these verbs, or of all."""
        return [action.verb for action in self.fake.actions if not verbs or action.verb in verbs]
