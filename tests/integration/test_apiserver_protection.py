"""Claims and volumes go when nobody uses them."""

from __future__ import annotations

from typing import Any

import pytest

from k8srt.kubernetes import Clientset
from k8srt.testing import APIServer, FakeClientset

pytestmark = pytest.mark.embedded

CLAIM = {
    "apiVersion": "v1",
    "kind": "PersistentVolumeClaim",
    "metadata": {"name": "data", "namespace": "default"},
    "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
}
VOLUME = {
    "apiVersion": "v1",
    "kind": "PersistentVolume",
    "metadata": {"name": "disk"},
    "spec": {
        "accessModes": ["ReadWriteOnce"],
        "capacity": {"storage": "1Gi"},
        "hostPath": {"path": "/x"},
        "claimRef": {"namespace": "default", "name": "data"},
    },
}


def user_of_the_claim() -> dict[str, Any]:
    volumes = [{"name": "d", "persistentVolumeClaim": {"claimName": "data"}}]
    spec = {"containers": [{"name": "c", "image": "i"}], "volumes": volumes}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p", "namespace": "default"}, "spec": spec}


def test_a_claim_goes_with_its_last_user_and_the_volume_after_it() -> None:
    with APIServer() as server, Clientset(server.config) as cs:
        cs.apply([CLAIM, VOLUME, user_of_the_claim()])
        claims, volumes = cs.core_v1.persistent_volume_claims("default"), cs.core_v1.persistent_volumes()

        volumes.delete("disk")
        claims.delete("data")
        cs.apply({**CLAIM, "metadata": {"name": "other", "namespace": "default"}})
        claims.delete("other")
        claims.wait("other", "delete", timeout=20)

        assert claims.get("data").metadata.deletion_timestamp is not None
        assert volumes.get("disk").metadata.finalizers == ["kubernetes.io/pv-protection"]

        cs.core_v1.pods("default").delete("p", grace_period_seconds=0)
        claims.wait("data", "delete", timeout=20)
        volumes.wait("disk", "delete", timeout=20)


def test_it_is_the_same_on_a_fake() -> None:
    with FakeClientset(CLAIM) as cs:
        cs.core_v1.persistent_volume_claims("default").delete("data")

        assert list(cs.core_v1.persistent_volume_claims("default").list()) == []
