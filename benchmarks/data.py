"""Made-up data of the size and shape of the real thing, the same for the same seed.

A pod is about 7.6 KB, two fifths of it managedFields, as a Deployment's pods are on a busy cluster.
"""

from __future__ import annotations

import json
import random
from typing import Any


def pod(index: int, rng: random.Random, version: int | None = None) -> dict[str, Any]:
    """One pod as a server sends it in a list."""
    app = f"app-{index % 97}"
    digest = f"{random.Random(app).getrandbits(40):010x}"  # all pods of a ReplicaSet have the same
    name = f"{app}-{digest[:9]}-{index:05d}"
    node = f"node-{rng.randrange(300)}"
    return {
        "metadata": {
            "name": name,
            "generateName": f"{app}-{digest[:9]}-",
            "namespace": f"team-{index % 20}",
            "uid": _uid(rng),
            "resourceVersion": str(version if version is not None else 100_000 + index),
            "generation": 1,
            "creationTimestamp": _time(rng),
            "labels": {
                "app": app,
                "pod-template-hash": digest[:9],
                "tier": rng.choice(["web", "worker", "cache"]),
                "app.kubernetes.io/managed-by": "deployer",
            },
            "annotations": {
                "checksum/config": f"{rng.getrandbits(256):064x}",
                "prometheus.io/scrape": "true",
                "prometheus.io/port": "9090",
            },
            "ownerReferences": [
                {
                    "apiVersion": "apps/v1",
                    "kind": "ReplicaSet",
                    "name": f"{app}-{digest[:9]}",
                    "uid": _uid(rng),
                    "controller": True,
                    "blockOwnerDeletion": True,
                }
            ],
            "managedFields": _managed_fields(rng),
        },
        "spec": _spec(app, node, rng),
        "status": _status(app, node, rng),
    }


def pod_list(count: int, seed: int = 1) -> bytes:
    """A PodList of `count` pods as compact JSON."""
    rng = random.Random(seed)
    items = [pod(index, rng) for index in range(count)]
    document = {
        "kind": "PodList",
        "apiVersion": "v1",
        "metadata": {"resourceVersion": str(100_000 + count)},
        "items": items,
    }
    return json.dumps(document, separators=(",", ":")).encode()


def _uid(rng: random.Random) -> str:
    digits = f"{rng.getrandbits(128):032x}"
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


def _time(rng: random.Random) -> str:
    return f"2026-0{rng.randrange(1, 10)}-{rng.randrange(10, 28)}T{rng.randrange(10, 24)}:{rng.randrange(10, 60)}:00Z"


def _spec(app: str, node: str, rng: random.Random) -> dict[str, Any]:
    token = f"kube-api-access-{rng.getrandbits(24):05x}"
    mount = {"name": token, "readOnly": True, "mountPath": "/var/run/secrets/kubernetes.io/serviceaccount"}
    return {
        "volumes": [
            {"name": "config", "configMap": {"name": f"{app}-config", "defaultMode": 420}},
            {"name": "scratch", "emptyDir": {}},
            {
                "name": token,
                "projected": {
                    "sources": [
                        {"serviceAccountToken": {"expirationSeconds": 3607, "path": "token"}},
                        {"configMap": {"name": "kube-root-ca.crt", "items": [{"key": "ca.crt", "path": "ca.crt"}]}},
                    ],
                    "defaultMode": 420,
                },
            },
        ],
        "containers": [_container("main", app, mount, rng), _container("proxy", "proxy", mount, rng)],
        "restartPolicy": "Always",
        "terminationGracePeriodSeconds": 30,
        "dnsPolicy": "ClusterFirst",
        "serviceAccountName": app,
        "serviceAccount": app,
        "nodeName": node,
        "securityContext": {"runAsNonRoot": True, "fsGroup": 2000, "seccompProfile": {"type": "RuntimeDefault"}},
        "schedulerName": "default-scheduler",
        "tolerations": [
            {"key": f"node.kubernetes.io/{what}", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300}
            for what in ("not-ready", "unreachable")
        ],
        "priority": 0,
        "enableServiceLinks": True,
        "preemptionPolicy": "PreemptLowerPriority",
    }


