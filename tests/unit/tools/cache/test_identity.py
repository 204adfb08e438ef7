"""Names that informers publish figures under."""

from __future__ import annotations

import pytest

from k8srt.apimachinery.schema import GroupVersionResource
from k8srt.tools.cache import InformerName

PODS = GroupVersionResource("", "v1", "pods")
NODES = GroupVersionResource("", "v1", "nodes")


@pytest.fixture
def name():
    made = InformerName("tests")
    yield made
    made.release()


def test_inf_64_a_name_is_used_once_at_a_time(name):
    with pytest.raises(ValueError, match="already in use"):
        InformerName("tests")
    with pytest.raises(ValueError, match="empty"):
        InformerName("")

    name.release()
    again = InformerName("tests")
    name.release()  # releasing twice takes the name from nobody
    with pytest.raises(ValueError, match="already in use"):
        InformerName("tests")
    again.release()


def test_inf_64_the_first_to_ask_for_a_resource_has_it(name):
    first, second, other = name.with_resource(PODS), name.with_resource(PODS), name.with_resource(NODES)

    assert [each.reserved for each in (first, second, other)] == [True, False, True]
    assert (first.name, first.resource) == ("tests", PODS)


def test_inf_64_nothing_is_reserved_after_the_release(name):
    identifier = name.with_resource(PODS)
    name.release()

    assert not identifier.reserved
    assert not name.with_resource(NODES).reserved
    assert "released" in repr(name)
    assert "not reserved" in repr(identifier)
