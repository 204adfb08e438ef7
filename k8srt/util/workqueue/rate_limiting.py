"""A work queue that adds items again when a rate limiter lets them.

```python
queue = RateLimitingQueue[str](name="pods")
while (key := queue.get()) is not None:
    try:
        reconcile(key)
    except Exception:
        queue.add_rate_limited(key)     # comes back after a while, a longer one each time
    else:
        queue.forget(key)
    finally:
        queue.done(key)
```

Contract: WQ-36 to WQ-40. After client-go util/workqueue, rate_limiting_queue.go.
"""

from __future__ import annotations

from k8srt.util.clock import SYSTEM, Clock
from k8srt.util.workqueue.delaying import DelayingQueue
from k8srt.util.workqueue.limiters import default_controller_rate_limiter
from k8srt.util.workqueue.metrics import MetricsProvider
from k8srt.util.workqueue.protocols import Order, RateLimiter, T


class RateLimitingQueue(DelayingQueue[T]):
    """A `DelayingQueue` with a rate limiter, `default_controller_rate_limiter()` if none is given. Thread-safe."""

    def __init__(
        self,
        name: str | None = None,
        rate_limiter: RateLimiter[T] | None = None,
        *,
        order: Order[T] | None = None,
        clock: Clock = SYSTEM,
        metrics_provider: MetricsProvider | None = None,
    ) -> None:
        super().__init__(name, order=order, clock=clock, metrics_provider=metrics_provider)
        self._limiter = rate_limiter if rate_limiter is not None else default_controller_rate_limiter(clock)

    def add_rate_limited(self, item: T) -> None:
        """Count a failure of `item` and add it when the rate limiter lets it."""
        self.add_after(item, self._limiter.when(item))

    def forget(self, item: T) -> None:
        """Count the failures of `item` from zero again. A delay that runs goes on, and `done` is still needed."""
        self._limiter.forget(item)

    def num_requeues(self, item: T) -> int:
        """How often `item` was added with a rate limit since it was last forgotten."""
        return self._limiter.num_requeues(item)