def _container(name: str, app: str, mount: dict[str, Any], rng: random.Random) -> dict[str, Any]:
    return {
        "name": name,
        "image": f"registry.example.com/{app}:1.{rng.randrange(40)}",
        "args": ["--listen=:8080", f"--shard={rng.randrange(64)}"],
        "ports": [{"name": "http", "containerPort": 8080, "protocol": "TCP"}],
        "env": [
            {"name": "POD_NAME", "valueFrom": {"fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.name"}}},
            {"name": "GOMAXPROCS", "value": "2"},
        ],
        "resources": {"limits": {"cpu": "2", "memory": "1Gi"}, "requests": {"cpu": "250m", "memory": "256Mi"}},
        "volumeMounts": [{"name": "config", "mountPath": "/etc/app"}, {"name": "scratch", "mountPath": "/tmp"}, mount],
        "readinessProbe": {
            "httpGet": {"path": "/ready", "port": "http", "scheme": "HTTP"},
            "timeoutSeconds": 1,
            "periodSeconds": 10,
            "successThreshold": 1,
            "failureThreshold": 3,
        },
        "terminationMessagePath": "/dev/termination-log",
        "terminationMessagePolicy": "File",
        "imagePullPolicy": "IfNotPresent",
    }


def _status(app: str, node: str, rng: random.Random) -> dict[str, Any]:
    started = _time(rng)
    conditions = ("PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady", "PodScheduled")
    ip = f"10.{rng.randrange(256)}.{rng.randrange(256)}.{rng.randrange(256)}"
    return {
        "phase": "Running",
        "conditions": [
            {"type": kind, "status": "True", "lastProbeTime": None, "lastTransitionTime": started}
            for kind in conditions
        ],
        "hostIP": f"192.0.2.{rng.randrange(256)}",
        "podIP": ip,
        "podIPs": [{"ip": ip}],
        "startTime": started,
        "containerStatuses": [
            {
                "name": name,
                "state": {"running": {"startedAt": started}},
                "lastState": {},
                "ready": True,
                "restartCount": rng.randrange(3),
                "image": f"registry.example.com/{app}:1",
                "imageID": f"registry.example.com/{app}@sha256:{rng.getrandbits(256):064x}",
                "containerID": f"containerd://{rng.getrandbits(256):064x}",
                "started": True,
            }
            for name in ("main", "proxy")
        ],
        "qosClass": "Burstable",
    }


def _managed_fields(rng: random.Random) -> list[dict[str, Any]]:
    container: dict[str, Any] = {
        f"f:{name}": {}
        for name in ("args", "image", "imagePullPolicy", "name", "terminationMessagePath", "terminationMessagePolicy")
    }
    container |= {
        ".": {},
        "f:env": {
            ".": {},
            **{_item("name", n): {".": {}, "f:name": {}, "f:value": {}} for n in ("POD_NAME", "GOMAXPROCS")},
        },
        "f:ports": {".": {}, '{"containerPort":8080,"protocol":"TCP"}': {".": {}, "f:containerPort": {}, "f:name": {}}},
        "f:resources": {
            ".": {},
            "f:limits": {".": {}, "f:cpu": {}, "f:memory": {}},
            "f:requests": {".": {}, "f:cpu": {}},
        },
        "f:volumeMounts": {
            ".": {},
            **{_item("mountPath", p): {".": {}, "f:mountPath": {}} for p in ("/etc/app", "/tmp")},
        },
    }
    spec = {
        "f:containers": {_item("name", "main"): container, _item("name", "proxy"): container},
        **{f"f:{name}": {} for name in ("dnsPolicy", "enableServiceLinks", "restartPolicy", "schedulerName")},
        "f:volumes": {".": {}, _item("name", "config"): {".": {}, "f:configMap": {".": {}, "f:name": {}}}},
    }
    condition = {".": {}, **{f"f:{name}": {} for name in ("lastProbeTime", "lastTransitionTime", "status", "type")}}
    status = {
        "f:conditions": {_item("type", kind): condition for kind in ("ContainersReady", "Initialized", "Ready")},
        **{f"f:{name}": {} for name in ("containerStatuses", "hostIP", "phase", "podIP", "startTime")},
    }
    labels = {".": {}, "f:app": {}, "f:pod-template-hash": {}, "f:tier": {}}
    metadata = {"f:annotations": {".": {}, "f:checksum/config": {}}, "f:generateName": {}, "f:labels": labels}
    return [
        _entry("kube-controller-manager", "Update", {"f:metadata": metadata, "f:spec": spec}, rng),
        {**_entry("kubelet", "Update", {"f:status": status}, rng), "subresource": "status"},
    ]


def _item(key: str, value: str) -> str:
    return f'k:{{"{key}":"{value}"}}'


def _entry(manager: str, operation: str, fields: dict[str, Any], rng: random.Random) -> dict[str, Any]:
    return {
        "manager": manager,
        "operation": operation,
        "apiVersion": "v1",
        "time": _time(rng),
        "fieldsType": "FieldsV1",
        "fieldsV1": fields,
    }
