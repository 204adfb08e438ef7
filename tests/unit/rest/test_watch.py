"""Watch streams, with no socket in sight."""

from __future__ import annotations

import logging

import pytest

from k8srt import errors
from k8srt.api.core.v1 import Pod
from k8srt.errors import TransportError
from k8srt.rest import End, EventStream, WatchStream
from k8srt.rest.source import READ_SIZE
from k8srt.transport.failures import transport_error
from tests.unit.rest.fakes import FakeReply, fake_client


def event(kind: str = "ADDED", name: str = "a", version: str = "1") -> bytes:
    return b'{"type":"%s","object":{"kind":"Pod","metadata":{"name":"%s","resourceVersion":"%s"}}}\n' % (
        kind.encode(),
        name.encode(),
        version.encode(),
    )


class Scripted(FakeReply):
    """A body that comes in given pieces; an exception is raised when its turn comes."""

    def __init__(self, *pieces: bytes | TransportError) -> None:
        super().__init__()
        self.pieces = list(pieces)

    def read_some(self, size: int) -> bytes:
        piece = self.pieces.pop(0) if self.pieces else b""
        if isinstance(piece, TransportError):
            raise piece
        return piece


def stream_of(*pieces: bytes | TransportError) -> tuple[WatchStream, Scripted]:
    reply = Scripted(*pieces)
    return WatchStream(reply, "watch pods", 90.0), reply  # type: ignore[arg-type]


def names(stream: WatchStream) -> list[str]:
    return [f"{kind} {record.name}" for kind, record in stream]


def test_rest_38_all_that_arrived_comes_in_one_batch() -> None:
    stream, reply = stream_of(event() + event("MODIFIED", "b"), event("DELETED", "c"))

    assert [record.key for _, record in stream.read_batch()] == ["a", "b"]
    assert [(kind, record.resource_version) for kind, record in stream.read_batch()] == [("DELETED", "1")]
    assert stream.read_batch() == []
    assert stream.ended is End.FINISHED
    assert reply.released


def test_rest_40_events_may_be_cut_anywhere() -> None:
    wire = b"".join(event(name=f"p{n}") for n in range(20))

    for size in (1, 3, 50, READ_SIZE):
        stream, _ = stream_of(*(wire[at : at + size] for at in range(0, len(wire), size)))
        assert names(stream) == [f"ADDED p{n}" for n in range(20)]


def test_rest_37_rest_40_values_may_span_lines_and_share_them() -> None:
    pretty = b'{\n  "type": "ADDED",\n  "object": {"metadata": {"name": "pretty"}}\n}\n'
    wire = event() + pretty + event(name="b").strip() + event(name="c") + event(name="d")

    for size in (1, 7, READ_SIZE):
        stream, _ = stream_of(*(wire[at : at + size] for at in range(0, len(wire), size)))
        assert names(stream) == ["ADDED a", "ADDED pretty", "ADDED b", "ADDED c", "ADDED d"]


def test_rest_38_what_is_no_event_ends_the_stream_with_an_error_record(caplog: pytest.LogCaptureFixture) -> None:
    stream, reply = stream_of(event() + event(name="b") + b"<html>oops</html>\n" + event(name="c"))

    batch = stream.read_batch()

    assert [kind for kind, _ in batch] == ["ADDED", "ADDED", "ERROR"]
    status = batch[-1].record
    assert b"ClientWatchDecoding" in status.parts["details"]
    assert status.parts["code"] == b"500"
    assert stream.read_batch() == []
    assert stream.ended is End.FAILED
    assert "watch pods: unable to decode event 3" in str(stream.error)
    assert reply.closed
    assert len(caplog.records) == 1


@pytest.mark.parametrize(
    "bad",
    [
        b'{"type":"SURPRISE","object":{}}\n',
        b'{"type":"ADDED"}\n',
        b'{"type":"ADDED","object":{"metadata":5}}\n',
        b'{"type":"ADDED","object":{"metadata":{\n' + event(),
    ],
)
def test_rest_38_every_kind_of_nonsense_is_an_error_and_none_a_hang(bad: bytes) -> None:
    stream, _ = stream_of(bad)

    assert [kind for kind, _ in stream.read_batch()] == ["ERROR"]
    assert stream.ended is End.FAILED


def test_rest_38_a_cut_in_the_middle_of_an_event_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    stream, reply = stream_of(event() + event()[:20])

    assert names(stream) == ["ADDED a"]
    assert stream.ended is End.CUT
    assert "watch pods: the stream was cut in the middle of event 2, 20 bytes of which had come" in caplog.text
    assert reply.closed


def test_rest_38_a_reset_ends_quietly(caplog: pytest.LogCaptureFixture) -> None:
    stream, _ = stream_of(event(), transport_error(ConnectionResetError(), "GET", "u"))

    with caplog.at_level(logging.INFO):
        assert names(stream) == ["ADDED a"]
    assert stream.ended is End.CUT
    assert caplog.records == []


def test_usr_01_silence_ends_it() -> None:
    stream, reply = stream_of(transport_error(TimeoutError(), "GET", "u"))

    assert stream.read_batch() == []
    assert stream.ended is End.IDLE
    assert reply.read_timeout == 90.0


def test_rest_39_closing_twice_is_fine_and_ends_iteration() -> None:
    stream, reply = stream_of(event() + event(name="b"))
    next(stream)

    stream.close()
    stream.close()

    assert list(stream) == []
    assert stream.ended is End.CLOSED
    assert reply.closed


def test_rest_39_a_context_closes_it() -> None:
    stream, reply = stream_of(event())

    with stream:
        pass

    assert reply.closed


def test_events_are_objects_of_their_kind() -> None:
    stream, _ = stream_of(event("BOOKMARK") + event("MODIFIED", "b"))

    got = list(EventStream(stream, Pod))

    assert [(one.type, one.object.metadata.name) for one in got] == [("BOOKMARK", "a"), ("MODIFIED", "b")]
    assert all(isinstance(one.object, Pod) for one in got)


def test_a_failure_reported_in_the_stream_is_raised() -> None:
    expired = b'{"type":"ERROR","object":{"kind":"Status","code":410,"reason":"Expired","message":"too old"}}\n'
    stream, reply = stream_of(event() + expired)
    events = EventStream(stream, Pod)

    assert next(events).object.metadata.name == "a"
    with pytest.raises(errors.Expired, match="too old"):
        next(events)
    assert reply.closed
    assert list(events) == []


def test_what_cannot_be_decoded_is_raised_to_people_as_decode_error() -> None:
    stream, _ = stream_of(b"nonsense\n")

    with pytest.raises(errors.DecodeError, match="watch pods: unable to decode event 1"):
        next(EventStream(stream, Pod))


def test_usr_01_the_idle_limit_is_not_much_longer_than_the_life_the_server_was_asked_for() -> None:
    client, transport, _ = fake_client(FakeReply(body=b""))

    client.get().options({"timeout_seconds": 10}).watch()
    client.get().options({"timeout_seconds": 600}).watch()
    client.get().watch()
    client.get().watch(idle_timeout=1.0)

    assert [one["read_timeout"] for one in transport.sent] == [25.0, 90.0, 90.0, 1.0]
