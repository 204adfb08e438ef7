"""Reading requests, however they are cut into pieces."""

from __future__ import annotations

from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from k8srt.util import http1
from k8srt.util.http1 import BadMessage, Head, Reader, length_of, parse_head


class Pieces:
    """A socket from which so much comes at a time."""

    def __init__(self, data: bytes, sizes: list[int]) -> None:
        self._data, self._sizes = data, sizes

    def recv(self, most: int) -> bytes:
        size = min(self._sizes.pop(0) if self._sizes else most, most)
        piece, self._data = self._data[:size], self._data[size:]
        return piece


def reader_of(data: bytes, sizes: list[int] | None = None) -> Reader:
    return Reader(cast(Any, Pieces(data, list(sizes or []))))


def in_chunks(body: bytes, size: int) -> bytes:
    pieces = [body[n : n + size] for n in range(0, len(body), size)]
    return b"".join(b"%x;a=b\r\n%b\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\nTrailer: x\r\n\r\n"


sizes = st.lists(st.integers(1, 9), max_size=60)


@given(st.binary(max_size=40), st.integers(1, 9), sizes)
def test_chunks_are_put_together_wherever_they_are_cut(body: bytes, chunk: int, cuts: list[int]) -> None:
    reader = reader_of(in_chunks(body, chunk) + b"next", cuts)

    assert reader.chunked(limit=100, max_head=1000) == body
    assert reader.take(4) == b"next"


@given(st.binary(max_size=60), st.integers(0, 50), st.booleans(), sizes)
def test_of_a_body_over_the_limit_one_byte_more_is_kept(
    body: bytes, limit: int, chunked: bool, cuts: list[int]
) -> None:
    reader = reader_of((in_chunks(body, 7) if chunked else body) + b"next", cuts)

    kept = reader.chunked(limit, max_head=1000) if chunked else reader.body(len(body), limit)

    assert kept == body[: limit + 1]
    assert reader.take(4) == b"next"


def test_a_body_that_is_far_too_long_is_not_even_thrown_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http1, "DRAIN", 20)

    with pytest.raises(BadMessage, match="too large"):
        reader_of(b"x" * 30).body(30, 10)
    with pytest.raises(BadMessage, match="too large"):
        reader_of(in_chunks(b"x" * 30, 10)).chunked(10, 1000)


@given(sizes)
def test_a_mark_is_found_wherever_it_is_cut(cuts: list[int]) -> None:
    reader = reader_of(b"GET / HTTP/1.1\r\nA: b\r\n\r\nrest", cuts)

    assert reader.until(b"\r\n\r\n", 100) == b"GET / HTTP/1.1\r\nA: b"
    assert reader.take(4) == b"rest"


def test_what_ends_too_soon() -> None:
    assert reader_of(b"GET /").until(b"\r\n\r\n", 100) is None
    with pytest.raises(ConnectionError, match="in the middle"):
        reader_of(b"abc").take(4)
    with pytest.raises(BadMessage, match="header too large"):
        reader_of(b"x" * 200).until(b"\r\n\r\n", 100)
    with pytest.raises(BadMessage, match="chunk"):
        reader_of(b"zz\r\n").chunked(10, 100)


def test_heads() -> None:
    found = parse_head(b"GET /a?b HTTP/1.0\r\nX-A:  1 \r\nx-a: 2")
    assert found == Head("GET", "/a?b", "HTTP/1.0", [("x-a", "1"), ("x-a", "2")])
    for wrong in (b"", b"GET /", b"GET / HTTP/2", b"GET / HTTP/1.1\r\nx", b"GET / HTTP/1.1\r\nx : y"):
        with pytest.raises(BadMessage, match="malformed"):
            parse_head(wrong)


def test_both_ways_of_saying_a_length_at_once_are_refused() -> None:
    assert (length_of("", ""), length_of("", "12"), length_of("Chunked", "")) == (0, 12, None)
    for encoding, length in (("chunked", "1"), ("gzip", ""), ("", "-1"), ("", "1, 1"), ("", "²")):
        with pytest.raises(BadMessage):
            length_of(encoding, length)
