"""What of an object counts as a change, and what does not.

The status does not, nor does what the server keeps about an object: else a function that writes what it has found into
the status of its object would be the change that it waits for.

Contract: TMR-01, TMR-05.
"""

from __future__ import annotations

import hashlib
from typing import Any

import msgspec


def essence(obj: Any) -> object:
    """Something that is equal as long as nobody has changed what is wanted, labels, or annotations."""
    meta = obj.metadata
    return (version(obj), dict(meta.labels or {}), dict(meta.annotations or {}))


def version(obj: Any) -> object:
    """The generation; for kinds that have none, a digest of all but metadata and status."""
    generation = obj.metadata.generation
    return generation if generation else _digest(obj)


def _digest(obj: Any) -> bytes:
    said = {name: value for name, value in obj.to_dict().items() if name not in ("metadata", "status")}
    return hashlib.blake2b(msgspec.json.encode(said, order="sorted"), digest_size=16).digest()
