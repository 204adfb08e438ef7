"""Work queues: each item at most once, never in two workers. Each name is loaded when first touched."""

from typing import TYPE_CHECKING

from k8srt._lazy import lazy_exports

if TYPE_CHECKING:
    from k8srt.util.workqueue.delaying import DelayingQueue as DelayingQueue
    from k8srt.util.workqueue.layers import DelayingLayer as DelayingLayer
    from k8srt.util.workqueue.layers import RateLimitingLayer as RateLimitingLayer
    from k8srt.util.workqueue.limiters import BucketRateLimiter as BucketRateLimiter
    from k8srt.util.workqueue.limiters import (
        ItemExponentialFailureRateLimiter as ItemExponentialFailureRateLimiter,
    )
    from k8srt.util.workqueue.limiters import ItemFastSlowRateLimiter as ItemFastSlowRateLimiter
    from k8srt.util.workqueue.limiters import MaxOfRateLimiter as MaxOfRateLimiter
    from k8srt.util.workqueue.limiters import WithMaxWaitRateLimiter as WithMaxWaitRateLimiter
    from k8srt.util.workqueue.limiters import default_controller_rate_limiter as default_controller_rate_limiter
    from k8srt.util.workqueue.limiters import default_item_based_rate_limiter as default_item_based_rate_limiter
    from k8srt.util.workqueue.metrics import MetricsProvider as MetricsProvider
    from k8srt.util.workqueue.metrics import set_provider as set_provider
    from k8srt.util.workqueue.parallelizer import parallelize_until as parallelize_until
    from k8srt.util.workqueue.priority import LOW_PRIORITY as LOW_PRIORITY
    from k8srt.util.workqueue.priority import PriorityQueue as PriorityQueue
    from k8srt.util.workqueue.protocols import Delaying as Delaying
    from k8srt.util.workqueue.protocols import Order as Order
    from k8srt.util.workqueue.protocols import RateLimiter as RateLimiter
    from k8srt.util.workqueue.protocols import RateLimiting as RateLimiting
    from k8srt.util.workqueue.protocols import WorkQueue as WorkQueue
    from k8srt.util.workqueue.queue import Queue as Queue
    from k8srt.util.workqueue.rate_limiting import RateLimitingQueue as RateLimitingQueue

__getattr__, __dir__ = lazy_exports(
    __name__,
    {
        "BucketRateLimiter": "k8srt.util.workqueue.limiters",
        "Delaying": "k8srt.util.workqueue.protocols",
        "DelayingLayer": "k8srt.util.workqueue.layers",
        "DelayingQueue": "k8srt.util.workqueue.delaying",
        "ItemExponentialFailureRateLimiter": "k8srt.util.workqueue.limiters",
        "ItemFastSlowRateLimiter": "k8srt.util.workqueue.limiters",
        "LOW_PRIORITY": "k8srt.util.workqueue.priority",
        "MaxOfRateLimiter": "k8srt.util.workqueue.limiters",
        "MetricsProvider": "k8srt.util.workqueue.metrics",
        "Order": "k8srt.util.workqueue.protocols",
        "PriorityQueue": "k8srt.util.workqueue.priority",
        "Queue": "k8srt.util.workqueue.queue",
        "RateLimiter": "k8srt.util.workqueue.protocols",
        "RateLimiting": "k8srt.util.workqueue.protocols",
        "RateLimitingLayer": "k8srt.util.workqueue.layers",
        "RateLimitingQueue": "k8srt.util.workqueue.rate_limiting",
        "WithMaxWaitRateLimiter": "k8srt.util.workqueue.limiters",
        "WorkQueue": "k8srt.util.workqueue.protocols",
        "default_controller_rate_limiter": "k8srt.util.workqueue.limiters",
        "default_item_based_rate_limiter": "k8srt.util.workqueue.limiters",
        "parallelize_until": "k8srt.util.workqueue.parallelizer",
        "set_provider": "k8srt.util.workqueue.metrics",
    },
)
