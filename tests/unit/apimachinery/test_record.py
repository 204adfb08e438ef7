"""Records: one scan, the facts, and nothing that ties them to the response they came from."""

from __future__ import annotations

import gc
import sys

import pytest

from k8srt.apimachinery.record import (
    Record,
    decode_event,
    decode_record,
    decode_record_list,
    encode_record,
    record_from_parts,
)
from k8srt.errors import DecodeError

POD = b'{"kind":"Pod","apiVersion":"v1","metadata":{"name":"web-0","namespace":"shop","uid":"u1","resourceVersion":"7",\
"labels":{"app":"web"},"managedFields":[{"manager":"x"}]},"spec":{"a" : [1,  2.50, 1e3]},"odd":null}'


def test_a_record_knows_the_facts_every_cache_needs():
    record = decode_record(POD)

    assert (record.namespace, record.name, record.uid, record.resource_version) == ("shop", "web-0", "u1", "7")
    assert record.labels == {"app": "web"}
    assert record.key == "shop/web-0"
    assert record.text("kind") == "Pod"
    assert record.text("absent") == ""


def test_cache_01_the_key_of_a_cluster_scoped_record_is_its_name():
    assert decode_record(b'{"metadata":{"name":"node-1"}}').key == "node-1"


def test_parts_are_kept_and_written_byte_for_byte():
    record = decode_record(POD)

    assert record.parts["spec"] == b'{"a" : [1,  2.50, 1e3]}'
    assert encode_record(record) == POD


def test_parts_own_their_bytes():
    """A view into the response would keep a whole list alive for the sake of one object."""
    record = decode_record_list(b'{"items":[' + POD + b"]}").records[0]

    assert all(type(part) is bytes for part in record.parts.values())


def test_nothing_in_a_record_is_tracked_by_the_collector():
    record = decode_record(POD)
    gc.collect()

    assert not gc.is_tracked(record)
    if sys.version_info < (3, 14):
        assert not gc.is_tracked(record.parts)
        assert not gc.is_tracked(record.labels)


def test_a_record_cannot_be_changed():
    with pytest.raises(AttributeError):
        decode_record(POD).name = "other"


def test_records_with_the_same_bytes_are_equal():
    assert decode_record(POD) == decode_record(POD)
    assert decode_record(POD) != decode_record(b'{"metadata":{"name":"web-0"}}')
    assert decode_record(POD) != 5


@pytest.mark.parametrize("metadata", [b"null", b"{}", b'{"labels":null}', b'{"name":null,"namespace":null}'])
def test_usr_26_null_and_missing_metadata_are_read_as_absent(metadata):
    record = decode_record(b'{"metadata":' + metadata + b"}")

    assert (record.name, record.namespace, record.labels) == ("", "", {})


def test_a_label_that_is_null_reads_as_empty():
    assert decode_record(b'{"metadata":{"labels":{"a":null}}}').labels == {"a": ""}


def test_an_object_without_metadata_has_no_facts():
    assert record_from_parts({"kind": b'"Status"'}).key == ""


def test_a_list_gives_its_metadata_and_a_record_per_item():
    found = decode_record_list(
        b'{"kind":"PodList","apiVersion":"v1","metadata":{"resourceVersion":"9","continue":"c"},"items":[' + POD + b"]}"
    )

    assert (found.kind, found.api_version) == ("PodList", "v1")
    assert (found.metadata.resource_version, found.metadata.continue_) == ("9", "c")
    assert [record.name for record in found.records] == ["web-0"]


@pytest.mark.parametrize("items", [b'"items":null', b'"items":[]', b'"other":1'])
def test_usr_26_a_list_without_items_is_empty(items):
    assert decode_record_list(b"{" + items + b"}").records == []


def test_an_event_gives_its_type_and_a_record():
    event = decode_event(b'{"type":"MODIFIED","object":' + POD + b"}")

    assert event.type == "MODIFIED"
    assert event.record.key == "shop/web-0"
    assert event.record.parts["spec"] == b'{"a" : [1,  2.50, 1e3]}'


@pytest.mark.parametrize("cut", [1, 20, len(POD) // 2, len(POD) - 1])
def test_a_cut_document_says_what_and_shows_its_beginning(cut):
    with pytest.raises(DecodeError, match="malformed object") as caught:
        decode_record(POD[:cut])

    assert len(str(caught.value)) < 400


def test_what_is_no_object_is_refused():
    with pytest.raises(DecodeError, match="malformed watch event"):
        decode_event(b"[]")
    with pytest.raises(DecodeError, match="malformed list"):
        decode_record_list(b'{"items":5}')


def test_a_record_is_plain_to_look_at():
    assert repr(decode_record(POD)) == "<Record Pod shop/web-0 rv=7>"
    assert repr(Record({})) == "<Record object  rv=->"
