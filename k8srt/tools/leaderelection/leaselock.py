"""A lock that is a Lease of coordination.k8s.io/v1. Contract: LE-01, LE-03 to LE-06."""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING

from k8srt.api.coordination.v1 import Lease
from k8srt.apimachinery.meta import ObjectMeta
from k8srt.apimachinery.record import Record
from k8srt.errors import NotStarted
from k8srt.gentype.client import ResourceClient
from k8srt.rest.client import RESTClient
from k8srt.tools.leaderelection.lock import EventRecorder
from k8srt.tools.leaderelection.record import LeaderElectionRecord

if TYPE_CHECKING:
    from k8srt.kubernetes.clientset import Clientset

log = logging.getLogger(__name__)


class LeaseLock:
    """The Lease `namespace/name`, as the candidate `identity` sees it.

    `labels` are set on the Lease with every write, others stay. An `event_recorder` is told who becomes and who stops
    being leader. The client's rate limit counts: give the lock a client of its own, as `new_from_kubeconfig` does,
    where the program makes many calls.
    """

    def __init__(
        self,
        client: Clientset | RESTClient,
        namespace: str,
        name: str,
        identity: str,
        *,
        labels: Mapping[str, str] | None = None,
        event_recorder: EventRecorder | None = None,
    ) -> None:
        """Raises ValueError without a namespace or a name."""
        if not namespace or not name:
            raise ValueError(f"a lease lock needs a namespace and a name, not {namespace!r} and {name!r}")
        self._rest = client if isinstance(client, RESTClient) else client.rest_client
        self._leases = ResourceClient(self._rest, Lease, namespace)
        self._namespace = namespace
        self._name = name
        self._identity = identity
        self._labels = dict(labels or {})
        self._recorder = event_recorder
        self._seen: Record | None = None  # the Lease as last read or written: immutable, replaced as a whole

    @property
    def identity(self) -> str:
        """Who this candidate is."""
        return self._identity

    def get(
        self, *, stop: threading.Event | None = None, timeout: float | None = None
    ) -> tuple[LeaderElectionRecord, bytes]:
        """Read the record, and remember its version for the next `update`. Raises NotFound."""
        lease = self._leases.get(self._name, stop=stop, timeout=timeout)
        record = LeaderElectionRecord.from_lease_spec(lease.spec)
        self._seen = lease.to_record()
        return record, record.encode()

    def create(
        self, record: LeaderElectionRecord, *, stop: threading.Event | None = None, timeout: float | None = None
    ) -> None:
        """Make the Lease. Raises AlreadyExists."""
        meta = ObjectMeta(name=self._name, namespace=self._namespace)
        if self._labels:
            meta.labels = dict(self._labels)
        lease = Lease(metadata=meta, spec=record.to_lease_spec())
        self._seen = self._leases.create(lease, stop=stop, timeout=timeout).to_record()

    def update(
        self, record: LeaderElectionRecord, *, stop: threading.Event | None = None, timeout: float | None = None
    ) -> None:
        """Write the record on top of the version that was read or written last.

        Raises Conflict when somebody else wrote since, NotStarted when nothing was read yet.
        """
        if self._seen is None:
            raise NotStarted("lease not initialized, call get or create first")
        lease = Lease.from_record(self._seen)
        lease.spec = record.to_lease_spec()
        if self._labels:
            lease.metadata.labels = {**(lease.metadata.labels or {}), **self._labels}
        self._seen = self._leases.update(lease, stop=stop, timeout=timeout).to_record()

    def record_event(self, text: str) -> None:
        """Write the event `<identity> <text>` about the Lease; nothing without a recorder. Never raises."""
        if self._recorder is None:
            return
        if self._seen is not None:
            subject = Lease.from_record(self._seen)
        else:
            subject = Lease(metadata=ObjectMeta(name=self._name, namespace=self._namespace))
        try:
            self._recorder.event(subject, "Normal", "LeaderElection", f"{self._identity} {text}")
        except Exception:
            log.exception("%s: the event %r could not be recorded", self.describe(), text)

    def describe(self) -> str:
        """`namespace/name`"""
        return f"{self._namespace}/{self._name}"

    def close(self) -> None:
        """Close the client: for locks that have one of their own."""
        self._rest.close()

    def __repr__(self) -> str:
        return f"<LeaseLock {self.describe()} for {self._identity}>"
