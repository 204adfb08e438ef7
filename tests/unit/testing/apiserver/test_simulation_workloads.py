"""Deployments, stateful sets, daemon sets, jobs, cron jobs, services and budgets of a simulation."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from k8srt.testing.apiserver.controllers.simulation.options import Simulation
from k8srt.testing.apiserver.controllers.simulation.pods import condition, ready
from k8srt.testing.apiserver.controllers.simulation.schedule import Schedule
from tests.unit.testing.apiserver.simulating import Simulated, template, workload

JSON = dict[str, Any]
DEPLOYMENTS, SETS = "deployments.apps", "replicasets.apps"


def image(value: str) -> Any:
    """A change that gives the template another image."""
    return lambda obj: obj["spec"]["template"]["spec"]["containers"][0].update(image=value)


def told(obj: JSON, kind: str) -> tuple[str, str]:
    found = condition(obj, kind)
    return ("", "") if found is None else (found["status"], found["reason"])


def deploy(run: Simulated, name: str = "web", **more: Any) -> None:
    run.create(DEPLOYMENTS, name, spec=workload(**more))


def rolled_out(run: Simulated, **more: Any) -> Simulated:
    deploy(run, **more)
    run.pass_time(2.0)
    return run


# ---- deployments


def test_a_deployment_becomes_available():
    run = Simulated()

    deploy(run)
    before = run.get(DEPLOYMENTS, "web")
    run.pass_time(2.0)
    after = run.get(DEPLOYMENTS, "web")

    assert told(before, "Available") == ("False", "MinimumReplicasUnavailable")
    assert before["status"]["unavailableReplicas"] == 3
    assert told(after, "Available") == ("True", "MinimumReplicasAvailable")
    assert told(after, "Progressing") == ("True", "NewReplicaSetAvailable")
    counts = {key: value for key, value in after["status"].items() if key != "conditions"}
    assert counts == {
        "observedGeneration": 1, "replicas": 3, "updatedReplicas": 3, "readyReplicas": 3, "availableReplicas": 3
    }  # fmt: skip
    (replica_set,) = run.world.all(SETS)
    assert replica_set["metadata"]["annotations"] == {
        "deployment.kubernetes.io/revision": "1",
        "deployment.kubernetes.io/desired-replicas": "3",
        "deployment.kubernetes.io/max-replicas": "4",
    }


@pytest.mark.parametrize(
    ("surge", "missing", "most", "least"), [("25%", "25%", 5, 3), (2, 0, 6, 4), (0, 1, 4, 3), (0, "0%", 4, 3)]
)
def test_a_rollout_keeps_within_its_limits(surge: Any, missing: Any, most: int, least: int):
    rolling = {"maxSurge": surge, "maxUnavailable": missing}
    if not surge and missing == "0%":
        rolling = {"maxSurge": "0%", "maxUnavailable": "1%"}  # which rounds to none, so one may be missing
    strategy = {"type": "RollingUpdate", "rollingUpdate": rolling}
    run = rolled_out(Simulated(), replicas=4, strategy=strategy)
    totals, available = [], []

    run.change(DEPLOYMENTS, "web", image("app:2"))
    for _ in range(100):
        run.pass_time(0.1)
        live = [pod for pod in run.pods() if "deletionTimestamp" not in pod["metadata"]]
        totals.append(len(live))
        available.append(sum(map(ready, live)))

    images = {pod["spec"]["containers"][0]["image"] for pod in run.pods()}
    assert images == {"app:2"}
    assert max(totals) <= most
    assert min(available) >= least
    assert sorted(each["spec"]["replicas"] for each in run.world.all(SETS)) == [0, 4]


def test_recreate_ends_the_old_before_the_new_begin():
    run = rolled_out(Simulated(), strategy={"type": "Recreate"})
    mixtures = set()

    run.change(DEPLOYMENTS, "web", image("app:2"))
    for _ in range(30):
        run.pass_time(0.1)
        mixtures.add(frozenset(pod["spec"]["containers"][0]["image"] for pod in run.pods()))

    assert mixtures <= {frozenset({"app:1"}), frozenset(), frozenset({"app:2"})}
    assert frozenset({"app:2"}) in mixtures


def test_the_way_back_takes_the_old_set_under_a_new_revision():
    run = rolled_out(Simulated())
    run.change(DEPLOYMENTS, "web", image("app:2"))
    run.pass_time(5.0)

    run.change(DEPLOYMENTS, "web", image("app:1"))
    run.pass_time(5.0)

    sets = run.world.all(SETS)
    revisions = {
        each["spec"]["template"]["spec"]["containers"][0]["image"]: each["metadata"]["annotations"] for each in sets
    }
    assert len(sets) == 2
    assert revisions["app:1"]["deployment.kubernetes.io/revision"] == "3"
    assert revisions["app:1"]["deployment.kubernetes.io/revision-history"] == "1"
    assert run.get(DEPLOYMENTS, "web")["metadata"]["annotations"]["deployment.kubernetes.io/revision"] == "3"


def test_scaling_up_and_down():
    run = rolled_out(Simulated())

    run.change(DEPLOYMENTS, "web", lambda obj: obj["spec"].update(replicas=5))
    run.pass_time(2.0)
    up = len(run.pods())
    run.change(DEPLOYMENTS, "web", lambda obj: obj["spec"].update(replicas=0))
    run.pass_time(2.0)

    assert (up, len(run.pods())) == (5, 0)
    assert run.said("web")[:3] == ["ScalingReplicaSet"] * 3


def test_a_paused_deployment_scales_but_does_not_roll():
    run = rolled_out(Simulated(), paused=False)

    run.change(DEPLOYMENTS, "web", lambda obj: (image("app:2")(obj), obj["spec"].update(paused=True, replicas=4)))
    run.pass_time(3.0)

    assert [pod["spec"]["containers"][0]["image"] for pod in run.pods()] == ["app:1"] * 4
    assert told(run.get(DEPLOYMENTS, "web"), "Progressing") == ("Unknown", "DeploymentPaused")


def test_a_rollout_that_does_not_get_on_is_told_after_its_deadline():
    run = Simulated()
    spec = workload(progressDeadlineSeconds=10)
    spec["template"] = template(notes={"simulate/image": "missing"})

    run.create(DEPLOYMENTS, "web", spec=spec)
    run.pass_time(5.0, step=1.0)
    early = told(run.get(DEPLOYMENTS, "web"), "Progressing")
    run.pass_time(10.0, step=1.0)

    assert early[0] == "True"
    assert told(run.get(DEPLOYMENTS, "web"), "Progressing") == ("False", "ProgressDeadlineExceeded")


def test_pods_count_as_available_when_they_have_been_ready_for_long_enough():
    run = Simulated()
    deploy(run, minReadySeconds=5)

    run.pass_time(2.0)
    early = run.get(DEPLOYMENTS, "web")["status"]
    run.pass_time(6.0)

    assert (early["readyReplicas"], early.get("availableReplicas", 0)) == (3, 0)
    assert run.get(DEPLOYMENTS, "web")["status"]["availableReplicas"] == 3


def test_old_sets_are_forgotten_beyond_the_limit():
    run = rolled_out(Simulated(), replicas=1, revisionHistoryLimit=1)

    for number in range(2, 6):
        run.change(DEPLOYMENTS, "web", image(f"app:{number}"))
        run.pass_time(3.0)

    assert len(run.world.all(SETS)) == 2


def test_deleting_a_deployment_takes_everything_with_it():
    run = rolled_out(Simulated())

    run.delete(DEPLOYMENTS, "web")
    run.pass_time(2.0)

    assert (run.pods(), run.world.all(SETS)) == ([], [])


def test_a_pod_that_is_gone_is_replaced_and_one_that_fits_is_taken_in():
    run = Simulated()
    alone = template()
    run.create("pods", "alone", meta=alone["metadata"], spec=alone["spec"])
    run.create(SETS, "web", spec=workload(2))
    run.pass_time(2.0)
    assert len(run.pods()) == 2
    owner = run.get("pods", "alone")["metadata"]["ownerReferences"][0]
    assert (owner["kind"], owner["name"], owner["controller"]) == ("ReplicaSet", "web", True)

    run.delete("pods", "alone")
    run.pass_time(2.0)

    assert len(run.pods()) == 2
    assert run.get(SETS, "web")["status"]["readyReplicas"] == 2


def test_the_same_seed_gives_the_same_run():
    def names(seed: int) -> list[tuple[str, str]]:
        run = rolled_out(Simulated(Simulation(nodes=2), seed))
        run.change(DEPLOYMENTS, "web", image("app:2"))
        run.pass_time(4.0)
        return [(pod["metadata"]["name"], pod["status"]["startTime"]) for pod in run.pods()]

    assert names(3) == names(3) != names(4)


# ---- stateful sets


STATEFUL = "statefulsets.apps"


def test_stateful_pods_come_one_after_the_other_and_go_backwards():
    run = Simulated(Simulation(start=(1.0, 1.0), stop=(1.0, 1.0)))
    seen: list[list[str]] = []

    def watch(steps: int) -> None:
        for _ in range(steps):
            run.pass_time(0.5)
            names = [pod["metadata"]["name"] for pod in run.pods()]
            if not seen or seen[-1] != names:
                seen.append(names)

    run.create(STATEFUL, "db", spec=workload(3, serviceName="db"))
    watch(10)
    run.change(STATEFUL, "db", lambda obj: obj["spec"].update(replicas=1))
    watch(10)

    assert seen == [["db-0"], ["db-0", "db-1"], ["db-0", "db-1", "db-2"], ["db-0", "db-1"], ["db-0"]]
    pod = run.get("pods", "db-0")
    assert (pod["spec"]["hostname"], pod["spec"]["subdomain"]) == ("db-0", "db")
    assert pod["metadata"]["labels"]["apps.kubernetes.io/pod-index"] == "0"


def test_parallel_stateful_pods_come_at_once():
    run = Simulated()

    run.create(STATEFUL, "db", spec=workload(3, serviceName="db", podManagementPolicy="Parallel"))

    assert len(run.pods()) == 3


def test_stateful_pods_have_claims_that_stay():
    run = Simulated()
    claim = {"metadata": {"name": "data"}, "spec": {"accessModes": ["ReadWriteOnce"],
             "resources": {"requests": {"storage": "1Gi"}}}}  # fmt: skip
    spec = workload(2, serviceName="db", volumeClaimTemplates=[claim])
    spec["template"]["spec"]["containers"][0]["volumeMounts"] = [{"name": "data", "mountPath": "/data"}]
    run.create(STATEFUL, "db", spec=spec)
    run.pass_time(4.0)

    run.change(STATEFUL, "db", lambda obj: obj["spec"].update(replicas=1))
    run.pass_time(2.0)

    claims = run.world.all("persistentvolumeclaims")
    assert [(each["metadata"]["name"], each["status"]["phase"]) for each in claims] == [
        ("data-db-0", "Bound"),
        ("data-db-1", "Bound"),
    ]
    volumes = run.get("pods", "db-0")["spec"]["volumes"]
    assert {"name": "data", "persistentVolumeClaim": {"claimName": "data-db-0"}} in volumes

    run.delete("persistentvolumeclaims", "data-db-1")
    run.pass_time(1.0)
    assert [each["metadata"]["name"] for each in run.world.all("persistentvolumeclaims")] == ["data-db-0"]
    assert len(run.world.all("persistentvolumes")) == 1


def test_stateful_pods_are_renewed_from_the_last_down_to_the_partition():
    run = Simulated()
    strategy = {"type": "RollingUpdate", "rollingUpdate": {"partition": 1}}
    run.create(STATEFUL, "db", spec=workload(3, serviceName="db", updateStrategy=strategy))
    run.pass_time(5.0)
    first = run.get(STATEFUL, "db")["status"]

    run.change(STATEFUL, "db", image("app:2"))
    run.pass_time(8.0)
    half = run.get(STATEFUL, "db")["status"]
    images = [pod["spec"]["containers"][0]["image"] for pod in run.pods()]
    run.change(STATEFUL, "db", lambda obj: obj["spec"].update(updateStrategy={"type": "RollingUpdate"}))
    run.pass_time(5.0)
    done = run.get(STATEFUL, "db")["status"]

    assert first["currentRevision"] == first["updateRevision"]
    assert images == ["app:1", "app:2", "app:2"]
    assert (half["updatedReplicas"], half["currentReplicas"]) == (2, 1)
    assert done["currentRevision"] == done["updateRevision"] == half["updateRevision"] != first["currentRevision"]
    assert done["updatedReplicas"] == done["readyReplicas"] == 3
    assert len(run.world.all("controllerrevisions.apps")) == 2


def test_the_way_back_of_a_stateful_set_takes_the_old_revision():
    run = Simulated()
    run.create(STATEFUL, "db", spec=workload(2, serviceName="db"))
    run.pass_time(4.0)
    first = run.get(STATEFUL, "db")["status"]["updateRevision"]

    for version in ("app:2", "app:1"):
        run.change(STATEFUL, "db", image(version))
        run.pass_time(6.0)

    status = run.get(STATEFUL, "db")["status"]
    revisions = {each["metadata"]["name"]: each["revision"] for each in run.world.all("controllerrevisions.apps")}
    assert status["currentRevision"] == status["updateRevision"] == first
    assert sorted(revisions.values()) == [2, 3]
    assert revisions[first] == 3


# ---- daemon sets


DAEMONS = "daemonsets.apps"


def test_a_daemon_runs_on_each_node_that_lets_it():
    run = Simulated(Simulation(nodes=3))
    node = run.world.get("nodes", "", "node-2")
    assert node is not None
    taint = {"key": "only", "effect": "NoSchedule"}
    run.world.change(node, lambda new: new["spec"].update(taints=[taint]), "tests")

    spec = workload()
    del spec["replicas"]
    run.create(DAEMONS, "agent", spec=spec)
    run.pass_time(2.0)

    status = run.get(DAEMONS, "agent")["status"]
    assert sorted(pod["spec"]["nodeName"] for pod in run.pods()) == ["node-1", "node-3"]
    assert (status["desiredNumberScheduled"], status["numberReady"], status["numberAvailable"]) == (2, 2, 2)
    node = run.world.get("nodes", "", "node-2")
    assert node is not None
    run.world.change(node, lambda new: new["spec"].pop("taints"), "tests")
    run.pass_time(2.0)
    assert len(run.pods()) == 3


def test_daemons_are_renewed_one_at_a_time():
    run = Simulated(Simulation(nodes=3))
    spec = workload()
    del spec["replicas"]
    run.create(DAEMONS, "agent", spec=spec)
    run.pass_time(2.0)
    least = []

    run.change(DAEMONS, "agent", image("app:2"))
    for _ in range(60):
        run.pass_time(0.1)
        least.append(sum(ready(pod) and "deletionTimestamp" not in pod["metadata"] for pod in run.pods()))

    assert min(least) == 2
    status = run.get(DAEMONS, "agent")["status"]
    assert (status["updatedNumberScheduled"], status["numberAvailable"]) == (3, 3)


# ---- jobs


JOBS = "jobs.batch"


def job(run: Simulated, name: str = "work", notes: JSON | None = None, **spec: Any) -> None:
    made = template({"job": name}, notes=notes, restartPolicy="Never")
    run.create(JOBS, name, spec={"template": made, **spec})


def test_a_job_completes():
    run = Simulated()

    job(run, completions=3, parallelism=2)
    most = []
    for _ in range(100):
        run.pass_time(0.1)
        most.append(run.phases().count("Running"))

    status = run.get(JOBS, "work")["status"]
    assert told(run.get(JOBS, "work"), "Complete") == ("True", "CompletionsReached")
    assert (status["succeeded"], status["ready"], status.get("active", 0)) == (3, 0, 0)
    assert status["startTime"] < status["completionTime"]
    assert max(most) == 2
    assert run.said("work") == ["SuccessfulCreate"] * 3 + ["Completed"]


def test_an_indexed_job_runs_each_number_once():
    run = Simulated()

    job(run, completions=4, parallelism=4, completionMode="Indexed")
    run.pass_time(5.0)

    assert run.get(JOBS, "work")["status"]["completedIndexes"] == "0-3"
    mark = "batch.kubernetes.io/job-completion-index"
    assert sorted(pod["metadata"]["labels"][mark] for pod in run.pods()) == ["0", "1", "2", "3"]


def test_a_job_that_fails_too_often_ends():
    run = Simulated()

    job(run, notes={"simulate/exit-code": "1"}, backoffLimit=2)
    run.pass_time(10.0)

    status = run.get(JOBS, "work")["status"]
    assert told(run.get(JOBS, "work"), "Failed") == ("True", "BackoffLimitExceeded")
    assert status["failed"] == 3


def test_a_job_that_takes_too_long_ends():
    run = Simulated()

    job(run, notes={"simulate/run-seconds": "1000"}, activeDeadlineSeconds=5)
    run.pass_time(10.0, step=0.5)

    assert told(run.get(JOBS, "work"), "Failed") == ("True", "DeadlineExceeded")
    assert run.pods() == []


def test_a_suspended_job_has_no_pods_until_it_goes_on():
    run = Simulated()

    job(run, suspend=True)
    run.pass_time(1.0)
    before = run.pods(), told(run.get(JOBS, "work"), "Suspended")
    run.change(JOBS, "work", lambda obj: obj["spec"].update(suspend=False))
    run.pass_time(4.0)

    assert before == ([], ("True", "JobSuspended"))
    assert told(run.get(JOBS, "work"), "Complete")[0] == "True"


def test_a_finished_job_goes_after_its_time():
    run = Simulated()

    job(run, ttlSecondsAfterFinished=10)
    run.pass_time(5.0)
    there = len(run.world.all(JOBS))
    run.pass_time(10.0, step=0.5)

    assert (there, run.world.all(JOBS), run.pods()) == (1, [], [])


def test_a_cron_job_makes_jobs_and_forgets_old_ones():
    run = Simulated()
    spec = {"template": template({"cron": "c"}, restartPolicy="Never")}

    run.create("cronjobs.batch", "tick", spec={"schedule": "*/2 * * * *", "successfulJobsHistoryLimit": 2,
               "jobTemplate": {"spec": spec}})  # fmt: skip
    run.pass_time(11 * 60.0, step=5.0)

    assert run.said("tick").count("SuccessfulCreate") == 5
    assert len(run.world.all(JOBS)) == 2
    status = run.get("cronjobs.batch", "tick")["status"]
    assert status["lastScheduleTime"] == "2026-01-01T00:10:00Z"
    assert status["lastSuccessfulTime"] > status["lastScheduleTime"]


@pytest.mark.parametrize(
    ("text", "after", "found"),
    [
        ("*/15 * * * *", "2024-01-01T00:07:30", "2024-01-01T00:15:00"),
        ("0 9-17/4 * * mon-fri", "2024-01-05T17:30:00", "2024-01-08T09:00:00"),
        ("30 4 1,15 * 5", "2024-01-02T00:00:00", "2024-01-05T04:30:00"),
        ("0 0 29 feb *", "2024-03-01T00:00:00", "2028-02-29T00:00:00"),
        ("@daily", "2024-12-31T12:00:00", "2025-01-01T00:00:00"),
        ("0 0 * * 7", "2024-01-01T00:00:00", "2024-01-07T00:00:00"),
    ],
)
def test_schedules(text: str, after: str, found: str):
    def moment(text: str) -> datetime:
        return datetime.fromisoformat(text).replace(tzinfo=UTC)

    assert Schedule(text).after(moment(after)) == moment(found)


def test_a_time_that_never_comes_is_none():
    assert Schedule("0 0 31 2 *").after(datetime(2024, 1, 1, tzinfo=UTC)) is None


# ---- services and budgets


def test_services_list_the_pods_they_choose():
    run = rolled_out(Simulated(), replicas=2)
    ports = [{"name": "http", "port": 80, "targetPort": 8080}]

    run.create("services", "web", spec={"selector": {"app": "web"}, "ports": ports})
    (slice_,) = run.world.all("endpointslices.discovery.k8s.io")
    endpoints = run.get("endpoints", "web")

    addresses = sorted(pod["status"]["podIP"] for pod in run.pods())
    assert sorted(each["addresses"][0] for each in slice_["endpoints"]) == addresses
    assert slice_["metadata"]["labels"]["kubernetes.io/service-name"] == "web"
    assert slice_["ports"] == [{"name": "http", "port": 8080, "protocol": "TCP"}]
    assert sorted(each["ip"] for each in endpoints["subsets"][0]["addresses"]) == addresses

    run.change(DEPLOYMENTS, "web", lambda obj: obj["spec"].update(replicas=0))
    run.pass_time(2.0)
    assert not run.get("endpoints", "web").get("subsets")


def test_budgets_say_how_many_may_go():
    run = rolled_out(Simulated(), replicas=3)

    selector = {"matchLabels": {"app": "web"}}
    run.create("poddisruptionbudgets.policy", "some", spec={"minAvailable": 2, "selector": selector})
    run.create("poddisruptionbudgets.policy", "none", spec={"maxUnavailable": "0%", "selector": selector})

    some = run.get("poddisruptionbudgets.policy", "some")["status"]
    none = run.get("poddisruptionbudgets.policy", "none")["status"]
    assert (some["currentHealthy"], some["desiredHealthy"], some["disruptionsAllowed"]) == (3, 2, 1)
    assert (none["expectedPods"], none["desiredHealthy"], none["disruptionsAllowed"]) == (3, 3, 0)
