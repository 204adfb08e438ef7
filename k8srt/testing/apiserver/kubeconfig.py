"""The kubeconfig of an embedded server."""

from __future__ import annotations

import base64

import yaml


def kubeconfig_text(url: str, token: str, authority: bytes = b"") -> str:
    """A kubeconfig with one cluster, one user, one context. `authority` is the PEM by which a TLS server is known."""
    cluster = {"server": url}
    if authority:
        cluster["certificate-authority-data"] = base64.b64encode(authority).decode()
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
