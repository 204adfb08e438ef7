"""`APIServer(simulate=True)` under real clients: what they wait for comes about."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from k8srt.kubernetes import Clientset
from k8srt.testing import APIServer, Simulation
from tests.integration.programs import Kubectl, binaries, number

pytestmark = [pytest.mark.embedded, pytest.mark.timeout(120)]

QUICK = Simulation(nodes=2, start=(0.02, 0.1), run=(0.05, 0.1), stop=(0.02, 0.1))
BUDGET = """
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: web}
spec:
  minAvailable: 2
  selector: {matchLabels: {app: web}}
"""
EVICTION = '{"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": "NAME"}}'
STATEFUL = """
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: db}
spec:
  serviceName: db
  replicas: 2
  selector: {matchLabels: {app: db}}
  template:
    metadata: {labels: {app: db}}
    spec: {containers: [{name: db, image: "db:1"}]}
---
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: agent}
spec:
  selector: {matchLabels: {app: agent}}
  template:
    metadata: {labels: {app: agent}}
    spec: {containers: [{name: agent, image: "agent:1"}]}
"""


@pytest.fixture
def server() -> Iterator[APIServer]:
    with APIServer(simulate=QUICK, seed=1) as running:
        yield running


@pytest.fixture
def cs(server: APIServer) -> Iterator[Clientset]:
    with Clientset(server.config) as made:
        yield made


@pytest.fixture(params=binaries() or [None], ids=lambda binary: number(binary) if binary else "none")
def kubectl(request: pytest.FixtureRequest, server: APIServer, tmp_path: Path) -> Kubectl:
    if request.param is None:
        pytest.skip("there is no kubectl on the PATH")
    kubeconfig = tmp_path / "kubeconfig"
    kubeconfig.write_text(server.kubeconfig())
    return Kubectl(request.param, kubeconfig, tmp_path, "default")


def deployment(name: str = "web", **spec: Any) -> dict[str, Any]:
    template = {"metadata": {"labels": {"app": name}}, "spec": {"containers": [{"name": "app", "image": "app:1"}]}}
    return {
        "metadata": {"name": name},
        "spec": {"selector": {"matchLabels": {"app": name}}, "template": template, **spec},
    }


# ---- kubectl


@pytest.mark.kubectl
def test_a_rollout_with_kubectl(kubectl: Kubectl):
    kubectl("create", "deployment", "web", "--image=app:1", "--replicas=3")
    first = kubectl("rollout", "status", "deployment/web", "--timeout=30s")
    kubectl("set", "image", "deployment/web", "*=app:2")
    kubectl("rollout", "status", "deployment/web", "--timeout=30s")
    kubectl("rollout", "undo", "deployment/web")
    kubectl("rollout", "status", "deployment/web", "--timeout=30s")
    kubectl("rollout", "restart", "deployment/web")
    kubectl("rollout", "status", "deployment/web", "--timeout=30s")
    history = kubectl("rollout", "history", "deployment/web")
    kubectl("scale", "deployment/web", "--replicas=5")
    kubectl.wait("deployment/web", "jsonpath={.status.readyReplicas}=5")
    kubectl("wait", "pod", "--selector=app=web", "--for=condition=Ready", "--timeout=30s")
    images = kubectl("get", "pods", "-o", "jsonpath={.items[*].spec.containers[*].image}")
    described = kubectl("describe", "deployment", "web")

    assert 'deployment "web" successfully rolled out' in first
    assert [line.split()[0] for line in history.splitlines()[2:] if line] == ["2", "3", "4"]
    assert images.split() == ["app:1"] * 5
    assert "Available      True    MinimumReplicasAvailable" in described
    assert "ScalingReplicaSet" in described


@pytest.mark.kubectl
def test_stateful_sets_and_daemon_sets_with_kubectl(kubectl: Kubectl):
    kubectl("apply", "-f", "-", stdin=STATEFUL)

    for what, image in (("statefulset/db", "db=db:2"), ("daemonset/agent", "agent=agent:2")):
        kubectl("rollout", "status", what, "--timeout=30s")
        kubectl("set", "image", what, image)
        kubectl("rollout", "status", what, "--timeout=30s")
        kubectl("rollout", "undo", what)
        kubectl("rollout", "status", what, "--timeout=30s")

    images = kubectl("get", "pods", "-o", "jsonpath={.items[*].spec.containers[*].image}")
    assert sorted(images.split()) == ["agent:1", "agent:1", "db:1", "db:1"]


@pytest.mark.kubectl
def test_jobs_and_services_with_kubectl(kubectl: Kubectl):
    kubectl("create", "job", "once", "--image=busybox")
    kubectl.wait("job/once", "condition=complete")
    kubectl("create", "cronjob", "often", "--image=busybox", "--schedule=* * * * *")
    kubectl("create", "job", "now", "--from=cronjob/often")
    kubectl.wait("job/now", "condition=complete")
    kubectl("create", "deployment", "web", "--image=app:1", "--replicas=2")
    kubectl("expose", "deployment", "web", "--port=80", "--target-port=8080")
    kubectl("rollout", "status", "deployment/web", "--timeout=30s")
    kubectl.wait("endpoints/web", "jsonpath={.subsets[0].addresses[1].targetRef.kind}=Pod")

    described = kubectl("describe", "service", "web")

    assert described.count(":8080") == 2
    assert "Completed" in kubectl("get", "pods")


@pytest.mark.kubectl
def test_a_node_is_drained_as_far_as_the_budget_lets_it(kubectl: Kubectl):
    kubectl("create", "deployment", "web", "--image=app:1", "--replicas=4")
    kubectl("apply", "-f", "-", stdin=BUDGET)
    kubectl("rollout", "status", "deployment/web", "--timeout=30s")
    kubectl.wait("pdb/web", "jsonpath={.status.disruptionsAllowed}=2")

    kubectl("drain", "node-1", "--ignore-daemonsets", "--timeout=30s")
    kubectl("rollout", "status", "deployment/web", "--timeout=30s")
    nodes = kubectl("get", "pods", "-o", "jsonpath={.items[*].spec.nodeName}")
    cordoned = kubectl("get", "nodes")

    assert nodes.split() == ["node-2"] * 4
    assert "SchedulingDisabled" in cordoned
    kubectl("scale", "deployment/web", "--replicas=2")
    kubectl.wait("pdb/web", "jsonpath={.status.disruptionsAllowed}=0")
    pod = kubectl("get", "pods", "-o", "jsonpath={.items[0].metadata.name}")
    path = f"/api/v1/namespaces/default/pods/{pod}/eviction"
    refused = kubectl.refused("create", "--raw", path, "-f", "-", stdin=EVICTION.replace("NAME", pod))
    assert "violate the pod's disruption budget" in refused


# ---- this client


def test_what_happens_to_pods_can_be_asked_for(server: APIServer, cs: Clientset):
    deployments, pods = cs.apps_v1.deployments("default"), cs.core_v1.pods("default")
    deployments.create(deployment(replicas=1))
    deployments.wait("web", "condition=Available", timeout=30.0)
    (name,) = [pod.metadata.name for pod in pods.list().items]

    server.simulation.set_ready(name, False)
    deployments.wait("web", "condition=Available=False", timeout=30.0)
    server.simulation.set_ready(name, True)
    deployments.wait("web", "condition=Available", timeout=30.0)
    server.simulation.restart(name, exit_code=137)
    (status,) = pods.get(name).status.container_statuses

    assert status.restart_count == 1
    assert status.last_state.terminated.exit_code == 137
    with pytest.raises(LookupError, match="pods 'none' not found in namespace 'default'"):
        server.simulation.restart("none")


def test_a_node_that_is_not_ready_gets_no_pods(server: APIServer, cs: Clientset):
    server.simulation.set_node_ready("node-1", False)

    cs.apps_v1.deployments("default").create(deployment(replicas=3))
    cs.apps_v1.deployments("default").wait("web", "condition=Available", timeout=30.0)

    assert {pod.spec.node_name for pod in cs.core_v1.pods("default").list().items} == {"node-2"}


def test_a_deleted_namespace_takes_its_workloads_along(cs: Clientset):
    cs.core_v1.namespaces().create({"metadata": {"name": "team"}})
    cs.apps_v1.deployments("team").create(deployment(replicas=2))
    cs.apps_v1.deployments("team").wait("web", "condition=Available", timeout=30.0)

    cs.core_v1.namespaces().delete("team")
    cs.core_v1.namespaces().wait("team", "delete", timeout=30.0)

    assert cs.core_v1.pods("team").list().items == []


def test_the_simulation_goes_on_in_a_cluster_that_was_kept(tmp_path: Path):
    with APIServer(simulate=QUICK, data_dir=tmp_path) as server, Clientset(server.config) as cs:
        cs.apps_v1.deployments("default").create(deployment(replicas=2))

    with APIServer(simulate=QUICK, data_dir=tmp_path) as server, Clientset(server.config) as cs:
        cs.apps_v1.deployments("default").wait("web", "condition=Available", timeout=30.0)
        nodes = cs.core_v1.nodes().list().items

    assert [node.metadata.name for node in nodes] == ["node-1", "node-2"]


def test_nothing_is_simulated_unless_asked_for():
    with APIServer() as server, pytest.raises(RuntimeError, match="simulate=True"):
        server.simulation.restart("web")


def test_events_go_when_their_time_is_over():
    from k8srt.testing import FakeClock

    clock = FakeClock()
    with APIServer(event_ttl=60.0, clock=clock) as server, Clientset(server.config) as cs:
        about = {"kind": "Pod", "namespace": "default", "name": "p"}
        for name in ("old", "new"):
            cs.core_v1.events("default").create({"metadata": {"name": name}, "involvedObject": about, "reason": "R"})
        clock.wait_for_sleepers(1, by=clock.now() + 61.0)
        clock.advance(40.0)
        cs.core_v1.events("default").patch("new", {"message": "again"}, patch_type="merge")

        clock.advance(30.0)
        cs.core_v1.events("default").wait("old", "delete", timeout=30.0)

        assert [event.metadata.name for event in cs.core_v1.events("default").list().items] == ["new"]
