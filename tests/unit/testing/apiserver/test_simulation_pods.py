"""Pods of a simulation: placed, started, ready, restarted, ended, deleted; by a clock turned by hand."""

from __future__ import annotations

from typing import Any

import pytest

from k8srt.testing.apiserver.controllers.simulation.options import Simulation
from tests.unit.testing.apiserver.simulating import Simulated, template

JSON = dict[str, Any]


def pod(run: Simulated, name: str = "p", notes: JSON | None = None, **spec: Any) -> JSON:
    made = template(notes=notes, **spec)
    return run.create("pods", name, meta=made["metadata"], spec=made["spec"])


def conditions(run: Simulated, name: str = "p") -> dict[str, str]:
    return {each["type"]: each["status"] for each in run.get("pods", name)["status"]["conditions"]}


def test_a_pod_is_placed_started_and_ready():
    run = Simulated()

    pod(run)
    waiting = run.get("pods", "p")
    run.pass_time(1.0)
    running = run.get("pods", "p")

    assert waiting["spec"]["nodeName"] == "node-1"
    assert waiting["status"]["phase"] == "Pending"
    assert waiting["status"]["containerStatuses"][0]["state"] == {"waiting": {"reason": "ContainerCreating"}}
    assert running["status"]["phase"] == "Running"
    assert running["status"]["podIP"].startswith("10.244.1.")
    assert running["status"]["hostIP"] == "192.168.0.2"
    (status,) = running["status"]["containerStatuses"]
    assert (status["ready"], status["started"], status["restartCount"]) == (True, True, 0)
    assert set(conditions(run).values()) == {"True"}
    assert run.said("p") == ["Scheduled", "Pulled", "Created", "Started"]


def test_readiness_comes_after_its_delay():
    run = Simulated(Simulation(start=(0.0, 0.0)))
    probe = {"initialDelaySeconds": 5, "httpGet": {"port": 80}}

    pod(run, containers=[{"name": "app", "image": "i", "readinessProbe": probe}])
    run.pass_time(1.0)
    early = conditions(run)
    run.pass_time(5.0)

    assert (early["Initialized"], early["Ready"], early["ContainersReady"]) == ("True", "False", "False")
    assert conditions(run)["Ready"] == "True"


def test_times_are_drawn_from_the_seed():
    def started(seed: int) -> list[str]:
        run = Simulated(Simulation(start=(0.0, 60.0)), seed)
        for name in "abc":
            pod(run, name)
        run.pass_time(60.0, step=1.0)
        return [each["status"]["containerStatuses"][0]["state"]["running"]["startedAt"] for each in run.pods()]

    assert started(1) == started(1) != started(2)


def test_a_pod_that_fits_nowhere_waits_and_says_why():
    run = Simulated(Simulation(nodes=2))
    asked = {"requests": {"cpu": "100"}}

    pod(run, "big", containers=[{"name": "app", "image": "i", "resources": asked}])
    pod(run, "odd", nodeSelector={"disk": "fast"})
    run.pass_time(1.0)

    (scheduled,) = [c for c in run.get("pods", "big")["status"]["conditions"] if c["type"] == "PodScheduled"]
    assert scheduled["reason"] == "Unschedulable"
    assert scheduled["message"] == "0/2 nodes are available: 2 Insufficient cpu."
    (scheduled,) = [c for c in run.get("pods", "odd")["status"]["conditions"] if c["type"] == "PodScheduled"]
    assert scheduled["message"] == "0/2 nodes are available: 2 node(s) didn't match Pod's node affinity/selector."
    assert run.said("big") == ["FailedScheduling"]


def test_a_node_that_becomes_fitting_takes_who_waited():
    run = Simulated()
    pod(run, nodeSelector={"disk": "fast"})
    node = run.world.get("nodes", "", "node-1")
    assert node is not None

    run.world.change(node, lambda new: new["metadata"]["labels"].update(disk="fast"), "tests")
    run.pass_time(1.0)

    assert run.get("pods", "p")["status"]["phase"] == "Running"


