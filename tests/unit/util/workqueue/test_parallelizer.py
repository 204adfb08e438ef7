"""The same work on many pieces."""

from __future__ import annotations

import threading

import pytest

from k8srt.util.threads import Stop
from k8srt.util.workqueue import parallelize_until


@pytest.mark.parametrize("chunk_size", [-1, 0, 1, 3, 7, 100])
@pytest.mark.parametrize("workers", [0, 1, 4])
def test_wq_48_every_piece_is_worked_on_once(workers: int, chunk_size: int) -> None:
    seen: list[int] = []

    parallelize_until(None, workers, 20, seen.append, chunk_size)

    assert sorted(seen) == list(range(20))


def test_wq_48_no_more_threads_than_chunks() -> None:
    names: set[str] = set()
    lock = threading.Lock()

    def note(piece: int) -> None:
        with lock:
            names.add(threading.current_thread().name)

    parallelize_until(None, 16, 10, note, chunk_size=5)

    assert len(names) <= 2


def test_wq_48_no_pieces_no_threads() -> None:
    parallelize_until(None, 4, 0, lambda piece: pytest.fail("called"))


def test_wq_49_a_stop_leaves_out_the_rest_and_not_what_runs() -> None:
    stop, seen = Stop(), list[int]()

    def work(piece: int) -> None:
        if piece == 2:
            stop.set()
        seen.append(piece)

    parallelize_until(stop, 1, 100, work, chunk_size=10)

    assert seen == [0, 1, 2]


def test_wq_48_a_failure_ends_it_and_comes_through() -> None:
    seen: list[int] = []

    def fail(piece: int) -> None:
        seen.append(piece)
        if piece == 3:
            raise KeyError(piece)

    with pytest.raises(KeyError):
        parallelize_until(None, 1, 10, fail)
    assert seen == [0, 1, 2, 3]
