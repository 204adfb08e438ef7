"""What kubectl shows of objects in its columns."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from k8srt.testing.apiserver.registry import Registry
from k8srt.testing.apiserver.strategies.table import STRATEGIES
from k8srt.testing.apiserver.strategies.tables import table_for

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
BORN = "2026-01-01T11:00:00Z"
REGISTRY = Registry(STRATEGIES)


def shown(table: str, **parts: Any) -> dict[str, Any]:
    """The cells of one object by the names of their columns."""
    resource = REGISTRY.by_table(table)
    assert resource is not None
    obj = {**parts, "metadata": {"name": "x", "creationTimestamp": BORN, **parts.get("metadata", {})}}
    columns, rows = table_for(resource, [obj], NOW)
    return dict(zip([column["name"] for column in columns], rows[0]["cells"], strict=True))


def test_every_kind_can_be_shown_without_spec_and_status():
    for resource in REGISTRY.resources():
        columns, rows = table_for(resource, [{"metadata": {"name": "x", "creationTimestamp": BORN}}], NOW)
        assert columns[0]["name"] in ("Name", "Last Seen")
        assert len(rows[0]["cells"]) == len(columns)


# ---- pods


def running(name: str = "c", **more: Any) -> dict[str, Any]:
    return {"name": name, "ready": True, "state": {"running": {}}, **more}


def waiting(reason: str, name: str = "c") -> dict[str, Any]:
    return {"name": name, "state": {"waiting": {"reason": reason}}}


def ended(code: int = 0, name: str = "c", **more: Any) -> dict[str, Any]:
    return {"name": name, "state": {"terminated": {"exitCode": code, **more}}}


def pod(*statuses: dict[str, Any], init=(), specs=(), phase="Running", conditions=(), deleted=False, **more: Any):
    spec: dict[str, Any] = {"containers": [{"name": each["name"]} for each in statuses] or [{"name": "c"}]}
    if init or specs:
        spec["initContainers"] = list(specs) or [{"name": each["name"]} for each in init]
    status = {
        "phase": phase,
        "containerStatuses": list(statuses),
        "initContainerStatuses": list(init),
        "conditions": [{"type": kind, "status": "True"} for kind in conditions],
        **more,
    }
    meta = {"deletionTimestamp": BORN} if deleted else {}
    cells = shown("pods", spec=spec, status=status, metadata=meta)
    return cells["Ready"], cells["Status"], cells["Restarts"]


SIDECAR = {"name": "side", "restartPolicy": "Always"}


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (pod(phase="Pending"), ("0/1", "Pending", "0")),
        (pod(running()), ("1/1", "Running", "0")),
        (pod(running(), running("d"), conditions=["Ready"]), ("2/2", "Running", "0")),
        (pod(waiting("ContainerCreating"), phase="Pending"), ("0/1", "ContainerCreating", "0")),
        (pod(waiting("CrashLoopBackOff"), running("d")), ("1/2", "CrashLoopBackOff", "0")),
        (pod(ended(reason="Completed"), phase="Succeeded"), ("0/1", "Completed", "0")),
        (pod(ended(reason="Completed"), running("d"), conditions=["Ready"]), ("1/2", "Running", "0")),
        (pod(ended(reason="Completed"), running("d")), ("1/2", "NotReady", "0")),
        (pod(ended(3), phase="Failed"), ("0/1", "ExitCode:3", "0")),
        (pod(ended(137, signal=9), phase="Failed"), ("0/1", "Signal:9", "0")),
        (pod(running(), deleted=True), ("1/1", "Terminating", "0")),
        (pod(ended(reason="Completed"), phase="Succeeded", deleted=True), ("0/1", "Completed", "0")),
        (pod(running(), deleted=True, reason="NodeLost"), ("1/1", "Unknown", "0")),
        (pod(phase="Failed", reason="Evicted"), ("0/1", "Evicted", "0")),
    ],
)
def test_pods(cells, expected):
    assert cells == expected


@pytest.mark.parametrize(
    ("cells", "status"),
    [
        (pod(waiting("PodInitializing"), init=[running("i")], phase="Pending"), "Init:0/1"),
        (pod(waiting("PodInitializing"), init=[ended(name="i"), running("j")], phase="Pending"), "Init:1/2"),
        (pod(waiting("PodInitializing"), init=[ended(1, name="i")], phase="Pending"), "Init:ExitCode:1"),
        (pod(waiting("PodInitializing"), init=[ended(1, "i", reason="Error")], phase="Pending"), "Init:Error"),
        (pod(waiting("PodInitializing"), init=[ended(1, "i", signal=9)], phase="Pending"), "Init:Signal:9"),
        (pod(waiting("PodInitializing"), init=[waiting("ErrImagePull", "i")], phase="Pending"), "Init:ErrImagePull"),
        (pod(running(), init=[ended(name="i")]), "Running"),
        (pod(running(), init=[running("i")], conditions=["Initialized"]), "Init:0/1"),
    ],
)
def test_pods_that_begin(cells, status):
    assert cells[1] == status


def test_sidecars_count_once_they_run():
    side = running("side", started=True, restartCount=2)
    assert pod(running(restartCount=1), init=[side], specs=[SIDECAR]) == ("2/2", "Running", "3")
    starting = {**side, "started": False, "ready": False}
    assert pod(waiting("PodInitializing"), init=[starting], specs=[SIDECAR], phase="Pending")[1] == "Init:0/1"


def test_restarts_tell_when_the_last_was():
    last = {"lastState": {"terminated": {"finishedAt": "2026-01-01T11:58:00Z"}}}
    assert pod(running(restartCount=3, **last), running("d", restartCount=1))[2] == "4 (2m ago)"


def test_gated_pods():
    gated = {"conditions": [{"type": "PodScheduled", "status": "False", "reason": "SchedulingGated"}]}
    assert shown("pods", spec={}, status={"phase": "Pending", **gated})["Status"] == "SchedulingGated"


# ---- others


@pytest.mark.parametrize(
    ("metric", "current", "expected"),
    [
        ({"resource": {"name": "cpu", "target": {"averageUtilization": 80}}}, {}, "cpu: <unknown>/80%"),
        (
            {"resource": {"name": "cpu", "target": {"averageUtilization": 80}}},
            {"resource": {"current": {"averageUtilization": 0, "averageValue": "1m"}}},
            "cpu: 0%/80%",
        ),
        ({"resource": {"name": "cpu", "target": {}}}, {}, "cpu: <unknown>/<auto>"),
        (
            {"resource": {"name": "memory", "target": {"averageValue": "1Gi"}}},
            {"resource": {"current": {"averageValue": "512Mi"}}},
            "memory: 512Mi/1Gi",
        ),
        ({"pods": {"target": {"averageValue": "10"}}}, {}, "<unknown>/10"),
        ({"external": {"target": {"averageValue": "10"}}}, {}, "<unknown>/10 (avg)"),
        ({"object": {"target": {"value": "10"}}}, {"object": {"current": {"value": "3"}}}, "3/10"),
        ({"strange": {}}, {}, "<unknown type>"),
    ],
)
def test_what_autoscalers_aim_at(metric, current, expected):
    source = next(iter(metric))
    spec = {"metrics": [{"type": source[0].upper() + source[1:], **metric}]}
    table = "horizontalpodautoscalers.autoscaling"
    assert shown(table, spec=spec, status={"currentMetrics": [current]})["Targets"] == expected
    assert shown(table, spec={"metrics": spec["metrics"] * 3})["Targets"].endswith(" + 1 more...")
    assert shown(table, spec={})["Targets"] == "<none>"


def test_quotas_show_what_is_used():
    status = {"hard": {"pods": "10", "limits.cpu": "4", "cpu": "2"}, "used": {"pods": "3"}}
    cells = shown("resourcequotas", status=status)
    assert (cells["Request"], cells["Limit"]) == ("cpu: 0/2, pods: 3/10", "limits.cpu: 0/4")


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ({}, "Pending"),
        ({"conditions": [{"type": "Approved"}]}, "Approved"),
        ({"conditions": [{"type": "Approved"}, {"type": "Failed"}]}, "Approved,Failed"),
        ({"conditions": [{"type": "Denied"}, {"type": "Approved"}]}, "Denied"),
        ({"conditions": [{"type": "Approved"}], "certificate": "AA=="}, "Approved,Issued"),
    ],
)
def test_signing_requests(status, expected):
    spec = {"signerName": "s", "username": "bob", "expirationSeconds": 3600}
    cells = shown("certificatesigningrequests.certificates.k8s.io", spec=spec, status=status)
    assert cells["Condition"] == expected
    assert (cells["SignerName"], cells["Requestor"], cells["RequestedDuration"]) == ("s", "bob", "60m")


@pytest.mark.parametrize(
    ("table", "parts", "column", "expected"),
    [
        ("jobs.batch", {"status": {"conditions": [{"type": "Suspended", "status": "True"}]}}, "Status", "Suspended"),
        ("jobs.batch", {"metadata": {"deletionTimestamp": BORN}}, "Status", "Terminating"),
        (
            "nodes",
            {"metadata": {"labels": {"kubernetes.io/role": "b", "node-role.kubernetes.io/a": ""}}},
            "Roles",
            "a,b",
        ),
        ("events", {"reportingComponent": "c", "reportingInstance": "i"}, "Source", "c, i"),
        ("events", {"series": {"count": 7}, "count": 1}, "Count", "7"),
        (
            "ingresses.networking.k8s.io",
            {"spec": {"rules": [{"host": h} for h in "abcde"]}},
            "Hosts",
            "a,b,c + 2 more...",
        ),
        (
            "ingressclasses.networking.k8s.io",
            {"spec": {"parameters": {"kind": "P", "apiGroup": "g.io", "name": "n"}}},
            "Parameters",
            "P.g.io/n",
        ),
        ("endpointslices.discovery.k8s.io", {"ports": [{"name": "http"}, {}, {"port": 1}]}, "Ports", "http,*,1"),
        ("apiservices.apiregistration.k8s.io", {"spec": {}}, "Service", "Local"),
        (
            "apiservices.apiregistration.k8s.io",
            {"status": {"conditions": [{"type": "Available", "status": "False", "reason": "Gone"}]}},
            "Available",
            "False (Gone)",
        ),
        (
            "validatingadmissionpolicies.admissionregistration.k8s.io",
            {"spec": {"paramKind": {"apiVersion": "v1", "kind": "ConfigMap"}}},
            "ParamKind",
            "v1/ConfigMap",
        ),
        ("flowschemas.flowcontrol.apiserver.k8s.io", {}, "MissingPL", "?"),
        (
            "flowschemas.flowcontrol.apiserver.k8s.io",
            {"status": {"conditions": [{"type": "Dangling", "status": "False"}]}},
            "MissingPL",
            "False",
        ),
        (
            "validatingadmissionpolicybindings.admissionregistration.k8s.io",
            {"spec": {"paramRef": {"name": "p"}}},
            "ParamRef",
            "*/p",
        ),
        (
            "ipaddresses.networking.k8s.io",
            {"spec": {"parentRef": {"resource": "services", "namespace": "n", "name": "s"}}},
            "ParentRef",
            "services/n/s",
        ),
        (
            "resourceclaims.resource.k8s.io",
            {"status": {"allocation": {"x": 1}, "reservedFor": [{}]}},
            "State",
            "allocated,reserved",
        ),
    ],
)
def test_single_cells(table, parts, column, expected):
    assert shown(table, **parts)[column] == expected
