"""Every resource that can be listed and watched has an informer and a lister, under its client's name."""

from __future__ import annotations

import pytest

from k8srt.informers import SharedInformerFactory
from k8srt.informers.typed._index import GROUPS
from k8srt.kubernetes import Clientset
from k8srt.kubernetes.typed._index import GROUPS as CLIENTS
from k8srt.rest import Config


def resources(group: object) -> dict[str, type]:
    """Names and classes of what a group of clients can list and watch."""
    names = (name for name in vars(type(group)) if not name.startswith("_"))
    made = {name: getattr(group, name)() for name in names}
    return {name: client.object_class for name, client in made.items() if {"list", "watch"} <= set(client.info.verbs)}


@pytest.mark.parametrize("attribute", CLIENTS)
def test_inf_59_what_can_be_listed_and_watched_has_an_informer_and_a_lister(attribute: str) -> None:
    cs = Clientset(Config(host="http://fake"))
    factory = SharedInformerFactory(cs)
    expected = resources(getattr(cs, attribute))

    group = getattr(factory, attribute) if attribute in GROUPS else None

    assert {name for name in dir(group) if not name.startswith("_")} - {"resource"} == set(expected) or not expected
    for name, cls in expected.items():
        found = getattr(group, name)
        gvr = cls.__info__.gvr
        assert found.informer is factory.informer_for(cls)
        assert found.informer is factory.for_resource(gvr).informer
        assert repr(found) == f"<ResourceInformer of {gvr.group_resource}>"
        assert found.lister.list() == []
    assert len(factory.informers) == len(expected)


def test_tab_completion_of_a_factory() -> None:
    factory = SharedInformerFactory(Clientset(Config(host="http://fake")))

    assert set(GROUPS) <= set(dir(factory))
    assert {"start", "shutdown", "wait_for_cache_sync"} <= set(dir(factory))
    assert {"deployments", "replica_sets"} <= set(dir(factory.apps_v1))
    with pytest.raises(AttributeError, match="core_v2"):
        factory.core_v2  # type: ignore[attr-defined]
