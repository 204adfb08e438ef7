"""Objects: private, lazy, and true to the bytes they came in. Every trap of the design has a test here."""

from __future__ import annotations

import copy
import pickle
from datetime import UTC, datetime, timedelta, timezone

import pytest

from k8srt.apimachinery.meta import ObjectMeta
from k8srt.apimachinery.model import unset
from k8srt.apimachinery.object import parts_of
from k8srt.apimachinery.record import decode_record
from k8srt.errors import DecodeError
from tests.unit.apimachinery.models import (
    Boat,
    BoatList,
    BoatSpec,
    BoatStatus,
    Container,
    EmptyDir,
    Port,
    Volume,
)

WIRE = (
    b'{"kind":"Boat","apiVersion":"tests.example.com/v1",'
    b'"metadata":{"name":"b1", "namespace":"sea","resourceVersion":"5",'
    b'"managedFields":[{"manager":"m", "operation":"Apply"}]},'
    b'"spec":{"containers":[{"name":"a", "new":{"x": 1}, "limits":{"cpu":"0.50"}}], "sail": "red"},'
    b'"status":{"phase":"Afloat" },"extra":[1,  2]}'
)


@pytest.fixture
def boat() -> Boat:
    return Boat.from_record(decode_record(WIRE))


# ---- untouched parts


def test_an_untouched_object_is_written_byte_for_byte(boat):
    assert boat.encode() == WIRE


def test_reading_a_part_does_not_change_how_it_is_written(boat):
    assert boat.metadata.name == "b1"
    assert boat.spec.containers[0].name == "a"

    assert boat.encode() == WIRE


def test_adding_a_label_leaves_all_other_parts_byte_for_byte(boat):
    boat.metadata.labels = {"tier": "fe"}

    parts = decode_record(boat.encode()).parts
    assert parts["spec"] == decode_record(WIRE).parts["spec"]
    assert parts["extra"] == b"[1,  2]"
    assert boat.to_dict()["metadata"]["labels"] == {"tier": "fe"}


def test_the_record_of_an_unchanged_object_is_the_one_it_was_made_of():
    record = decode_record(WIRE)
    boat = Boat.from_record(record)
    assert boat.spec.from_ is None

    assert boat.to_record() is record


def test_changing_an_object_never_reaches_its_record_nor_another_object():
    record = decode_record(WIRE)
    one, other = Boat.from_record(record), Boat.from_record(record)

    one.spec.containers[0].name = "changed"
    one.metadata.labels = {"a": "b"}

    assert other.spec.containers[0].name == "a"
    assert record.parts["metadata"] == decode_record(WIRE).parts["metadata"]


def test_usr_27_a_changed_part_keeps_the_fields_its_model_does_not_know(boat):
    boat.spec.containers[0].args = ["-v"]
    boat.spec.containers.append(Container(name="b"))

    spec = boat.to_dict()["spec"]
    assert spec["sail"] == "red"
    assert spec["containers"] == [
        {"name": "a", "new": {"x": 1}, "limits": {"cpu": "0.50"}, "args": ["-v"]},
        {"name": "b"},
    ]


def test_unknown_fields_follow_their_item_when_the_list_is_reordered(boat):
    boat.spec.containers.insert(0, Container(name="first"))

    assert [container.get("new") for container in boat.to_dict()["spec"]["containers"]] == [None, {"x": 1}]


# ---- managed fields


def test_managed_fields_stay_undecoded_until_asked_for(boat):
    import msgspec

    assert isinstance(boat.metadata._managed, msgspec.Raw)
    assert boat.metadata.managed_fields[0].manager == "m"
    assert boat.encode() == WIRE


def test_managed_fields_can_be_dropped(boat):
    boat.metadata.managed_fields = None

    assert "managedFields" not in boat.to_dict()["metadata"]


def test_absent_managed_fields_read_as_none():
    assert ObjectMeta().managed_fields is None


# ---- absent, empty, null


def test_an_absent_struct_part_reads_as_an_empty_one_and_is_not_sent():
    boat = Boat.from_dict({"metadata": {"name": "x"}})

    assert boat.status.phase is None
    assert "status" not in boat.to_dict()


def test_writing_into_an_absent_struct_part_sends_it():
    boat = Boat.from_dict({"metadata": {"name": "x"}})
    boat.status.phase = "Sunk"

    assert boat.to_dict()["status"] == {"phase": "Sunk"}


def test_a_struct_part_that_was_set_is_sent_even_when_empty():
    assert Boat(status=BoatStatus()).to_dict()["status"] == {}


def test_absent_maps_and_lists_read_as_none():
    assert Boat().data is None
    assert Boat().rules is None


@pytest.mark.parametrize("value", ["null", None])
def test_null_in_the_place_of_an_optional_value_means_absent(value):
    boat = Boat.decode(
        b'{"spec":{"containers":null,"hostIPs":null,"volumes":[{"name":null,"emptyDir":null}]},"data":null}'
    )

    assert boat.spec.containers is None
    assert boat.spec.volumes[0].empty_dir is None
    assert boat.data is None


