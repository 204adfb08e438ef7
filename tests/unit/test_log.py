"""Logs of a program: text or JSON, with the fields of where they were made."""

from __future__ import annotations

import io
import json
import logging
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextvars import copy_context

import pytest

import k8srt.log
from k8srt.api.core.v1 import Secret
from k8srt.apimachinery.meta import ObjectMeta

LOGGER = "k8srt-test"


@pytest.fixture(autouse=True)
def _afterwards() -> Iterator[None]:
    yield
    logger = logging.getLogger(LOGGER)
    logger.handlers.clear()
    logger.setLevel(logging.NOTSET)
    logging.getLogger(k8srt.log.ROOT).setLevel(logging.NOTSET)


def test_log_01_nothing_is_configured_on_import() -> None:
    program = (
        "import logging, k8srt, k8srt.log, k8srt.controller.manager.manager; "
        "print(logging.root.handlers, logging.getLogger('k8srt').handlers)"
    )

    out = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)

    assert out.stdout == "[] []\n"


def test_log_01_text_has_the_fields_after_the_message() -> None:
    out = io.StringIO()
    k8srt.log.setup(stream=out, logger=LOGGER)

    logging.getLogger(LOGGER).info(
        "worked on %s", 3, extra={"controller": "foo", "said": "two words", "Foo": {"name": "a"}}
    )

    line = out.getvalue()
    assert line.endswith('Z INFO    k8srt-test: worked on 3 controller=foo said="two words" Foo={"name": "a"}\n')


def test_log_01_json_has_them_as_fields_and_errors_with_their_stack() -> None:
    out = io.StringIO()
    k8srt.log.setup(format="json", level="DEBUG", stream=out, logger=LOGGER)
    log = logging.getLogger(LOGGER)

    log.debug("small", extra={"reconcileID": "1-2"})
    try:
        raise ValueError("no good")
    except ValueError:
        log.exception("it failed")

    small, failed = (json.loads(line) for line in out.getvalue().splitlines())
    assert (small["level"], small["logger"], small["msg"], small["reconcileID"]) == ("debug", LOGGER, "small", "1-2")
    assert (failed["error"], failed["msg"]) == ("no good", "it failed")
    assert "ValueError: no good" in failed["stacktrace"]


def test_log_01_a_second_setup_replaces_the_first_and_verbosity_is_klogs() -> None:
    first, second = io.StringIO(), io.StringIO()
    k8srt.log.setup(stream=first, logger=LOGGER)

    k8srt.log.setup(stream=second, logger=LOGGER, verbosity=4)
    logging.getLogger(LOGGER).info("hello")

    assert first.getvalue() == ""
    assert second.getvalue().count("hello") == 1
    assert logging.getLogger("k8srt").level == logging.DEBUG
    with pytest.raises(ValueError, match="format: expected"):
        k8srt.log.setup(format="xml")  # type: ignore[arg-type]


def test_log_03_every_record_has_the_fields_of_its_context() -> None:
    out = io.StringIO()
    k8srt.log.setup(format="json", stream=out, logger=LOGGER)
    log = logging.getLogger(LOGGER)

    with k8srt.log.fields(controller="foo"):
        with k8srt.log.fields(reconcileID="7"):
            log.info("inside", extra={"controller": "its own"})
            thread = threading.Thread(target=copy_context().run, args=(log.info, "elsewhere"))
            thread.start()
            thread.join()
        log.info("between")
    log.info("outside")

    said = {each["msg"]: each for each in map(json.loads, out.getvalue().splitlines())}
    assert (said["inside"]["controller"], said["inside"]["reconcileID"]) == ("its own", "7")
    assert (said["elsewhere"]["controller"], said["elsewhere"]["reconcileID"]) == ("foo", "7")
    assert "reconcileID" not in said["between"]
    assert "controller" not in said["outside"]


def test_log_04_objects_show_what_they_are_and_nothing_they_hold() -> None:
    out = io.StringIO()
    k8srt.log.setup(format="json", stream=out, logger=LOGGER)
    secret = Secret(
        metadata=ObjectMeta(name="a", namespace="n"), string_data={"password": "hunter2"}, data={"k": b"hunter2"}
    )

    logging.getLogger(LOGGER).info("wrote %s and %r", secret, secret, extra={"obj": secret})

    said = json.loads(out.getvalue())
    assert said["msg"] == "wrote <Secret n/a> and <Secret n/a>"
    assert said["obj"] == "<Secret n/a>"
    assert "hunter2" not in out.getvalue()
