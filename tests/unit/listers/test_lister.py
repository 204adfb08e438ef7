"""Reading from caches."""

from __future__ import annotations

import pytest

from k8srt.api.core.v1 import Pod
from k8srt.apimachinery import labels
from k8srt.apimachinery.schema import GroupResource
from k8srt.errors import NotFound
from k8srt.listers import Lister, list_all, list_all_by_namespace
from k8srt.tools.cache import NAMESPACE_INDEX, Indexer, meta_namespace_index
from tests.unit.tools.cache.scripted import pod, pod_object


@pytest.fixture
def indexer():
    found = Indexer(indexers={NAMESPACE_INDEX: meta_namespace_index}, kind=Pod)
    found.replace(
        [
            pod("a", 1, "ns1", labels={"app": "web"}),
            pod("b", 2, "ns1"),
            pod("c", 3, "ns2", labels={"app": "web"}),
            pod("n", 4, ""),
        ]
    )
    return found


@pytest.fixture
def lister(indexer):
    return Lister(indexer, "pods")


def names(objects):
    return sorted(obj.metadata.name for obj in objects)


def test_cache_31_everything_and_nothing(indexer):
    class Unreadable(Indexer):
        def kept(self):
            raise AssertionError("read")

    assert names(list_all(indexer, labels.everything())) == ["a", "b", "c", "n"]
    assert list_all(Unreadable(), labels.nothing()) == []
    assert names(list_all(indexer, labels.parse("app=web"))) == ["a", "c"]
    assert names(list_all(indexer, labels.parse("!app"))) == ["b", "n"]


def test_cache_32_by_namespace(indexer):
    assert names(list_all_by_namespace(indexer, "ns1", labels.everything())) == ["a", "b"]
    assert names(list_all_by_namespace(indexer, "", labels.everything())) == ["a", "b", "c", "n"]


def test_cache_32_without_the_index_it_takes_longer(caplog):
    indexer = Indexer(kind=Pod)
    indexer.replace([pod("a", 1, "ns1"), pod("c", 3, "ns2")])

    assert names(list_all_by_namespace(indexer, "ns1", labels.everything())) == ["a"]
    assert "does not exist" in caplog.text


def test_cache_33_and_inf_62_get_by_name(lister):
    assert lister.get("a", "ns1").metadata.resource_version == "1"
    assert lister.namespace("ns1").get("a").metadata.resource_version == "1"
    assert lister.get("n").metadata.name == "n"


def test_cache_33_and_inf_62_what_is_absent_is_not_found(indexer):
    lister = Lister(indexer, GroupResource("apps", "deployments"))
    with pytest.raises(NotFound, match=r'deployments\.apps "x" not found') as caught:
        lister.namespace("ns1").get("x")

    details = caught.value.details
    assert (details.group, details.kind, details.name, caught.value.code) == ("apps", "deployments", "x", 404)
    assert lister.find("x", "ns1") is None


def test_inf_62_lists(lister):
    assert names(lister.list()) == ["a", "b", "c", "n"]
    assert names(lister.list(selector="app=web")) == ["a", "c"]
    assert names(lister.list({"app": "web"}, namespace="ns1")) == ["a"]
    assert names(lister.namespace("ns2").list("app")) == ["c"]
    with pytest.raises(labels.SelectorError):
        lister.list("=")


def test_inf_63_empty_before_the_sync():
    assert Lister(Indexer(kind=Pod), "pods").list() == []


def test_cache_10_what_is_listed_belongs_to_the_caller(lister):
    lister.get("a", "ns1").metadata.labels["app"] = "changed"
    for obj in lister.list():
        obj.metadata.name = "changed"

    assert lister.get("a", "ns1").metadata.labels == {"app": "web"}
    assert lister.get("a", "ns1") == pod_object("a", 1, "ns1", labels={"app": "web"})
