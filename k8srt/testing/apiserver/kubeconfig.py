"""The kubeconfig of an embedded server."""

from __future__ import annotations

import base64
from pathlib import Path

import yaml


def kubeconfig_text(url: str, token: str, certificate: str | None = None) -> str:
    """A kubeconfig with one cluster, one user, one context. `certificate` is the file a TLS server shows."""
    cluster = {"server": url}
    if certificate is not None:
        cluster["certificate-authority-data"] = base64.b64encode(Path(certificate).read_bytes()).decode()
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "k8srt", "cluster": cluster}],
        "users": [{"name": "admin", "user": {"token": token}}],
        "contexts": [{"name": "k8srt", "context": {"cluster": "k8srt", "user": "admin"}}],
        "current-context": "k8srt",
    }
    text: str = yaml.safe_dump(document, sort_keys=False)
    return text