def test_pods_are_spread_and_taints_keep_them_away():
    run = Simulated(Simulation(nodes=3))
    node = run.world.get("nodes", "", "node-3")
    assert node is not None
    taint = {"key": "only", "value": "gpu", "effect": "NoSchedule"}
    run.world.change(node, lambda new: new["spec"].update(taints=[taint]), "tests")
    tolerates = [{"key": "only", "operator": "Equal", "value": "gpu", "effect": "NoSchedule"}]

    for name in "abcd":
        pod(run, name)
    pod(run, "e", tolerations=tolerates)

    found = [each["spec"]["nodeName"] for each in run.pods()]
    assert found == ["node-1", "node-2", "node-1", "node-2", "node-3"]


def test_a_deleted_pod_goes_after_a_while_within_its_grace():
    run = Simulated(Simulation(stop=(3.0, 3.0)))
    pod(run, "slow")
    pod(run, "quick", terminationGracePeriodSeconds=1)
    run.pass_time(1.0)

    run.delete("pods", "slow")
    run.delete("pods", "quick")
    run.pass_time(2.0)
    left = [each["metadata"]["name"] for each in run.pods()]
    run.pass_time(2.0)

    assert left == ["slow"]
    assert run.pods() == []
    assert run.said("slow")[-1] == "Killing"


def test_pods_that_are_meant_to_end_end():
    run = Simulated()
    pod(run, "well", restartPolicy="Never", notes={"simulate/run-seconds": "2"})
    pod(run, "badly", restartPolicy="Never", notes={"simulate/run-seconds": "2", "simulate/exit-code": "3"})

    run.pass_time(1.5)
    before = run.phases()
    run.pass_time(2.0)

    assert before == ["Running", "Running"]
    assert run.get("pods", "well")["status"]["phase"] == "Succeeded"
    failed = run.get("pods", "badly")["status"]
    assert (failed["phase"], failed["containerStatuses"][0]["state"]["terminated"]["exitCode"]) == ("Failed", 3)
    assert failed["containerStatuses"][0]["state"]["terminated"]["reason"] == "Error"


def test_what_fails_and_should_run_starts_again():
    run = Simulated(Simulation(back_off=1.0))
    pod(run, restartPolicy="Always", notes={"simulate/run-seconds": "1", "simulate/exit-code": "1"})
    seen = []

    for _ in range(90):
        run.pass_time(0.1)
        (status,) = run.get("pods", "p")["status"]["containerStatuses"]
        shown = (status["state"].get("waiting", {}).get("reason", "Running"), status["restartCount"], status["ready"])
        if shown not in seen:
            seen.append(shown)

    assert seen[1:] == [
        ("Running", 0, True),
        ("Running", 1, True),
        ("CrashLoopBackOff", 1, False),
        ("Running", 2, True),
        ("CrashLoopBackOff", 2, False),
        ("Running", 3, True),
        ("CrashLoopBackOff", 3, False),
    ]
    assert status["lastState"]["terminated"]["exitCode"] == 1
    assert run.get("pods", "p")["status"]["phase"] == "Running"
    assert conditions(run)["Ready"] == "False"


def test_an_image_that_is_missing_is_never_pulled():
    run = Simulated()
    pod(run, notes={"simulate/image": "missing"})

    run.pass_time(2.0)

    (status,) = run.get("pods", "p")["status"]["containerStatuses"]
    assert status["state"]["waiting"]["reason"] == "ImagePullBackOff"
    assert run.get("pods", "p")["status"]["phase"] == "Pending"


def test_a_pod_may_be_kept_from_being_ready():
    run = Simulated()
    pod(run, notes={"simulate/ready": "false"})

    run.pass_time(2.0)

    assert run.get("pods", "p")["status"]["phase"] == "Running"
    assert conditions(run)["Ready"] == "False"


def test_pods_of_a_node_that_is_gone_go():
    run = Simulated(Simulation(nodes=1))
    pod(run)
    run.pass_time(1.0)
    node = run.world.get("nodes", "", "node-1")
    assert node is not None

    run.world.delete(node, "tests")
    run.pass_time(1.0)

    assert run.pods() == []


def test_a_pod_of_another_scheduler_is_left_alone():
    run = Simulated()
    pod(run, schedulerName="mine")

    run.pass_time(2.0)

    assert "nodeName" not in run.get("pods", "p")["spec"]


@pytest.mark.parametrize("wrong", [{"nodes": -1}, {"start": (1.0, 0.5)}, {"run": (-1.0, 0.5)}])
def test_odd_settings_are_refused(wrong: JSON):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        Simulation(**wrong)
