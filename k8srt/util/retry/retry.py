"""Trying again what failed for a reason that passes. Contract: CLI-52. After client-go util/retry.

```python
def scale() -> None:
    deployment = deployments.get("web")      # read again each time: that is the point
    deployment.spec.replicas = 3
    deployments.update(deployment)

retry.on_conflict(scale)
```
"""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from typing import TypeVar

from k8srt.errors import Conflict, Stopped
from k8srt.util import wait
from k8srt.util.clock import SYSTEM, Clock
from k8srt.util.wait import Backoff

R = TypeVar("R")

DEFAULT_RETRY = Backoff(steps=5, initial=0.01, factor=1.0, jitter=0.1)
"""For conflicts with others who write now and then."""

DEFAULT_BACKOFF = Backoff(steps=4, initial=0.01, factor=5.0, jitter=0.1)
"""For conflicts with a busy controller."""


def on_error(
    fn: Callable[[], R],
    retriable: Callable[[Exception], bool],
    backoff: Backoff = DEFAULT_BACKOFF,
    *,
    stop: threading.Event | None = None,
    clock: Clock = SYSTEM,
    rng: random.Random | None = None,
) -> R:
    """Return what `fn` returns, trying again with `backoff` as long as it raises what `retriable` accepts.

    After `backoff.steps` attempts (at least one) the last exception is raised as it is; any other is raised at
    once. Raises Stopped, with the last exception as its cause, when stopped between two attempts.
    """
    delays = backoff.delays(rng)
    attempts_left = backoff.steps
    while True:
        try:
            return fn()
        except Exception as err:
            if attempts_left is not None:
                attempts_left -= 1
                if attempts_left <= 0:
                    raise
            if not retriable(err):
                raise
            failure = err
        _pause(next(delays), failure, stop, clock)


def _pause(seconds: float, failure: Exception, stop: threading.Event | None, clock: Clock) -> None:
    try:
        wait.sleep(seconds, stop, clock)
    except Stopped as stopped:
        raise stopped from failure


def on_conflict(
    fn: Callable[[], R],
    backoff: Backoff = DEFAULT_RETRY,
    *,
    stop: threading.Event | None = None,
    clock: Clock = SYSTEM,
    rng: random.Random | None = None,
) -> R:
    """`on_error` for `errors.Conflict`: `fn` reads the object anew each time, changes and writes it.

    Only a conflict that comes out of `fn` as it is is tried again, not an exception that was made from one.
    """
    return on_error(fn, _is_conflict, backoff, stop=stop, clock=clock, rng=rng)


def _is_conflict(err: Exception) -> bool:
    return isinstance(err, Conflict)
