"""Consistent hashing: which of several shards a key belongs to. No clocks, no threads.

Each shard has its tokens on a ring of 64-bit numbers, and a key belongs to whose token comes first from its own number
on. One who comes takes keys from the others and moves none between them; what was of one who goes is divided.

The order of all tokens is the same for everybody. So two shards that know each other never both take a key for theirs,
whoever else either of them knows.

Contract: SHD-02, SHD-07.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable
from hashlib import blake2b

TOKENS = 100
"""How many each shard has."""


def hash64(text: str) -> int:
    """A number of 64 bits, the same in every process, on every machine, in every version."""
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "big")


class HashRing:
    """See the module. Immutable."""

    __slots__ = ("_numbers", "_owners", "shards")

    def __init__(self, shards: Iterable[str] = (), tokens: int = TOKENS) -> None:
        self.shards = frozenset(shards)
        places = sorted((hash64(f"{shard}#{n}"), shard) for shard in self.shards for n in range(tokens))
        self._numbers = [number for number, _ in places]
        self._owners = [shard for _, shard in places]

    def owner(self, key: str) -> str:
        """Whose key it is; empty if there is no shard."""
        if not self._owners:
            return ""
        return self._owners[bisect_left(self._numbers, hash64(key)) % len(self._owners)]

    def __repr__(self) -> str:
        return f"<HashRing of {', '.join(sorted(self.shards)) or 'nobody'}>"
