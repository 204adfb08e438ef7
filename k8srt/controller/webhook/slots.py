"""So many at a time, and no more. Contract: WHS-09."""

from __future__ import annotations

import re
import threading

from k8srt.util.clock import SYSTEM, Clock

_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|us|µs|ns|h|m|s)")
_UNITS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "ns": 1e-9}


class Slots:
    """Room for `limit` at a time. Thread-safe."""

    def __init__(self, limit: int, clock: Clock = SYSTEM) -> None:
        self._clock = clock
        self._cond = threading.Condition()  # guards _free; notified when it grows
        self._free = limit

    def take(self, timeout: float) -> bool:
        """Wait for a place, at most `timeout` seconds; returns whether there was one."""
        deadline = self._clock.now() + timeout
        with self._cond:
            while not self._free:
                if self._clock.now() >= deadline:
                    return False
                self._clock.wait(self._cond, deadline)
            self._free -= 1
            return True

    def give_back(self) -> None:
        """Leave the place to another."""
        with self._cond:
            self._free += 1
            self._cond.notify()


def seconds_of(text: str) -> float | None:
    """A duration as the API server writes it ("10s", "1m30s", "500ms") in seconds; None for anything else."""
    parts = _PART.findall(text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        return None
    return sum(float(number) * _UNITS[unit] for number, unit in parts)
