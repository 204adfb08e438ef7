"""Owner references: what they say, and what they are refused for."""

from __future__ import annotations

import pytest

from k8srt.api.apps.v1 import Deployment
from k8srt.api.core.v1 import ConfigMap, Namespace
from k8srt.apimachinery.meta import ObjectMeta, OwnerReference
from k8srt.apimachinery.owners import new_controller_ref
from k8srt.apimachinery.unstructured import Unstructured
from k8srt.controller import ownership as own


def config_map(name: str = "child", namespace: str = "shop") -> ConfigMap:
    return ConfigMap(metadata=ObjectMeta(name=name, namespace=namespace))


def deployment(name: str = "web", uid: str = "u1", namespace: str = "shop") -> Deployment:
    return Deployment(metadata=ObjectMeta(name=name, namespace=namespace, uid=uid))


def test_cut_01_a_controller_and_only_one() -> None:
    child = config_map()

    own.set_controller_reference(deployment(), child)

    assert child.metadata.owner_references == [new_controller_ref(deployment())]
    own.set_controller_reference(deployment(), child, block_owner_deletion=False)
    assert child.metadata.owner_references[0].block_owner_deletion is False
    with pytest.raises(own.AlreadyOwnedError, match=r"shop/child.*controlled by Deployment web \(u1\)") as caught:
        own.set_controller_reference(deployment("other", "u2"), child)
    assert caught.value.object is child
    assert caught.value.owner.name == "web"
    assert len(child.metadata.owner_references) == 1


def test_cut_01_the_same_owner_is_replaced_in_place() -> None:
    child = config_map()
    old = OwnerReference(api_version="apps/v1beta1", kind="Deployment", name="web", uid="u0", controller=True)
    friend = OwnerReference(api_version="v1", kind="Secret", name="friend", uid="u9")
    child.metadata.owner_references = [old, friend, old]

    own.set_controller_reference(deployment(uid="u1"), child)

    assert child.metadata.owner_references == [new_controller_ref(deployment(uid="u1")), friend]


def test_cut_02_an_owner_with_neither_flag() -> None:
    child = config_map()
    own.set_controller_reference(deployment(), child)

    own.set_owner_reference(deployment(uid="u7"), child)
    own.set_owner_reference(deployment("second", "u8"), child)

    first, second = child.metadata.owner_references
    assert (first.uid, first.controller, first.block_owner_deletion) == ("u7", None, None)
    assert second.name == "second"


@pytest.mark.parametrize("put", [own.set_controller_reference, own.set_owner_reference])
def test_cut_03_what_cannot_own(put: object) -> None:
    assert callable(put)
    with pytest.raises(ValueError, match="cluster-scoped, so"):
        put(deployment(), Namespace(metadata=ObjectMeta(name="ns")))
    with pytest.raises(ValueError, match="across namespaces: it is in 'elsewhere'"):
        put(deployment(), config_map(namespace="elsewhere"))
    with pytest.raises(ValueError, match="no uid yet"):
        put(deployment(uid=""), config_map())
    with pytest.raises(ValueError, match="kind is not known"):
        put(Unstructured({"metadata": {"name": "a", "uid": "u"}}), config_map())

    child = config_map()
    put(Namespace(metadata=ObjectMeta(name="ns", uid="u")), child)
    assert child.metadata.owner_references[0].kind == "Namespace"


def test_cut_04_removing_what_is_not_there_is_an_error() -> None:
    child, owner = config_map(), deployment()
    with pytest.raises(own.NoSuchOwner, match="has no owner reference to <Deployment shop/web>"):
        own.remove_owner_reference(owner, child)
    own.set_owner_reference(owner, child)
    with pytest.raises(own.NoSuchOwner, match="not its controller"):
        own.remove_controller_reference(owner, child)

    assert own.has_owner_reference(deployment(uid="another"), child)
    assert not own.has_controller_reference(child)
    own.set_controller_reference(owner, child)
    assert own.has_controller_reference(child)
    own.remove_controller_reference(owner, child)
    assert not own.has_owner_reference(owner, child)
    assert not child.metadata.owner_references