def test_required_empty_lists_are_sent_and_optional_ones_are_not():
    boat = Boat(rules=[], data={}, spec=BoatSpec(containers=[], host_ips=[], volumes=[]))

    assert boat.to_dict()["rules"] == []
    assert boat.to_dict()["spec"] == {"containers": []}
    assert "data" not in boat.to_dict()


def test_an_empty_struct_is_a_value_and_is_sent():
    boat = Boat(
        spec=BoatSpec(volumes=[Volume(name="v", empty_dir=EmptyDir())], containers=[Container(name="a", args=[])])
    )

    assert boat.to_dict()["spec"] == {"volumes": [{"name": "v", "emptyDir": {}}], "containers": [{"name": "a"}]}


def test_removing_a_part_and_a_field(boat):
    del boat.status
    boat.spec.containers = unset

    assert "status" not in boat.to_dict()
    assert "containers" not in boat.to_dict()["spec"]


# ---- scalars


@pytest.mark.parametrize("target", [80, "80", "http"])
def test_int_or_string_stays_what_it_was(target):
    boat = Boat(spec=BoatSpec(containers=[Container(name="a", ports=[Port(container_port=1, target=target)])]))

    again = Boat.decode(boat.encode())
    assert again.spec.containers[0].ports[0].target == target
    assert type(again.spec.containers[0].ports[0].target) is type(target)


def test_a_quantity_is_kept_as_given(boat):
    assert boat.spec.containers[0].limits == {"cpu": "0.50"}


def test_mach_23_times_are_written_with_whole_seconds_in_utc():
    east = timezone(timedelta(hours=2))
    boat = Boat(spec=BoatSpec(started=datetime(2026, 1, 2, 3, 4, 5, 678, tzinfo=east)))

    assert boat.to_dict()["spec"] == {"started": "2026-01-02T01:04:05Z"}


@pytest.mark.parametrize(("micro", "text"), [(0, "000000"), (6, "000006"), (120000, "120000")])
def test_mach_23_micro_times_always_have_six_digits(micro, text):
    boat = Boat(spec=BoatSpec(renewed=datetime(2026, 1, 2, 3, 4, 5, micro, tzinfo=UTC)))

    assert boat.to_dict()["spec"] == {"renewed": f"2026-01-02T03:04:05.{text}Z"}


def test_times_in_lists_are_written_right_and_reading_one_back_gives_the_same_moment():
    moment = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    boat = Boat(spec=BoatSpec(stops=[moment.replace(microsecond=9), moment]))

    again = Boat.decode(boat.encode())
    assert boat.to_dict()["spec"] == {"stops": ["2026-01-02T03:04:05Z"] * 2}
    assert again.spec.stops == [moment, moment]


def test_the_zero_time_keeps_its_four_digit_year():
    boat = Boat(spec=BoatSpec(renewed=datetime(1, 1, 1, tzinfo=UTC)))

    assert boat.to_dict()["spec"] == {"renewed": "0001-01-01T00:00:00.000000Z"}


def test_a_time_without_zone_is_refused_with_its_place():
    with pytest.raises(DecodeError, match=r"spec.*no time zone"):
        Boat(spec=BoatSpec(renewed=datetime(2026, 1, 2))).encode()


# ---- names


def test_irregular_wire_names_and_reserved_words():
    boat = Boat(spec=BoatSpec(host_ips=["1.2.3.4"], from_="here"))

    assert boat.to_dict()["spec"] == {"hostIPs": ["1.2.3.4"], "from": "here"}
    assert Boat.decode(boat.encode()).spec.from_ == "here"


# ---- wrong input


def test_an_unknown_field_in_a_constructor_is_refused():
    with pytest.raises(TypeError, match="Boat has no field 'sped'; did you mean 'spec'"):
        Boat(sped=1)
    with pytest.raises(TypeError, match="sped"):
        BoatSpec(sped=1)
    with pytest.raises(AttributeError, match="sped"):
        Boat().sped
    with pytest.raises(AttributeError):
        Boat().sped = 1


def test_a_value_of_the_wrong_type_names_its_path_before_anything_is_sent():
    boat = Boat(spec=BoatSpec(containers=[Container(name="a", ports=[Port(container_port="eighty")])]))

    place = r"spec\.containers\[0\]\.ports\[0\]\.containerPort"
    with pytest.raises(DecodeError, match=f"{place}: expected int, got 'eighty'"):
        boat.encode()


def test_a_malformed_part_names_object_and_path():
    boat = Boat.decode(b'{"metadata":{"name":"b1","namespace":"sea"},"spec":{"containers":[{"name":5}]}}')

    with pytest.raises(DecodeError, match=r"<Boat sea/b1>: spec\.containers\[0\]\.name: expected str, got 5"):
        boat.spec


@pytest.mark.parametrize("document", [{"kind": "Ship"}, {"kind": "Boat", "apiVersion": "v2"}])
def test_another_kind_is_refused(document):
    with pytest.raises(DecodeError, match=r"expected tests\.example\.com/v1 Boat"):
        Boat.from_dict(document)


