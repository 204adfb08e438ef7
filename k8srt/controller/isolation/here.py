"""Whether this is a process that reconciles for another one.

The modules in which controllers are defined are imported there once more. What they make must then be harmless: no
address is listened on, and no manager starts.

Contract: THR-06.
"""

from __future__ import annotations

_worker = False


def in_worker() -> bool:
    """Whether this process reconciles for another one."""
    return _worker


def enter() -> None:
    """From now on it does."""
    global _worker
    _worker = True
