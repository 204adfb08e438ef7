"""Which structs are always there in the Go types, even when nothing in them is set.

Go writes an embedded struct (`strategy DeploymentStrategy`) whether it's empty or not, but a nil pointer not at all.
The difference shows on the wire (`resources: {}`, `state: {}`) and in field ownership (`f:strategy` has no `.`), yet
OpenAPI tells it only where a field is also required. The rest is listed here.
"""

from __future__ import annotations

ROOT = frozenset({"metadata", "spec", "status", "template", "source", "deprecatedSource", "regarding"})

STRUCTS: dict[str, frozenset[str]] = {
    "Container": frozenset({"resources"}),
    "ContainerStatus": frozenset({"lastState", "state"}),
    "CronJobSpec": frozenset({"jobTemplate"}),
    "CustomResourceDefinitionStatus": frozenset({"acceptedNames"}),
    "DaemonSetSpec": frozenset({"template", "updateStrategy"}),
    "DeploymentSpec": frozenset({"strategy", "template"}),
    "EphemeralContainer": frozenset({"resources"}),
    "IngressStatus": frozenset({"loadBalancer"}),
    "JobSpec": frozenset({"template"}),
    "JobTemplateSpec": frozenset({"metadata", "spec"}),
    "NetworkPolicySpec": frozenset({"podSelector"}),
    "NodeDaemonEndpoints": frozenset({"kubeletEndpoint"}),
    "NodeStatus": frozenset({"daemonEndpoints", "nodeInfo"}),
    "PersistentVolumeClaimSpec": frozenset({"resources"}),
    "PersistentVolumeClaimTemplate": frozenset({"metadata", "spec"}),
    "PodTemplateSpec": frozenset({"metadata", "spec"}),
    "ReplicaSetSpec": frozenset({"template"}),
    "ResourceClaimSpec": frozenset({"devices"}),
    "ResourceClaimTemplateSpec": frozenset({"metadata", "spec"}),
    "ServiceStatus": frozenset({"loadBalancer"}),
    "StatefulSetSpec": frozenset({"template", "updateStrategy"}),
    "TokenReviewStatus": frozenset({"user"}),
}

# Required, but pointers in Go: absent is absent.
POINTERS: dict[str, frozenset[str]] = {
    "DaemonSetSpec": frozenset({"selector"}),
    "DeploymentSpec": frozenset({"selector"}),
    "ReplicaSetSpec": frozenset({"selector"}),
    "StatefulSetSpec": frozenset({"selector"}),
}
