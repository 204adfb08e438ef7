"""What is wrong in an object is told with its place and value, before anything is sent; what came odd is read."""

from __future__ import annotations

import copy
import json
import pickle
from datetime import UTC, datetime

import pytest

from k8srt.api.apps.v1 import StatefulSet, StatefulSetSpec
from k8srt.api.core.v1 import ConfigMap, PersistentVolumeClaim, PersistentVolumeClaimSpec, Pod, PodSpec, Secret
from k8srt.api.core.v1 import Container as CoreContainer
from k8srt.apimachinery.meta import ObjectMeta
from k8srt.apimachinery.quantity import Quantity
from k8srt.apimachinery.unstructured import Unstructured
from k8srt.errors import DecodeError, WrongValue
from tests.unit.apimachinery.models import Boat, BoatSpec, Container, Port, Volume

ZERO = datetime(1, 1, 1, tzinfo=UTC)
PORT = "spec.containers[0].ports[0].containerPort"


def boat(**spec) -> Boat:
    return Boat(metadata=ObjectMeta(name="b1", namespace="sea"), spec=BoatSpec(**spec))


def refusal(obj) -> WrongValue:
    with pytest.raises(WrongValue) as caught:
        obj.encode()
    return caught.value


# ---- unknown fields


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: CoreContainer(imag="nginx"), "Container has no field 'imag'; did you mean 'image'?"),
        (lambda: CoreContainer(imagePullPolicy="Always"), "Container has no field 'imagePullPolicy'; did you mean "),
        (lambda: Boat(sepc=None), "Boat has no field 'sepc'; did you mean 'spec'?"),
        (lambda: Volume(zzz=1), "Volume has no field 'zzz'; it has name, empty_dir"),
        (lambda: PodSpec(zzz=1), "PodSpec has no field 'zzz'"),
    ],
)
def test_an_unknown_field_is_named_with_its_class_and_what_is_close(make, message):
    with pytest.raises(TypeError) as caught:
        make()

    assert message in str(caught.value)


def test_fields_are_given_by_name_only():
    with pytest.raises(TypeError):
        Port(80)


def test_structs_can_still_be_copied_and_pickled():
    port = Port(container_port=80)

    assert copy.copy(port) == copy.deepcopy(port) == pickle.loads(pickle.dumps(port)) == port


def test_an_attribute_that_is_not_there_says_what_it_was_asked_of():
    made = boat()

    with pytest.raises(AttributeError) as caught:
        made.sepc
    assert (caught.value.name, caught.value.obj) == ("sepc", made)


# ---- wrong values in what was made here


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ({"containers": [Container(ports=[Port(container_port="eighty")])]}, f"{PORT}: expected int, got 'eighty'"),
        ({"containers": [Container(ports=[Port(container_port=80.0)])]}, f"{PORT}: expected int, got 80.0"),
        ({"containers": [Container(ports=[Port(container_port=True)])]}, f"{PORT}: expected int, got True"),
        ({"containers": [{"ports": [{"containerPort": "80"}]}]}, f"{PORT}: expected int, got '80'"),
        ({"containers": [Container(name="a"), None]}, "spec.containers[1]: expected Container, got null"),
        ({"containers": [Volume(name="v")]}, "spec.containers[0]: expected Container, got a Volume"),
        ({"containers": Container(name="a")}, "spec.containers: expected list of Container, got a Container"),
        (
            {"containers": [Container(limits={"cpu": []})]},
            "spec.containers[0].limits[cpu]: expected str or int or float",
        ),
        ({"host_ips": ["10.0.0.1", 7]}, "spec.hostIPs[1]: expected str, got 7"),
        ({"host_ips": [object()]}, "spec.hostIPs[0]: expected str, got an object"),
        ({"from_": b"x" * 100}, "spec.from: expected str, got b'xxxxxxxx"),
        ({"started": "yesterday"}, "spec.started: expected a time such as 2006-01-02T15:04:05Z, got 'yesterday'"),
        ({"stops": [datetime(2020, 1, 1)]}, "spec.stops[0]: expected a time"),
    ],
)
def test_a_wrong_value_is_named_with_its_place(spec, message):
    error = refusal(boat(**spec))

    assert str(error).startswith(f"<Boat sea/b1>: {message}")
    assert isinstance(error, (DecodeError, ValueError))


def test_a_time_without_a_zone_says_what_to_do():
    error = refusal(boat(renewed=datetime(2020, 1, 1)))

    assert "which has no time zone; use datetime.now(UTC)" in str(error)


def test_every_wrong_value_is_told_up_to_ten():
    assert refusal(boat(from_=1, host_ips=[2, "x", 3])).paths == ("spec.hostIPs[0]", "spec.hostIPs[2]", "spec.from")
    assert str(refusal(boat(host_ips=list(range(12))))).endswith("; and 2 more")


