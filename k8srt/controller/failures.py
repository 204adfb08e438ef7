"""Why a manager ended, where it was not asked to."""

from __future__ import annotations

from k8srt.errors import K8srtError, WaitTimeout


class LeaderElectionLost(K8srtError):
    """This process led and does no longer: it should end. Contract: MGR-10."""


class ForkedProcessError(K8srtError):
    """Something with threads was used in a child process, which has none of them. Contract: THR-09."""


class ShutdownTimeout(WaitTimeout):
    """Some runnables did not end within the grace period; the text says which, and where they are: MGR-08."""


class KeyMoved(K8srtError):
    """A reconcile wants to write for what another shard looks after now, or may do so soon. Contract: SHD-06."""
