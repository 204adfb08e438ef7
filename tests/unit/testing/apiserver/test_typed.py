"""Documents of built-in kinds come into the form that Go's types give them."""

from __future__ import annotations

import pytest

from k8srt.api.apps.v1 import Deployment
from k8srt.api.coordination.v1 import Lease
from k8srt.api.core.v1 import ConfigMap, Event, Pod, Secret
from k8srt.api.rbac.v1 import Role
from k8srt.testing.apiserver.typed import WrongType, read_typed


def test_unknown_fields_are_dropped_and_told():
    document = {"metadata": {"name": "a", "odd": 1}, "spec": {"containers": [{"name": "c", "nope": 1}], "more": 2}}

    obj, unknown = read_typed(Pod, document)

    assert unknown == ["metadata.odd", "spec.containers[0].nope", "spec.more"]
    assert obj["spec"]["containers"] == [{"name": "c", "resources": {}}]


def test_zero_values_vanish_unless_the_type_is_a_pointer():
    spec = {"hostNetwork": False, "nodeName": "", "terminationGracePeriodSeconds": 0, "containers": []}

    obj, _ = read_typed(Pod, {"metadata": {"labels": {}}, "spec": spec})

    assert obj["metadata"] == {}
    assert obj["spec"] == {"terminationGracePeriodSeconds": 0, "containers": None}


def test_structs_that_are_values_are_always_written():
    obj, _ = read_typed(Deployment, {"metadata": {"name": "d"}})

    assert obj["spec"] == {"selector": None, "strategy": {}, "template": {"metadata": {}, "spec": {"containers": None}}}
    assert obj["status"] == {}


def test_an_empty_struct_behind_a_pointer_stays():
    volume = {"name": "v", "emptyDir": {}}

    obj, _ = read_typed(Pod, {"spec": {"containers": [], "volumes": [volume]}})

    assert obj["spec"]["volumes"] == [volume]


def test_required_lists_are_null_when_empty():
    obj, _ = read_typed(Role, {"metadata": {"name": "r"}, "rules": []})

    assert obj["rules"] is None


def test_null_counts_as_absent():
    obj, _ = read_typed(ConfigMap, {"metadata": {"name": "a", "labels": None}, "data": None})

    assert obj == {"metadata": {"name": "a"}}


def test_quantities_become_canonical():
    resources = {"requests": {"cpu": "0.5", "memory": "1024Mi"}}

    obj, _ = read_typed(Pod, {"spec": {"containers": [{"name": "c", "resources": resources}]}})

    assert obj["spec"]["containers"][0]["resources"]["requests"] == {"cpu": "500m", "memory": "1Gi"}


def test_times_become_utc_and_micro_times_keep_six_digits():
    when = "2001-02-03T05:05:06+01:00"
    event = {"involvedObject": {}, "firstTimestamp": when, "eventTime": "2001-02-03T05:05:06.000007+01:00"}

    obj, _ = read_typed(Event, event)

    assert obj["firstTimestamp"] == "2001-02-03T04:05:06Z"
    assert obj["eventTime"] == "2001-02-03T04:05:06.000007Z"


@pytest.mark.parametrize(
    ("cls", "document", "message"),
    [
        (ConfigMap, {"metadata": {"name": 1}}, "cannot unmarshal number into Go struct field ObjectMeta.metadata.name"),
        (ConfigMap, {"metadata": []}, "cannot unmarshal array into Go struct field ConfigMap.metadata"),
        (ConfigMap, {"data": {"k": 1}}, "cannot unmarshal number into Go struct field ConfigMap.data"),
        (Deployment, {"spec": {"replicas": 2.0}}, "of type int32"),
        (Pod, {"spec": {"hostNetwork": "yes"}}, "of type bool"),
        (Secret, {"data": {"x": "***"}}, "illegal base64 data at input byte 0"),
        (Lease, {"spec": {"renewTime": "2001-02-03T04:05:06Z"}}, 'cannot parse "Z" as ".000000"'),
        (Event, {"firstTimestamp": "yesterday"}, 'parsing time "yesterday"'),
        (Pod, {"spec": {"overhead": {"cpu": "many"}}}, "quantities must match the regular expression"),
    ],
)
def test_what_does_not_fit_is_refused(cls, document, message):
    with pytest.raises(WrongType) as caught:
        read_typed(cls, document)

    assert message in str(caught.value)
