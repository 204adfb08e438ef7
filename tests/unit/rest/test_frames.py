"""Bytes into events, across any borders."""

from __future__ import annotations

import random

import pytest

from k8srt.rest.frames import MAX_EVENT, Chunks, Lines, Values, whole


def payload(chunks: Chunks, data: bytes) -> bytes:
    return b"".join(piece[start:end] for piece, start, end in chunks.feed(data))


def chunked(*payloads: bytes) -> bytes:
    return b"".join(b"%x;ext=1\r\n%b\r\n" % (len(p), p) for p in payloads) + b"0\r\nTrailer: x\r\n\r\n"


@pytest.mark.parametrize("size", [1, 2, 3, 7, 64, 10_000])
def test_rest_40_chunks_may_be_cut_anywhere(size: int) -> None:
    payloads = [b"x" * n for n in (1, 9, 10, 15, 16, 17, 255, 256, 4096)]
    wire = chunked(*payloads)
    chunks = Chunks()

    out = b"".join(payload(chunks, wire[at : at + size]) for at in range(0, len(wire), size))

    assert out == b"".join(payloads)
    assert chunks.done


def test_payload_that_looks_like_framing_is_payload() -> None:
    payloads = [b"\r\n0\r\n\r\n", b"5\r\nhello\r\n"]
    chunks = Chunks()

    assert payload(chunks, chunked(*payloads)) == b"".join(payloads)


@pytest.mark.parametrize("wire", [b"zz\r\n", b"-1\r\n", b"\r\n", b"3\r\nabcd\r\n", b"x" * 5000])
def test_malformed_chunks_are_an_error(wire: bytes) -> None:
    chunks = Chunks()

    chunks.feed(wire)

    assert "malformed chunk" in str(chunks.failure)


def test_what_came_before_something_malformed_is_kept() -> None:
    chunks, values = Chunks(), Values()

    assert payload(chunks, b"2\r\nok\r\nnonsense\r\n") == b"ok"
    assert chunks.failure is not None
    assert values.feed(whole(b'{"a":1} nonsense')) == [b'{"a":1}']
    assert values.failure is not None


def test_an_unfinished_chunk_is_not_done() -> None:
    chunks = Chunks()

    assert payload(chunks, b"5\r\nhel") == b"hel"
    assert not chunks.done
    assert payload(chunks, b"lo\r\n0\r\n") == b"lo"
    assert not chunks.done
    assert payload(chunks, b"\r\n") == b""
    assert chunks.done


@pytest.mark.parametrize("make", [Lines, Values])
def test_rest_40_events_cut_at_random_places_come_out_whole(make: type[Lines] | type[Values]) -> None:
    rng = random.Random(1)
    events = [b'{"type":"ADDED","object":{"n":"%s"}}' % (b'\\"}{' * rng.randrange(200)) for _ in range(60)]
    wire = b"\n".join(events) + b"\n"
    frames, out, position = make(), [], 0

    while position < len(wire):
        size = rng.randrange(1, 500)
        out += frames.feed(whole(wire[position : position + size]))
        position += size

    assert [bytes(line).strip() for line in out] == events
    assert frames.rest().strip() == b""


def test_rest_37_empty_lines_mean_nothing() -> None:
    assert Lines().feed(whole(b'\n\r\n{"a":1}\r\n\n')) == [b'{"a":1}\r']


def test_rest_40_values_may_share_a_line_or_span_several() -> None:
    values = Values()

    assert values.feed(whole(b'{"a":{"b":"}"}}{"c":\n')) == [b'{"a":{"b":"}"}}']
    assert values.feed(whole(b'  "\\"{"}\n{')) == [b'{"c":\n  "\\"{"}']
    assert values.rest() == b"{"


def test_rest_40_more_than_16_mib_is_an_error() -> None:
    assert MAX_EVENT == 16 << 20
    for frames in (Lines(limit=1000), Values(limit=1000)):
        frames.feed(whole(b'{"a":"' + b"x" * 900))
        assert frames.failure is None
        frames.feed(whole(b"x" * 100))
        assert "larger than 1000 bytes" in str(frames.failure)


def test_garbage_and_a_cut_event_are_told_from_a_long_one() -> None:
    garbage, cut = Values(), Values()

    assert garbage.feed(whole(b"<html>")) == []
    assert "no JSON object" in str(garbage.failure)
    assert cut.feed(whole(b'{"type":"ADDED","object":{\n{"type":"ADDED","object":{}}\n')) == []
    assert "before this one has ended" in str(cut.failure)


def test_many_pieces_of_one_line_cost_one_join() -> None:
    lines = Lines()
    for _ in range(10_000):
        assert lines.feed(whole(b"x" * 100)) == []

    (line,) = lines.feed(whole(b"\n"))
    assert len(line) == 1_000_000
