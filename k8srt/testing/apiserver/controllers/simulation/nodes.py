"""Nodes that exist on paper only: ready, and with room for pods."""

from __future__ import annotations

from typing import Any

from k8srt.apimachinery.wire import format_micro_time
from k8srt.testing.apiserver.controllers.simulation.pods import is_true, with_condition
from k8srt.testing.apiserver.controllers.simulation.world import Key, World
from k8srt.testing.apiserver.failures import Failure

JSON = dict[str, Any]
MADE = "simulate/node"
_WHO = "kubelet"
_NOT_READY = "node.kubernetes.io/not-ready"
_UNSCHEDULABLE = "node.kubernetes.io/unschedulable"
_CONDITIONS = (
    ("MemoryPressure", "False", "KubeletHasSufficientMemory", "kubelet has sufficient memory available"),
    ("DiskPressure", "False", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
    ("PIDPressure", "False", "KubeletHasSufficientPID", "kubelet has sufficient PID available"),
    ("Ready", "True", "KubeletReady", "kubelet is posting ready status"),
)


def make(world: World) -> None:
    """Make the nodes that are wanted and not there yet."""
    for number in range(1, world.options.nodes + 1):
        name = f"node-{number}"
        if world.get("nodes", "", name) is not None:
            continue
        labels = {"kubernetes.io/hostname": name, "kubernetes.io/os": "linux", "kubernetes.io/arch": "amd64"}
        meta = {"name": name, "labels": labels, "annotations": {MADE: "true"}}
        pods = f"10.244.{number % 256}.0/24"
        made = world.create(
            "nodes", "", {"metadata": meta, "spec": {"podCIDR": pods, "podCIDRs": [pods]}}, "node-controller"
        )
        world.set_status(made, _status(world, name, number), _WHO)
        world.change(made, _taints, "node-controller")
        _lease(world, made)
        text = f"Node {name} event: Registered Node {name} in Controller"
        world.event(made, "RegisteredNode", text, "node-controller")


def _lease(world: World, node: JSON) -> None:
    """The sign of life of a kubelet; nothing here waits for the next."""
    name = node["metadata"]["name"]
    owner = {"apiVersion": "v1", "kind": "Node", "name": name, "uid": node["metadata"]["uid"]}
    spec = {"holderIdentity": name, "leaseDurationSeconds": 40, "renewTime": format_micro_time(world.time())}
    made = {"metadata": {"name": name, "ownerReferences": [owner]}, "spec": spec}
    if world.get("leases.coordination.k8s.io", "kube-node-lease", name) is None:
        world.create("leases.coordination.k8s.io", "kube-node-lease", made, _WHO)


def _status(world: World, name: str, number: int) -> JSON:
    options, now = world.options, world.now()
    room = {"cpu": options.node_cpu, "memory": options.node_memory, "pods": str(options.node_pods),
            "ephemeral-storage": "100Gi"}  # fmt: skip
    conditions = [
        {"type": kind, "status": value, "lastHeartbeatTime": now, "lastTransitionTime": now, "reason": reason,
         "message": message} for kind, value, reason, message in _CONDITIONS
    ]  # fmt: skip
    uid = world.cluster.new_uid()
    return {
        "capacity": room,
        "allocatable": dict(room),
        "conditions": conditions,
        "addresses": [
            {"type": "InternalIP", "address": f"192.168.{number // 250}.{number % 250 + 1}"},
            {"type": "Hostname", "address": name},
        ],
        "daemonEndpoints": {"kubeletEndpoint": {"Port": 10250}},
        "nodeInfo": {
            "machineID": uid.replace("-", ""),
            "systemUUID": uid,
            "bootID": uid,
            "kernelVersion": "6.6.0",
            "osImage": "Simulated Linux",
            "containerRuntimeVersion": "simulated://1.0",
            "kubeletVersion": "v1.36.0",
            "kubeProxyVersion": "",
            "operatingSystem": "linux",
            "architecture": "amd64",
        },
    }


def set_ready(world: World, node: JSON, ready: bool) -> None:
    """Change what the node says of itself."""
    told = ("True", "KubeletReady", "kubelet is posting ready status")
    if not ready:
        told = ("Unknown", "NodeStatusUnknown", "Kubelet stopped posting node status.")
    status = dict(node["status"])
    status["conditions"] = with_condition(status["conditions"], "Ready", *told, world.now())
    world.set_status(node, status, _WHO)
    word = "Ready" if ready else "NotReady"
    world.event(node, f"Node{word}", f"Node {node['metadata']['name']} status is now: Node{word}", "node-controller")


def _taints(node: JSON) -> None:
    """The taints that say what the node's condition and its spec say."""
    ours = (_NOT_READY, _UNSCHEDULABLE)
    kept = [each for each in node["spec"].get("taints") or () if each["key"] not in ours]
    if not is_true(node, "Ready"):
        kept.append({"key": _NOT_READY, "effect": "NoSchedule"})
    if node["spec"].get("unschedulable"):
        kept.append({"key": _UNSCHEDULABLE, "effect": "NoSchedule"})
    before = node["spec"].get("taints") or []
    if {each["key"] for each in before} == {each["key"] for each in kept}:
        return
    if kept:
        node["spec"]["taints"] = kept
    else:
        node["spec"].pop("taints", None)


def reconcile(world: World, key: Key, node: JSON | None) -> None:
    """Keep the taints in step; pods of a node that is gone go, too."""
    if node is None:
        for pod in world.all("pods"):
            if pod["spec"].get("nodeName") == key.name:
                world.delete(pod, "pod-garbage-collector", grace=0)
        return
    try:
        world.change(node, _taints, "node-controller")
    except Failure as err:
        if err.code != 409:
            raise


def usable(node: JSON) -> bool:
    return is_true(node, "Ready") and "deletionTimestamp" not in node["metadata"]
