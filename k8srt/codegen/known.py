"""What kube-apiserver v1.36 knows about its own kinds and doesn't say in its OpenAPI document.

Short names and categories are what `kubectl api-resources` shows; defaults are the markers in upstream's types that
the document at hand leaves out (those of list-map keys decide which element a patch means).
"""

from __future__ import annotations

from typing import Any

SHORT_NAMES = {
    "certificatesigningrequests": "csr",
    "componentstatuses": "cs",
    "configmaps": "cm",
    "cronjobs": "cj",
    "customresourcedefinitions": "crd crds",
    "daemonsets": "ds",
    "deployments": "deploy",
    "endpoints": "ep",
    "events": "ev",
    "horizontalpodautoscalers": "hpa",
    "ingresses": "ing",
    "ipaddresses": "ip",
    "limitranges": "limits",
    "namespaces": "ns",
    "networkpolicies": "netpol",
    "nodes": "no",
    "persistentvolumeclaims": "pvc",
    "persistentvolumes": "pv",
    "poddisruptionbudgets": "pdb",
    "pods": "po",
    "priorityclasses": "pc",
    "replicasets": "rs",
    "replicationcontrollers": "rc",
    "resourcequotas": "quota",
    "serviceaccounts": "sa",
    "services": "svc",
    "statefulsets": "sts",
    "storageclasses": "sc",
    "volumeattributesclasses": "vac",
}

CATEGORIES = {
    "apiservices": "api-extensions",
    "cronjobs": "all",
    "customresourcedefinitions": "api-extensions",
    "daemonsets": "all",
    "deployments": "all",
    "horizontalpodautoscalers": "all",
    "jobs": "all",
    "mutatingadmissionpolicies": "api-extensions",
    "mutatingadmissionpolicybindings": "api-extensions",
    "mutatingwebhookconfigurations": "api-extensions",
    "pods": "all",
    "replicasets": "all",
    "replicationcontrollers": "all",
    "services": "all",
    "statefulsets": "all",
    "validatingadmissionpolicies": "api-extensions",
    "validatingadmissionpolicybindings": "api-extensions",
    "validatingwebhookconfigurations": "api-extensions",
}

# Group-version folder and class → wire name of the field → its default.
DEFAULTS: dict[str, dict[str, Any]] = {
    "core/v1.AzureDiskVolumeSource": {
        "cachingMode": "ReadWrite",
        "fsType": "ext4",
        "kind": "Shared",
        "readOnly": False,
    },
    "core/v1.ConfigMapEnvSource": {"name": ""},
    "core/v1.ConfigMapKeySelector": {"name": ""},
    "core/v1.ConfigMapProjection": {"name": ""},
    "core/v1.ConfigMapVolumeSource": {"name": ""},
    "core/v1.ContainerPort": {"protocol": "TCP"},
    "core/v1.FileKeySelector": {"optional": False},
    "core/v1.GRPCAction": {"service": ""},
    "core/v1.ISCSIPersistentVolumeSource": {"iscsiInterface": "default"},
    "core/v1.ISCSIVolumeSource": {"iscsiInterface": "default"},
    "core/v1.LocalObjectReference": {"name": ""},
    "core/v1.RBDPersistentVolumeSource": {"keyring": "/etc/ceph/keyring", "pool": "rbd", "user": "admin"},
    "core/v1.RBDVolumeSource": {"keyring": "/etc/ceph/keyring", "pool": "rbd", "user": "admin"},
    "core/v1.ScaleIOPersistentVolumeSource": {"fsType": "xfs", "storageMode": "ThinProvisioned"},
    "core/v1.ScaleIOVolumeSource": {"fsType": "xfs", "storageMode": "ThinProvisioned"},
    "core/v1.SecretEnvSource": {"name": ""},
    "core/v1.SecretKeySelector": {"name": ""},
    "core/v1.SecretProjection": {"name": ""},
    "core/v1.ServicePort": {"protocol": "TCP"},
}
