"""Factories of informers that know resources only by their names."""

from __future__ import annotations

import pytest

from k8srt.apimachinery.schema import GroupVersionResource
from k8srt.dynamic import DynamicClient
from k8srt.informers import DynamicSharedInformerFactory, MetadataSharedInformerFactory
from k8srt.metadata import MetadataClient
from tests.unit.rest.fakes import fake_client

FOOS = GroupVersionResource("example.com", "v1", "foos")
FACTORIES = [(DynamicSharedInformerFactory, DynamicClient), (MetadataSharedInformerFactory, MetadataClient)]


@pytest.mark.parametrize(("make", "client"), FACTORIES)
def test_inf_60_a_resource_has_one_informer_and_it_says_of_what(make, client):
    factory = make(client.over(fake_client()[0]))

    found = factory.for_resource(FOOS)

    assert factory.informers == {}
    assert found.informer is factory.for_resource(FOOS).informer
    assert list(factory.informers) == [FOOS]
    assert repr(found) == "<ResourceInformer of foos.example.com>"
    assert repr(found.lister) == "<Lister of foos.example.com>"


@pytest.mark.parametrize(("make", "client"), FACTORIES)
def test_what_is_no_name_of_a_resource_is_refused_at_once(make, client):
    factory = make(client.over(fake_client()[0]))

    with pytest.raises(TypeError, match=r"expected a GroupVersionResource, .* got 'foos'"):
        factory.for_resource("foos")
    with pytest.raises(ValueError, match="version and resource are needed"):
        factory.for_resource(GroupVersionResource("", "", "foos"))
    assert factory.informers == {}
