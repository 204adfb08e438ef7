"""Writes of kinds that nobody has read yet.

Whoever reads a kind for the first time after writing may be answered from the past, too: a list may be served from a
server's own cache. So the last writes are kept for some seconds, until somebody reads.

Contract: CRC-09.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from cachetools import TTLCache

from k8srt.apimachinery.schema import GroupVersionKind
from k8srt.controller.cache.overlay import LIFETIME
from k8srt.util.clock import Clock

if TYPE_CHECKING:
    from k8srt.controller.cache.kind_cache import KindCache

AT_MOST = 1024

Telling = Callable[["KindCache"], None]


class Unseen:
    """See the module. Its owner locks it."""

    def __init__(self, clock: Clock) -> None:
        self._kept: TTLCache[tuple[GroupVersionKind, str], list[Telling]] = TTLCache(AT_MOST, LIFETIME, clock.now)

    def keep(self, gvk: GroupVersionKind, key: str, tell: Telling) -> None:
        """Remember how to tell of a write; of one object the last two count: what was deleted, and made anew."""
        self._kept[gvk, key] = [*self._kept.get((gvk, key), [])[-1:], tell]

    def take(self, gvk: GroupVersionKind) -> list[Telling]:
        """What was written of a kind, the oldest first; it is forgotten here."""
        keys = [key for key in self._kept if key[0] == gvk]
        return [tell for key in keys for tell in self._kept.pop(key, [])]
