"""The limiter a config asks for. Contract: REST-01."""

from __future__ import annotations

from k8srt.rest.config import Config
from k8srt.util.clock import SYSTEM, Clock
from k8srt.util.flowcontrol import RateLimiter, TokenBucket, Unlimited

DEFAULT_QPS = 5.0
DEFAULT_BURST = 10


def make_limiter(config: Config, clock: Clock = SYSTEM) -> RateLimiter:
    """Return the config's own limiter, else a token bucket, or one that lets everything through if qps is negative."""
    if config.rate_limiter is not None:
        return config.rate_limiter
    qps = config.qps or DEFAULT_QPS
    return Unlimited() if qps < 0 else TokenBucket(qps, config.burst or DEFAULT_BURST, clock)
