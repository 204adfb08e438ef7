"""The stand-ins bring Deployments to life on a server that has no controllers, over real HTTP."""

from __future__ import annotations

from pathlib import Path

import pytest

from k8srt.api.apps.v1 import Deployment
from k8srt.apimachinery.owners import controller_of
from k8srt.errors import NotFound
from k8srt.examples.stand_ins.cluster import StandIns
from k8srt.kubernetes import Clientset
from k8srt.testing import APIServer

pytestmark = pytest.mark.embedded

NS = "default"
LIMIT = 30

WEB = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: "nginx:1"}]}
"""


@pytest.fixture
def cs():
    with APIServer(garbage_collection=False) as server:
        config = server.config.copy()
        config.qps = -1.0
        with Clientset(config) as clientset:
            yield clientset


@pytest.fixture
def stand_ins(cs):
    with StandIns(cs, NS, start_delay=0.05, stop_delay=0.05):
        yield


@pytest.fixture
def web(cs, stand_ins):
    """A Deployment of two replicas that are available."""
    cs.apps_v1.deployments(NS).create(Deployment.from_yaml(WEB))
    return available(cs, 2)


def until(client, done, name="web"):
    """Watch until an object is as it should be, and return it."""
    with client.watch(field_selector=f"metadata.name={name}", resource_version="0", timeout_seconds=LIMIT) as events:
        found = next((event.object for event in events if event.type != "DELETED" and done(event.object)), None)
    assert found is not None
    return found


def available(cs, count):
    def done(deployment):
        status = deployment.status
        observed = status.observed_generation == deployment.metadata.generation
        counts = {status.replicas or 0, status.updated_replicas or 0, status.available_replicas or 0}
        return observed and counts == {count}

    return until(cs.apps_v1.deployments(NS), done)


def test_a_deployment_becomes_available_by_way_of_a_replica_set_and_pods(cs, web):
    conditions = {condition.type: condition.status for condition in web.status.conditions}
    assert conditions == {"Available": "True", "Progressing": "True"}
    [replica_set] = cs.apps_v1.replica_sets(NS).list(label_selector="app=web")
    assert controller_of(replica_set).uid == web.metadata.uid
    pods = cs.core_v1.pods(NS).list(label_selector="app=web").items
    assert [controller_of(pod).uid for pod in pods] == [replica_set.metadata.uid] * 2
    assert [pod.status.phase for pod in pods] == ["Running"] * 2
    assert len({pod.status.pod_ip for pod in pods}) == 2


@pytest.mark.parametrize("replicas", [4, 1, 0])
def test_scaling_up_and_down(cs, web, replicas):
    cs.apps_v1.deployments(NS).patch("web", {"spec": {"replicas": replicas}}, patch_type="merge")

    available(cs, replicas)


def test_a_pod_that_is_deleted_is_replaced(cs, web):
    gone = cs.core_v1.pods(NS).list().items[0]

    cs.core_v1.pods(NS).delete(gone.metadata.name)

    until(cs.apps_v1.deployments(NS), lambda each: (each.status.available_replicas or 0) == 1)
    available(cs, 2)
    assert gone.metadata.name not in {
        pod.metadata.name for pod in cs.core_v1.pods(NS).list() if not pod.metadata.deletion_timestamp
    }


def test_a_new_template_takes_over(cs, web):
    image = {"spec": {"template": {"spec": {"containers": [{"name": "web", "image": "nginx:2"}]}}}}
    cs.apps_v1.deployments(NS).patch("web", image, patch_type="strategic")

    available(cs, 2)
    sets = cs.apps_v1.replica_sets(NS).list().items
    assert sorted(each.spec.replicas for each in sets) == [0, 2]


def test_what_a_deployment_owned_goes_with_it(cs, web):
    pods = cs.core_v1.pods(NS)
    with pods.watch(resource_version=pods.list().metadata.resource_version, timeout_seconds=LIMIT) as events:
        cs.apps_v1.deployments(NS).delete("web")

        gone = set()
        for event in events:
            if event.type == "DELETED":
                gone.add(event.object.metadata.name)
            if len(gone) == 2:
                break
    assert len(gone) == 2
    assert not cs.apps_v1.replica_sets(NS).list().items
    with pytest.raises(NotFound):
        cs.apps_v1.deployments(NS).get("web")


def test_the_folder_ships_with_the_package():
    assert (Path(__file__).parents[2] / "k8srt/examples/stand_ins").is_dir()
