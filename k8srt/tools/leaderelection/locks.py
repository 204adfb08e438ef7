"""Making locks by the name of their type, as flags have it. Contract: LE-02, LE-07."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from k8srt.rest.client import RESTClient
from k8srt.rest.config import Config, add_user_agent
from k8srt.tools.leaderelection.leaselock import LeaseLock
from k8srt.tools.leaderelection.lock import EventRecorder

if TYPE_CHECKING:
    from k8srt.kubernetes.clientset import Clientset

LEASES = "leases"

_REMOVED = ("endpoints", "configmaps", "endpointsleases", "configmapsleases")


def new_lock(
    lock_type: str,
    namespace: str,
    name: str,
    client: Clientset | RESTClient,
    *,
    identity: str,
    labels: Mapping[str, str] | None = None,
    event_recorder: EventRecorder | None = None,
) -> LeaseLock:
    """A lock of the type `lock_type`, which can only be "leases". Raises ValueError for any other."""
    _check(lock_type)
    return LeaseLock(client, namespace, name, identity, labels=labels, event_recorder=event_recorder)


def new_from_kubeconfig(
    lock_type: str,
    namespace: str,
    name: str,
    config: Config,
    *,
    identity: str,
    renew_deadline: float,
    labels: Mapping[str, str] | None = None,
    event_recorder: EventRecorder | None = None,
) -> LeaseLock:
    """A lock with a client of its own, so that no other call can hold up a renewal; `close` it at the end.

    Requests take at most half the `renew_deadline` (seconds), or a second if that is more, and say
    "leader-election" in their user agent. Raises ValueError, and ConfigError for a config that cannot be used.
    """
    _check(lock_type)
    own = add_user_agent(config.copy(), "leader-election")
    own.timeout = call_timeout(renew_deadline)
    return LeaseLock(RESTClient(own), namespace, name, identity, labels=labels, event_recorder=event_recorder)


def call_timeout(renew_deadline: float) -> float:
    """Seconds that one call may take, so that one that hangs leaves time for another. Contract: LE-07."""
    return max(1.0, renew_deadline / 2.0)


def _check(lock_type: str) -> None:
    if lock_type in _REMOVED:
        raise ValueError(f"{lock_type} lock is removed, migrate to {LEASES}")
    if lock_type != LEASES:
        raise ValueError(f"Invalid lock-type {lock_type!r}, expected {LEASES!r}")
