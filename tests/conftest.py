"""What all tests share: no thread may be left behind, and no wait is without an end."""

from __future__ import annotations

import importlib
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import ParamSpec, TypeVar

import pytest

GRACE = 2.0
"""Seconds that a thread which was told to stop has to end after its test."""

P = ParamSpec("P")
R = TypeVar("R")


def pytest_configure(config: pytest.Config) -> None:
    """Have the fixtures of the package, also in an environment that was installed before it had an entry point."""
    if not config.pluginmanager.hasplugin("k8srt"):
        config.pluginmanager.register(importlib.import_module("k8srt.testing.pytest_plugin"), "k8srt")


def _library_threads() -> set[threading.Thread]:
    return {thread for thread in threading.enumerate() if thread.name.startswith("k8srt-") and thread.is_alive()}


def _stack(thread: threading.Thread) -> str:
    frame = sys._current_frames().get(thread.ident or 0)
    lines = traceback.format_stack(frame) if frame is not None else ["  (ended meanwhile)\n"]
    return f"{thread.name}:\n{''.join(lines)}"


@pytest.fixture(autouse=True)
def _no_thread_left_behind() -> Iterator[None]:
    """Fail a test that leaves a thread of the library alive, and show what it does."""
    before = _library_threads()
    yield
    end = time.monotonic() + GRACE
    while (left := _library_threads() - before) and time.monotonic() < end:  # a server may just be accepting a last one
        for thread in left:
            thread.join(max(end - time.monotonic(), 0.0))
    if left:
        pytest.fail("threads left behind:\n" + "\n".join(_stack(thread) for thread in left), pytrace=False)


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of recorded data beside the checkout; a test that asks for it is skipped where there is none."""
    folder = Path(__file__).resolve().parents[2] / "shared"
    if not folder.is_dir():
        pytest.skip("no shared data beside the checkout")
    return folder


class Pool:
    """Runs functions in threads that cannot keep the interpreter alive."""

    def submit(self, fn: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> Future[R]:
        """Call `fn` in a thread of its own."""
        future: Future[R] = Future()

        def run() -> None:
            try:
                future.set_result(fn(*args, **kwargs))
            except BaseException as err:  # noqa: BLE001 - the future carries it to the test
                future.set_exception(err)

        threading.Thread(target=run, name="test-pool", daemon=True).start()
        return future


@pytest.fixture
def pool() -> Pool:
    """Threads for the blocking half of a test; ask a future for its result with a timeout."""
    return Pool()
