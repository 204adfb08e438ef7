"""Going through a graph."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from typing import Any

import pytest

from k8srt.controller.dependents.walking import walk

LONG = 20.0


class Never(Executor):
    """Has no thread to spare."""

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        return Future()


@pytest.fixture
def pool() -> Iterator[Executor]:
    with ThreadPoolExecutor(4) as pool:
        yield pool


DIAMOND = {"d": ["b", "c"], "b": ["a"], "c": ["a"], "a": []}


@pytest.mark.parametrize("spare", [True, False])
def test_dep_03_each_after_those_before_it(pool: Executor, spare: bool) -> None:
    done: list[str] = []

    walk(DIAMOND, done.append, lambda: pool if spare else Never())

    assert sorted(done) == ["a", "b", "c", "d"]
    assert (done[0], done[-1]) == ("a", "d")


def test_dep_03_a_branch_goes_on_while_another_is_at_work(pool: Executor) -> None:
    second = threading.Event()

    def visit(name: str) -> None:
        if name == "slow":
            assert second.wait(LONG)
        elif name == "second":
            second.set()

    walk({"slow": [], "first": [], "second": ["first"]}, visit, lambda: pool)

    assert second.is_set()


def test_dep_03_names_outside_do_not_count(pool: Executor) -> None:
    done: list[str] = []

    walk({"b": ["a", "elsewhere"], "a": ["elsewhere"]}, done.append, lambda: pool)
    walk({}, done.append, lambda: pool)

    assert done == ["a", "b"]


@pytest.mark.parametrize("spare", [True, False])
def test_dep_03_what_is_raised_leaves_out_the_rest(pool: Executor, spare: bool) -> None:
    done: list[str] = []

    def visit(name: str) -> None:
        if name == "a":
            raise KeyboardInterrupt
        done.append(name)

    with pytest.raises(KeyboardInterrupt):
        walk({"b": ["a"], "a": [], "c": ["b"]}, visit, lambda: pool if spare else Never())

    assert done == []
