"""The lease that managers of one program compete for. Contract: MGR-13."""

from __future__ import annotations

import socket
import uuid
from pathlib import Path

from k8srt.errors import ConfigError
from k8srt.kubernetes.clientset import Clientset
from k8srt.tools.leaderelection.leaselock import LeaseLock

NAMESPACE_FILE = Path("/var/run/secrets/kubernetes.io/serviceaccount/namespace")


def make_lock(clientset: Clientset, name: str, namespace: str = "") -> LeaseLock:
    """The lease `name`, in the pod's own namespace unless one is given; this process by host and a random part.

    Raises ConfigError when there is no namespace to be found.
    """
    return LeaseLock(clientset, namespace or pod_namespace(), name, f"{socket.gethostname()}_{uuid.uuid4()}")


def pod_namespace() -> str:
    """The namespace this process runs in. Raises ConfigError outside of a cluster."""
    try:
        return NAMESPACE_FILE.read_text(encoding="utf-8").strip()
    except OSError as err:
        raise ConfigError(
            f"leader_election_namespace: must be given outside of a cluster ({NAMESPACE_FILE}: {err.strerror})"
        ) from err
