"""What is raised about leadership. The tree of all errors is in `k8srt.errors`."""

from __future__ import annotations

from k8srt.errors import K8srtError


class NotLeaderError(K8srtError):
    """Only a leader may do this, and this candidate is none, or cannot be sure of it any more."""


class LeaseNotRenewed(K8srtError):
    """A leader has not renewed its lease for too long: its process should be restarted."""
