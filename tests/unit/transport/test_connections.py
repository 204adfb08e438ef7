"""The pool that is never full."""

from __future__ import annotations

import queue

import pytest

from k8srt.transport.connections import IDLE_SECONDS, IdleConnections, Interrupt, Pool, Way


class Connection:
    def __init__(self) -> None:
        self.closed = False

    def close(self) -> None:
        self.closed = True


def test_the_connection_used_last_comes_first() -> None:
    idle = IdleConnections(now=lambda: 0.0)
    first, second = Connection(), Connection()
    idle.put(first)
    idle.put(second)

    assert idle.get(block=False) is second
    assert idle.get(block=False) is first
    with pytest.raises(queue.Empty):
        idle.get(block=False)


def test_rest_49_idle_connections_age_out() -> None:
    now = 0.0
    idle = IdleConnections(now=lambda: now)
    old, young = Connection(), Connection()
    idle.put(old)
    now = IDLE_SECONDS
    idle.put(young)
    now = IDLE_SECONDS + 1

    assert idle.get() is young
    assert old.closed
    assert not young.closed


def test_usr_15_any_number_of_connections_may_come_back() -> None:
    pool = Pool("127.0.0.1", 1, Way())
    connections = [pool._new_conn() for _ in range(300)]

    for connection in connections:
        pool._put_conn(connection)  # would log a warning, which is an error here, if the pool were full

    assert pool.pool is not None
    assert pool.pool.qsize() == 300
    pool.close()


def test_usr_14_making_a_pool_opens_nothing() -> None:
    pool = Pool("127.0.0.1", 1, Way())

    assert pool.num_connections == 0


def test_an_interrupt_that_fired_before_there_was_a_connection_still_ends_it() -> None:
    import socket

    ours, theirs = socket.socketpair()
    with ours, theirs:
        interrupt = Interrupt()
        interrupt.fire()
        interrupt.attach(type("C", (), {"sock": ours}))

        assert theirs.recv(1) == b""
