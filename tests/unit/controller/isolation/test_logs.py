"""Log records on their way from one process to another."""

from __future__ import annotations

import logging
import pickle
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from k8srt.controller.isolation import logs
from k8srt.log import fields

NAME = "tests.isolation"


@pytest.fixture
def sent() -> Iterator[list[dict[str, Any]]]:
    """What a logger has sent."""
    kept: list[dict[str, Any]] = []
    logger = logging.getLogger(NAME)
    handler = logs.Sending(lambda attributes: kept.append(pickle.loads(pickle.dumps(attributes))))
    logger.addHandler(handler)
    logger.propagate = False
    yield kept
    logger.removeHandler(handler)
    logger.propagate = True


def test_thr_06_log_02_a_record_arrives_with_its_text_and_fields(
    sent: list[dict[str, Any]], caplog: pytest.LogCaptureFixture
) -> None:
    with fields(reconcileID="some"):
        logging.getLogger(NAME).warning("%d of %d", 1, 2, extra={"lock": threading.Lock(), "count": 3})
    logging.getLogger(NAME).propagate = True
    logging.getLogger(NAME).handlers.clear()

    logs.replay(sent[0])

    record: Any = caplog.records[-1]
    assert (record.getMessage(), record.levelname, record.name) == ("1 of 2", "WARNING", NAME)
    assert (record.reconcileID, record.count) == ("some", 3)
    assert record.lock.startswith("<unlocked")


def test_thr_06_the_traceback_of_a_record_arrives_as_text(
    sent: list[dict[str, Any]], caplog: pytest.LogCaptureFixture
) -> None:
    try:
        raise ValueError("wrong")
    except ValueError:
        logging.getLogger(NAME).exception("it failed")
    logging.getLogger(NAME).propagate = True
    logging.getLogger(NAME).handlers.clear()

    logs.replay(sent[0])

    assert "ValueError: wrong" in (caplog.records[-1].exc_text or "")
    assert "ValueError: wrong" in caplog.text


def test_thr_06_what_is_not_to_be_shown_here_is_not(caplog: pytest.LogCaptureFixture) -> None:
    logger = logging.getLogger(NAME)
    with caplog.at_level(logging.ERROR, logger=NAME):
        logs.replay(logging.makeLogRecord({"name": NAME, "levelno": logging.INFO, "msg": "small talk"}).__dict__)

        assert logs.levels()[NAME] == logging.ERROR
        assert logger.level == logging.ERROR
    assert caplog.records == []
