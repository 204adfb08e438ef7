"""What a queue asks of the store behind it."""

from __future__ import annotations

import logging
from typing import Any

from k8srt.tools.cache.forms import Form
from k8srt.tools.cache.queue import KnownObjects
from k8srt.tools.cache.store import GONE, Store

log = logging.getLogger(__name__)


def look_up(known: KnownObjects | None, key: str, form: Form[Any], about: str) -> Any:
    """What is known under `key`, as it is kept; GONE for nothing. A lookup that fails is logged, and finds nothing."""
    if isinstance(known, Store):
        return known.peek(key)
    try:
        found = known.get_by_key(key) if known is not None else None
    except Exception:
        log.exception("%s: cannot look up %r among the known objects", about, key)
        return GONE
    return GONE if found is None else form.freeze(found)