def test_keys_of_maps_stand_in_brackets():
    made = boat()
    made.metadata.labels = {"app.kubernetes.io/name": 1, "ok": "yes", "none": None}

    assert str(refusal(made)) == (
        "<Boat sea/b1>: metadata.labels[app.kubernetes.io/name]: expected str, got 1; "
        "metadata.labels[none]: expected str, got null"
    )


def test_all_parts_that_were_touched_are_looked_at():
    made = came(spec={"hostIPs": [5], "from": "x"}, data={"k": "v"})
    made.metadata.labels = {"a": 1}
    made.data["k"] = 2

    assert refusal(made).paths == ("metadata.labels[a]", "data[k]")


def test_a_part_of_another_class_is_refused():
    assert "spec: expected BoatSpec, got a Container" in str(refusal(Boat(spec=Container(name="a"))))
    assert "metadata: expected ObjectMeta, got 'b1'" in str(refusal(Boat(metadata="b1")))


def test_what_lies_in_whole_objects_inside_is_named_too():
    typed = PersistentVolumeClaim(spec=PersistentVolumeClaimSpec(access_modes=[1]))

    for claim in (typed, {"spec": {"accessModes": [1]}}):
        made = StatefulSet(spec=StatefulSetSpec(volume_claim_templates=[claim]))
        assert refusal(made).paths == ("spec.volumeClaimTemplates[0].spec.accessModes[0]",)


def test_the_values_of_a_secret_are_not_shown():
    made = Secret(metadata=ObjectMeta(name="s", labels={"a": 1}), string_data={"token": 12345}, data={"p": "hunter2"})

    assert str(refusal(made)) == (
        "<Secret s>: metadata.labels[a]: expected str, got 1; data[p]: expected bytes or base64, got a str; "
        "stringData[token]: expected str, got an int"
    )


def test_an_error_survives_pickling():
    error = refusal(boat(from_=1))

    again = pickle.loads(pickle.dumps(error))

    assert (str(again), again.paths) == (str(error), error.paths)


def test_quantities_are_written_as_text():
    made = boat(containers=[Container(limits={"cpu": Quantity("1500m")})])

    assert made.to_dict()["spec"]["containers"][0]["limits"] == {"cpu": "1500m"}


# ---- wrong values in plain data


def test_plain_data_is_checked_when_an_object_is_made_of_it():
    document = {
        "metadata": {"name": "b1", "namespace": "sea"},
        "spec": {"containers": [{"ports": [{"containerPort": "x"}]}]},
    }

    with pytest.raises(WrongValue) as caught:
        Boat.from_dict(document)

    assert str(caught.value) == f"<Boat sea/b1>: {PORT}: expected int, got 'x'"


def test_yaml_is_checked_too():
    with pytest.raises(WrongValue, match=r"<Boat b1>: metadata.labels\[a\]: expected str, got True; data\[k\]"):
        Boat.from_yaml("metadata: {name: b1, labels: {a: true}}\ndata: {k: 1}")


def test_metadata_of_another_form_is_no_riddle():
    with pytest.raises(WrongValue, match=r"metadata: expected ObjectMeta, got 'b1'"):
        Boat.from_dict({"metadata": "b1"})
    with pytest.raises(WrongValue, match=r"metadata.name: expected str, got 3"):
        Boat.from_dict({"metadata": {"name": 3}})


def test_a_struct_is_checked_when_it_is_made_of_plain_data():
    with pytest.raises(WrongValue, match=r"BoatSpec: containers\[0\].name: expected str, got 5"):
        BoatSpec.from_dict({"containers": [{"name": 5}]})


def test_whole_objects_inside_plain_data_are_checked():
    document = {"spec": {"volumeClaimTemplates": [{"spec": {"accessModes": [1]}}]}}

    with pytest.raises(WrongValue, match=r"spec.volumeClaimTemplates\[0\].spec.accessModes\[0\]"):
        StatefulSet.from_dict(document)


def test_a_constructor_takes_plain_data_for_a_part_and_checks_it():
    made = Boat(metadata={"name": "b1", "labels": {"a": "b"}}, spec={"hostIPs": ["10.0.0.1"], "later": 1})

    assert (made.metadata.name, made.spec.host_ips) == ("b1", ["10.0.0.1"])
    assert made.to_dict()["spec"] == {"hostIPs": ["10.0.0.1"], "later": 1}
    assert repr(made) == "<Boat b1>"
    with pytest.raises(WrongValue, match=r"spec.hostIPs\[0\]: expected str, got 1"):
        Boat(spec={"hostIPs": [1]})


