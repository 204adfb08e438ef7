"""Rate limits for calls. Each name is loaded when first touched."""

from typing import TYPE_CHECKING

from k8srt._lazy import lazy_exports

if TYPE_CHECKING:
    from k8srt.util.flowcontrol.limiter import NeverAccept as NeverAccept
    from k8srt.util.flowcontrol.limiter import RateLimiter as RateLimiter
    from k8srt.util.flowcontrol.limiter import Unlimited as Unlimited
    from k8srt.util.flowcontrol.token_bucket import TokenBucket as TokenBucket

__getattr__, __dir__ = lazy_exports(
    __name__,
    {
        "NeverAccept": "k8srt.util.flowcontrol.limiter",
        "RateLimiter": "k8srt.util.flowcontrol.limiter",
        "TokenBucket": "k8srt.util.flowcontrol.token_bucket",
        "Unlimited": "k8srt.util.flowcontrol.limiter",
    },
)
