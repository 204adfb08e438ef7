"""What becomes of the warnings of a server. Contract: CRC-07."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Literal

from k8srt.rest.warnings import LoggingHandler, WarningHandler, no_warnings

log = logging.getLogger(__name__)

Warnings = Literal["log", "dedupe", "drop"] | Callable[[int, str, str], object]


def log_warning(code: int, agent: str, text: str) -> None:
    """Log a warning, each time."""
    if code == 299 and text:
        log.warning("the server warns: %s", text)


def warning_handler(warnings: Warnings) -> WarningHandler:
    """The handler for a config: "log" each time, "dedupe" each text once, "drop", or a function of (code, agent, text).

    Raises ValueError for anything else.
    """
    if callable(warnings):
        told = warnings

        def tell(code: int, agent: str, text: str) -> None:
            told(code, agent, text)

        return tell
    if warnings not in ("log", "dedupe", "drop"):
        raise ValueError(f"warnings: must be log, dedupe, drop or a function, not {warnings!r}")
    return log_warning if warnings == "log" else LoggingHandler() if warnings == "dedupe" else no_warnings
