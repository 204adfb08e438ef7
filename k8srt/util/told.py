"""Who is told about something in the whole program: a provider of figures, set by whoever keeps them."""

from __future__ import annotations

import logging
import threading
from typing import Any, Generic, TypeVar

log = logging.getLogger(__name__)

P = TypeVar("P")


class Told(Generic[P]):
    """One place for a provider. Thread-safe; who reads sees the old one or the new one."""

    def __init__(self, provider: P | None = None) -> None:
        self._lock = threading.Lock()  # orders those who set
        self.provider = provider

    def set_once(self, provider: P) -> bool:
        """Have it told unless somebody is already; returns whether it is."""
        with self._lock:
            if self.provider is not None:
                return False
            self.provider = provider
            return True

    def exchange(self, provider: P | None) -> P | None:
        """Have it told instead of who was, which is returned."""
        with self._lock:
            before, self.provider = self.provider, provider
            return before

    def report(self, method: str, *values: Any) -> None:
        """Call a method of the provider, if there is one. Never raises: what is done goes before its figures."""
        report(self.provider, method, *values)


def report(provider: Any, method: str, *values: Any) -> None:
    """The same for a provider that was chosen before."""
    if provider is None:
        return
    try:
        getattr(provider, method)(*values)
    except Exception:
        log.exception("reporting %s(%s) to %r failed", method, ", ".join(map(str, values)), provider)