def test_what_is_no_mapping_or_no_json_is_refused():
    with pytest.raises(DecodeError, match="expected a mapping, got list"):
        Boat.from_dict([])
    with pytest.raises(DecodeError, match="object"):
        Boat.from_dict({"spec": object()})
    with pytest.raises(DecodeError):
        Boat.decode("{")


# ---- plain values and YAML


def test_to_dict_and_yaml_are_valid_manifests():
    boat = Boat(metadata=ObjectMeta(name="b1", labels={"on": "y"}), data={"count": "12", "text": "a\nb\n"})

    assert boat.to_dict() == {
        "apiVersion": "tests.example.com/v1",
        "kind": "Boat",
        "metadata": {"labels": {"on": "y"}, "name": "b1"},
        "data": {"count": "12", "text": "a\nb\n"},
    }
    assert Boat.from_dict(boat.to_dict()) == boat
    assert Boat.from_yaml(boat.to_yaml()) == boat
    assert "count: '12'" in boat.to_yaml()
    assert "'on': 'y'" in boat.to_yaml()


def test_items_of_a_list_are_sent_with_their_kind():
    boat = BoatList.decode(b'{"metadata":{"resourceVersion":"3"},"items":[{"metadata":{"name":"x"}}]}')[0]

    assert boat.to_dict() == {"apiVersion": "tests.example.com/v1", "kind": "Boat", "metadata": {"name": "x"}}


# ---- equality, copies, pickles, repr


def test_objects_with_the_same_values_are_equal_however_written():
    one = Boat.decode(b'{"metadata":{"name":"x","namespace":"n"}}')
    other = Boat.decode(b'{"kind":"Boat","apiVersion":"tests.example.com/v1","metadata":{"namespace":"n", "name":"x"}}')

    assert one == other
    other.metadata.name = "y"
    assert one != other
    assert one != "x"


def test_objects_are_not_hashable_since_they_change():
    with pytest.raises(TypeError):
        hash(Boat())


@pytest.mark.parametrize("clone", [copy.copy, copy.deepcopy, Boat.copy, lambda boat: pickle.loads(pickle.dumps(boat))])
def test_copies_are_equal_and_independent(boat, clone):
    boat.spec.containers[0].args = ["a"]
    twin = clone(boat)

    assert twin == boat
    assert twin.encode() == boat.encode()
    twin.spec.containers[0].args.append("b")
    assert boat.spec.containers[0].args == ["a"]


def test_repr_names_kind_place_and_version(boat):
    assert repr(boat) == "<Boat sea/b1 rv=5>"
    boat.metadata.name = "b2"
    assert repr(boat) == "<Boat sea/b2 rv=5>"
    assert repr(Boat()) == "<Boat (unnamed)>"
    assert repr(BoatSpec(from_="x")) == "BoatSpec(from_='x')"


def test_tab_completion_shows_the_parts(boat):
    assert {"metadata", "spec", "status", "data", "to_yaml"} <= set(dir(boat))


# ---- classes


def test_resource_facts_ride_on_the_class():
    info = Boat.__info__

    assert str(info.gvk) == "tests.example.com/v1, Kind=Boat"
    assert info.gvr == ("tests.example.com", "v1", "boats")
    assert (info.singular, info.short_names, info.namespaced) == ("boat", ("bt",), True)
    assert info.subresource("status").verbs == ("get", "patch", "update")
    assert info.subresource("scale") is None


def test_a_subclass_keeps_kind_and_parts():
    class Ferry(Boat):
        __slots__ = ()

        def afloat(self) -> bool:
            return self.status.phase == "Afloat"

    ferry = Ferry.from_record(decode_record(WIRE))
    assert ferry.afloat()
    assert ferry.kind == "Boat"
    assert list(parts_of(Ferry)) == list(parts_of(Boat))


def test_a_list_is_a_sequence_of_its_own_objects():
    boats = BoatList.decode(
        b'{"metadata":{"resourceVersion":"3"},"items":[{"metadata":{"name":"x"}},{"metadata":{"name":"y"}}]}'
    )

    assert len(boats) == 2
    assert [boat.metadata.name for boat in boats] == ["x", "y"]
    assert boats[0] is boats.items[0]
    assert [record.name for record in boats.records] == ["x", "y"]
    assert repr(boats) == "<BoatList of 2 rv=3>"
    assert boats.to_dict()["kind"] == "BoatList"


def test_an_object_becomes_another() -> None:
    from k8srt.api.core.v1 import Pod

    one = Pod.from_dict({"metadata": {"name": "a", "namespace": "x"}, "spec": {"nodeName": "n"}})
    other = Pod.from_dict({"metadata": {"name": "b"}, "status": {"phase": "Running"}})
    one.spec.node_name = "changed"
    assert one.status.phase is None

    one.become(other)

    assert one == other
    assert (one.metadata.name, one.spec.node_name, one.status.phase) == ("b", None, "Running")
    one.metadata.name = "c"
    assert other.metadata.name == "b"
