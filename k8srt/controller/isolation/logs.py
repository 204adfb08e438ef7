"""Log records of a process, in the log of the one it works for.

They come as they were made, with the number of their process; text is put together, and exceptions made text, where
they were. What is to be shown is decided by both: the process has the levels that loggers had when it was started.

Contract: THR-06, LOG-02.
"""

from __future__ import annotations

import logging
import pickle
from collections.abc import Callable, Mapping
from typing import Any

from k8srt.log import FieldsFilter

_formatter = logging.Formatter()


def levels() -> dict[str, int]:
    """The levels of all loggers that have one of their own, "" for the root."""
    found = {"": logging.getLogger().level}
    for name, logger in list(logging.root.manager.loggerDict.items()):
        if isinstance(logger, logging.Logger) and logger.level != logging.NOTSET:
            found[name] = logger.level
    return found


class Sending(logging.Handler):
    """Sends the attributes of records."""

    def __init__(self, send: Callable[[dict[str, Any]], object]) -> None:
        super().__init__()
        self._send = send
        self.addFilter(FieldsFilter())

    def emit(self, record: logging.LogRecord) -> None:
        try:
            self._send(_attributes(record))
        except Exception:  # noqa: BLE001 - as any handler
            self.handleError(record)


def _attributes(record: logging.LogRecord) -> dict[str, Any]:
    sent = dict(vars(record))
    if record.exc_info and not record.exc_text:
        sent["exc_text"] = _formatter.formatException(record.exc_info)
    sent.update(msg=record.getMessage(), args=None, exc_info=None)
    try:
        pickle.dumps(sent)
    except Exception:  # noqa: BLE001 - it is the caller's, and worth a line all the same
        return {name: _plain(value) for name, value in sent.items()}
    return sent


def _plain(value: Any) -> Any:
    return value if value is None or isinstance(value, (str, int, float)) else str(value)


def install(send: Callable[[dict[str, Any]], object], wanted: Mapping[str, int]) -> None:
    """Have everything that is logged in this process sent, and nothing else done with it."""
    root = logging.getLogger()
    for handler in list(root.handlers):
        root.removeHandler(handler)
    root.addHandler(Sending(send))
    for name, level in wanted.items():
        logging.getLogger(name or None).setLevel(level)


def replay(attributes: Mapping[str, Any]) -> None:
    """Have a record handled as one of this process would be."""
    record = logging.makeLogRecord(attributes)
    logger = logging.getLogger(record.name)
    if logger.isEnabledFor(record.levelno):
        logger.handle(record)
