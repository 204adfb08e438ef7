"""What a correlator may be told. Contract: EVT-15."""

from __future__ import annotations

from dataclasses import dataclass

from k8srt.tools.record.correlation.keys import (
    AggregateKeys,
    KeyFunc,
    MessageFunc,
    aggregate_by_reason,
    combined_message,
    spam_key,
)
from k8srt.util.clock import Clock

CACHE_SIZE = 4096
BURST = 25
QPS = 1.0 / 300.0
MAX_EVENTS = 10
MAX_INTERVAL = 600.0


@dataclass(frozen=True, kw_only=True)
class CorrelatorOptions:
    """How events are combined and limited; 0 and None mean the default. Raises ValueError for negative numbers.

    `cache_size` keys are remembered by each of three caches, the least used forgotten first. From `max_events`
    different messages on, with no more than `max_interval` seconds from one to the next, similar events become one.
    `burst` events of one source about one object are written at once, and `qps` a second after that.

    `key_func` gives the key that similar events share, and what tells them apart; `message_func` what their aggregate
    says; `spam_key_func` the key that shares a limit. `clock`: that of the broadcaster.
    """

    cache_size: int = 0
    burst: int = 0
    qps: float = 0.0
    max_events: int = 0
    max_interval: float = 0.0
    key_func: AggregateKeys | None = None
    message_func: MessageFunc | None = None
    spam_key_func: KeyFunc | None = None
    clock: Clock | None = None

    def __post_init__(self) -> None:
        if min(self.cache_size, self.burst, self.qps, self.max_events, self.max_interval) < 0:
            raise ValueError(f"negative numbers in {self}")

    def filled(self, clock: Clock) -> Settings:
        """These, with the defaults where nothing is said."""
        return Settings(
            cache_size=self.cache_size or CACHE_SIZE,
            burst=self.burst or BURST,
            qps=self.qps or QPS,
            max_events=self.max_events or MAX_EVENTS,
            max_interval=self.max_interval or MAX_INTERVAL,
            key_func=self.key_func or aggregate_by_reason,
            message_func=self.message_func or combined_message,
            spam_key_func=self.spam_key_func or spam_key,
            clock=self.clock or clock,
        )


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Options with nothing left open."""

    cache_size: int
    burst: int
    qps: float
    max_events: int
    max_interval: float
    key_func: AggregateKeys
    message_func: MessageFunc
    spam_key_func: KeyFunc
    clock: Clock
