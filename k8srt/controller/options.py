"""What can be chosen for a controller.

Contract: CTL-03, CTL-07, FLT-04, RTY-02, REC-18, REC-19, REC-21, THR-05.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from k8srt.controller.measures import ControllerMetrics, provider
from k8srt.controller.request import Request, Result
from k8srt.controller.retries import Policy, Types
from k8srt.util.workqueue import ItemExponentialFailureRateLimiter, default_controller_rate_limiter
from k8srt.util.workqueue.protocols import RateLimiter

CACHE_SYNC_TIMEOUT = 120.0
BACKOFF = (0.005, 1000.0)
WEDGED_AFTER = 600.0

OnError = Callable[[Any, BaseException, Any], Result | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """Keywords of a controller; times are seconds, None is none.

    Work: `workers` reconcile at once, as threads that are made as needed; with `run_in` "process" each has a process of
    its own, which can be killed: see `k8srt.controller.isolation.surroundings`. `timeout` is what a reconcile may take
    before its `ctx.stop` is set. `executor_threads` is the size of `ctx.executor`. `recover_panic` False lets what is
    no ordinary error (RecursionError, MemoryError, a BaseException) end the manager. `pause_when(request)` says which
    requests are put aside until something new comes for them, or `resume`.

    Order: `rate_limiter`, or `backoff`, the first and the longest delay after failures. `priority_queue` False gives
    everything the same priority, and limits all failures together. `initial_list_priority` and `resync_priority`
    overrule what handlers give to what is not new.

    With `debounce`, what events lead to waits until none has led to it for so many seconds, but not longer than
    `max_debounce` (None: 10 × `debounce`); deletions, and what has a priority above 0, do not wait.

    Failures: `max_attempts` and `give_up_after` end retrying, `terminal_on` and `retry_on` are types of errors.
    `on_error(obj, error, ctx)` is told of each failure; a Result that it returns takes the place of the delay.
    `events_on_error` has Warning events written, `conditions_on_error` names a condition to set to False.
    `log_every_failure` logs repeated failures in full.

    Start: `cache_sync_timeout` is for each source. `need_leader_election` False runs on every replica; `enable_warmup`
    fills the queue before the election.

    Trouble: `wedged_after` without a reconcile that ended while there is work, the controller is wedged (None: 600, or
    3 × `timeout`). A reconcile that has not returned `stuck_after` (None: 2 × `timeout`) is stuck, and another worker
    takes its place, `max_stuck` times (None: `workers`); beyond, the controller is wedged. `on_wedged`: "report", or
    "exit", which ends the manager.
    """

    workers: int = 1
    run_in: Literal["thread", "process"] = "thread"
    timeout: float | None = None
    executor_threads: int = 8
    recover_panic: bool = True
    pause_when: Callable[[Request], object] | None = None
    backoff: tuple[float, float] = BACKOFF
    rate_limiter: RateLimiter[Request] | None = None
    priority_queue: bool = True
    initial_list_priority: int | None = None
    resync_priority: int | None = None
    debounce: float | None = None
    max_debounce: float | None = None
    max_attempts: int | None = None
    give_up_after: float | None = None
    retry_on: Types | None = None
    terminal_on: Types = ()
    on_error: OnError | None = None
    events_on_error: bool = False
    conditions_on_error: str = ""
    log_every_failure: bool = False
    cache_sync_timeout: float = CACHE_SYNC_TIMEOUT
    need_leader_election: bool = True
    enable_warmup: bool = False
    record_reasons: bool = True
    notify_leaving: bool = False
    wedged_after: float | None = None
    stuck_after: float | None = None
    max_stuck: int | None = None
    on_wedged: Literal["report", "exit"] = "report"
    metrics: ControllerMetrics | None = None

    def __post_init__(self) -> None:
        """Raises ValueError, TypeError for what cannot be."""
        if self.workers < 1:
            raise ValueError(f"workers: at least one worker is needed, not {self.workers}")
        if self.executor_threads < 1:
            raise ValueError(f"executor_threads: at least one is needed, not {self.executor_threads}")
        for name in ("timeout", "cache_sync_timeout", "wedged_after", "stuck_after", "debounce", "max_debounce"):
            value = getattr(self, name)
            if value is not None and not value > 0.0:
                raise ValueError(f"{name}: must be more than 0 seconds, not {value!r}")
        if self.max_debounce is not None and self.max_debounce < (self.debounce or math.inf):
            raise ValueError(f"max_debounce: must not be less than debounce, and not without it: {self.max_debounce!r}")
        first, longest = self.backoff
        if not 0.0 <= first <= longest:
            raise ValueError(f"backoff: expected the first and the longest delay, not {self.backoff!r}")
        if self.run_in not in ("thread", "process"):
            raise ValueError(f"run_in: expected 'thread' or 'process', not {self.run_in!r}")
        if self.on_wedged not in ("report", "exit"):
            raise ValueError(f"on_wedged: expected 'report' or 'exit', not {self.on_wedged!r}")
        for name in ("pause_when", "on_error"):
            value = getattr(self, name)
            if value is not None and not callable(value):
                raise TypeError(f"{name}: expected a function, got {value!r}")
        self.policy()

    def policy(self) -> Policy:
        """When to give up."""
        return Policy(
            max_attempts=self.max_attempts,
            give_up_after=self.give_up_after,
            retry_on=self.retry_on,
            terminal_on=self.terminal_on,
        )

    def limiter(self) -> RateLimiter[Request]:
        """How long failures wait. Contract: CTL-03."""
        if self.rate_limiter is not None:
            return self.rate_limiter
        if not self.priority_queue and self.backoff == BACKOFF:
            return default_controller_rate_limiter()
        return ItemExponentialFailureRateLimiter(*self.backoff)

    def measured_by(self) -> ControllerMetrics:
        """Who is told."""
        return self.metrics if self.metrics is not None else provider()

    def quiet_limit(self) -> float:
        """Seconds without an end that make a controller wedged. Contract: REC-21."""
        if self.wedged_after is not None:
            return self.wedged_after
        return WEDGED_AFTER if self.timeout is None else 3.0 * self.timeout

    def stuck_limit(self) -> float | None:
        """Seconds after its start from which a reconcile is stuck. Contract: THR-05."""
        if self.stuck_after is not None or self.timeout is None:
            return self.stuck_after
        return 2.0 * self.timeout