def test_plain_data_may_hold_structs_quantities_and_whole_objects():
    claim = PersistentVolumeClaim(spec=PersistentVolumeClaimSpec(access_modes=["ReadWriteOnce"]))
    made = Boat(spec={"containers": [Container(name="c"), {"limits": {"cpu": Quantity("1500m")}}]})

    assert made.to_dict()["spec"] == {"containers": [{"name": "c"}, {"limits": {"cpu": "1500m"}}]}
    held = StatefulSet.from_dict({"spec": {"volumeClaimTemplates": [claim]}})
    assert held.spec.volume_claim_templates == [claim]


def test_a_part_that_is_set_to_plain_data_is_checked_when_it_is_sent():
    made = boat()
    made.metadata = {"name": "b2"}
    made.spec = {"hostIPs": [1]}

    assert repr(made) == "<Boat b2>"
    assert refusal(made).paths == ("spec.hostIPs[0]",)


def test_what_json_cannot_hold_is_named_without_a_model_too():
    made = Unstructured({"kind": "Boat", "metadata": {"name": "b1"}, "spec": {"a": [1, {"b": object()}]}})

    assert str(refusal(made)) == (
        "<Unstructured Boat b1>: spec.a[1].b: expected something that JSON can hold, got an object"
    )


def test_the_typed_metadata_of_an_unstructured_object_is_checked():
    made = Unstructured({"kind": "Boat", "metadata": {"name": "b1", "labels": {"a": 1}}})

    with pytest.raises(WrongValue, match=r"metadata.labels\[a\]: expected str, got 1"):
        made.metadata


# ---- what came from a server is read, however odd


def came(**parts) -> Boat:
    return Boat.decode(json.dumps({"metadata": {"name": "b1"}, **parts}))


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2020-01-02T03:04:05", datetime(2020, 1, 2, 3, 4, 5, tzinfo=UTC)),
        ("2020-01-02 03:04:05Z", datetime(2020, 1, 2, 3, 4, 5, tzinfo=UTC)),
        ("2020-01-02", datetime(2020, 1, 2, tzinfo=UTC)),
        ("20200102T030405Z", datetime(2020, 1, 2, 3, 4, 5, tzinfo=UTC)),
        ("2020-01-02T05:04:05+02:00", datetime(2020, 1, 2, 3, 4, 5, tzinfo=UTC)),
        ("2020-01-02T03:04:05.123456789Z", datetime(2020, 1, 2, 3, 4, 5, 123457, tzinfo=UTC)),
        ("", None),
        ("yesterday", None),
        ("0000-00-00T00:00:00Z", None),
        ("10000-01-01T00:00:00Z", None),
        (5, None),
        (None, None),
    ],
)
def test_usr_26_odd_times_are_read(text, moment):
    assert came(spec={"started": text, "from": "x"}).spec.started == moment
    assert came(spec={"renewed": text}).spec.renewed == moment
    assert came(spec={"stops": ["2020-01-01T00:00:00Z", text]}).spec.stops[1] == (moment or ZERO)


def test_usr_26_null_in_lists_and_maps_reads_as_what_is_empty():
    got = came(
        metadata={"name": "b1", "labels": {"a": None}, "finalizers": [None, "f"]},
        spec={"containers": [None, {"name": "c", "args": None, "ports": [{"containerPort": None}]}], "stops": None},
        data={"k": None},
    )

    assert (got.metadata.labels, got.metadata.finalizers) == ({"a": ""}, ["", "f"])
    assert got.spec.containers == [Container(), Container(name="c", ports=[Port()])]
    assert (got.spec.stops, got.data) == (None, {"k": ""})


def test_usr_26_what_is_odd_is_sent_back_as_it_came():
    odd = {"started": "yesterday", "hostIPs": [None], "from": "x"}
    got = came(spec=odd)
    assert got.spec.started is None

    assert got.to_dict()["spec"] == odd
    got.spec.from_ = "y"

    assert got.to_dict()["spec"]["started"] == "yesterday"
    assert got.to_dict()["spec"]["from"] == "y"


def test_usr_26_what_is_of_another_type_altogether_is_an_error_that_names_it():
    with pytest.raises(WrongValue, match=r"<Boat b1>: spec.hostIPs: expected list of str, got 5"):
        came(spec={"hostIPs": 5, "started": "yesterday"}).spec
    with pytest.raises(WrongValue, match=r"<Boat b1>: spec: expected BoatSpec, got 5"):
        came(spec=5).spec


def test_usr_26_every_built_in_kind_reads_its_odd_times():
    got = Pod.decode(b'{"metadata":{"name":"p","creationTimestamp":""},"status":{"startTime":"2020-01-02"}}')

    assert got.metadata.creation_timestamp is None
    assert got.status.start_time == datetime(2020, 1, 2, tzinfo=UTC)
    assert ConfigMap.decode(b'{"data":{"a":null}}').data == {"a": ""}
