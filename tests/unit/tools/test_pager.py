"""Lists in pages."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from k8srt.apimachinery.meta import ListMeta, Status
from k8srt.apimachinery.record import Record, RecordList, decode_record
from k8srt.errors import Expired, StatusError, Stopped
from k8srt.tools.pager import Pager


def expired(token: str = "") -> Expired:
    return Expired(Status(code=410, reason="Expired", message="too old", metadata=ListMeta(continue_=token)))


class Server:
    """Serves `count` objects in pages, and remembers what it was asked."""

    def __init__(self, count: int, failures: dict[str, StatusError] | None = None) -> None:
        self.count = count
        self.failures = failures or {}
        self.asked: list[dict[str, Any]] = []

    def page(self, options: dict[str, Any]) -> RecordList:
        self.asked.append(dict(options))
        token = options.get("continue_", "")
        if failure := self.failures.pop(token, None):
            raise failure
        start = int(token.removeprefix("inconsistent-") or 0)
        end = min(start + (options.get("limit") or self.count), self.count)
        more = str(end) if end < self.count else ""
        version = "fresh" if token.startswith("inconsistent") else "7"
        metadata = ListMeta(resource_version=version, continue_=more, remaining_item_count=self.count - end)
        return RecordList("v1", "PodList", metadata, [self.record(number) for number in range(start, end)])

    @staticmethod
    def record(number: int) -> Record:
        return decode_record(b'{"metadata":{"namespace":"d","name":"p%05d"}}' % number)


def names(records: Any) -> list[str]:
    return [record.name for record in records]


EVERYTHING = [f"p{number:05d}" for number in range(1200)]


def test_mach_47_one_page_comes_as_it_is() -> None:
    server = Server(3)

    found, paginated = Pager(server.page).list({"resource_version": "0"})

    assert not paginated
    assert names(found.records) == EVERYTHING[:3]
    assert server.asked == [{"resource_version": "0", "limit": 500}]


def test_mach_47_mach_48_pages_are_merged_under_the_first_version() -> None:
    server = Server(1200)

    found, paginated = Pager(server.page).list({"resource_version": "5", "resource_version_match": "Exact"})

    assert paginated
    assert names(found.records) == EVERYTHING
    assert (found.metadata.resource_version, found.metadata.continue_) == ("7", "")
    assert server.asked[1:] == [{"limit": 500, "continue_": "500"}, {"limit": 500, "continue_": "1000"}]


def test_mach_48_an_expired_token_falls_back_to_a_full_list_at_the_version_asked_for() -> None:
    server = Server(1200, {"500": expired()})

    found, _ = Pager(server.page).list({"resource_version": "5"})

    assert names(found.records) == EVERYTHING
    assert server.asked[-1] == {"resource_version": "5", "limit": 0, "continue_": ""}


def test_mach_48_the_first_page_and_other_errors_are_not_forgiven() -> None:
    with pytest.raises(Expired):
        Pager(Server(1200, {"": expired()}).page).list()
    with pytest.raises(Expired):
        Pager(Server(1200, {"500": expired()}).page, full_list_if_expired=False).list()
    with pytest.raises(StatusError):
        Pager(Server(1200, {"500": StatusError(Status(code=500))}).page).list()


def test_a_limit_of_the_caller_s_own_is_kept() -> None:
    server = Server(10)

    Pager(server.page).list({"limit": 4})

    assert [one["limit"] for one in server.asked] == [4, 4, 4]


def test_usr_35_iterating_goes_on_with_the_token_the_server_offers() -> None:
    server = Server(1200, {"500": expired("inconsistent-500")})

    assert names(Pager(server.page).iterate()) == EVERYTHING


def test_usr_35_without_one_it_starts_again_and_repeats_nothing() -> None:
    server = Server(1200, {"1000": expired()})

    assert names(Pager(server.page).iterate({"resource_version": "5"})) == EVERYTHING
    assert server.asked[3] == {"resource_version": "", "limit": 500}


def test_usr_35_one_page_is_in_memory_at_a_time() -> None:
    server = Server(1200)
    iterating = Pager(server.page, page_size=100).iterate()

    for _ in range(100):
        next(iterating)

    assert len(server.asked) == 1


def test_a_stop_ends_a_list() -> None:
    stop = threading.Event()
    stop.set()

    with pytest.raises(Stopped):
        Pager(Server(1200).page).list(stop=stop)


def test_mach_49_each_item_in_order_with_pages_fetched_ahead() -> None:
    server, got = Server(1200), []
    ahead = threading.Event()

    def take(record: Record) -> None:
        if not got:
            ahead.wait(5.0)
        got.append(record.name)

    original = server.page

    def page(options: dict[str, Any]) -> RecordList:
        found = original(options)
        if len(server.asked) == 3:
            ahead.set()
        return found

    Pager(page).each_list_item(take)

    assert got == EVERYTHING


def test_mach_49_no_more_pages_ahead_than_the_buffer_holds() -> None:
    server = Server(1200)
    first = threading.Event()

    def take(record: Record) -> None:
        first.wait(0.2)

    with pytest.raises(RuntimeError):
        Pager(server.page, page_size=10, page_buffer=2).each_list_item(_fail_after(take))
    assert len(server.asked) <= 4


def _fail_after(take: Any) -> Any:
    def fn(record: Record) -> None:
        take(record)
        raise RuntimeError

    return fn


def test_mach_49_errors_end_it() -> None:
    def fail(record: Record) -> None:
        raise KeyError(record.name)

    with pytest.raises(KeyError):
        Pager(Server(1200).page).each_list_item(fail)
    with pytest.raises(Expired):
        Pager(Server(1200, {"500": expired()}).page).each_list_item(lambda record: None)
    with pytest.raises(ValueError, match="negative"):
        Pager(Server(1).page, page_buffer=-1)
