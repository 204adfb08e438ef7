"""Standing for an election in which the server chooses: a LeaseCandidate that says what this program is.

    Candidate(cs, "kube-system", "foo-1", "foo", binary_version="1.36.0", emulation_version="1.36.0").run(stop)

It is renewed every five minutes, and at once when the server pings it to find out who is still there. Beside it runs a
`LeaderElector` with `coordinated=True` on the Lease that is named. The API is `coordination.k8s.io/v1beta1`, which a
server must be told to serve. Contract: LE-31.
"""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING

from k8srt.api.coordination.v1beta1 import LeaseCandidate, LeaseCandidateSpec
from k8srt.apimachinery.meta import ObjectMeta
from k8srt.errors import NotFound, Stopped
from k8srt.gentype.client import ResourceClient
from k8srt.rest.client import RESTClient
from k8srt.tools.leaderelection.trouble import Trouble
from k8srt.util.clock import SYSTEM, Clock
from k8srt.util.threads import Stop, linked, spawn
from k8srt.util.wait import Backoff, BackoffManager

if TYPE_CHECKING:
    from k8srt.kubernetes.clientset import Clientset

log = logging.getLogger(__name__)

RENEW_PERIOD = 300.0
CALL_TIMEOUT = 30.0
OLDEST_EMULATION_VERSION = "OldestEmulationVersion"

_AGAIN = Backoff(initial=1.0, factor=2.0, jitter=0.2, cap=60.0)


class Candidate:
    """The LeaseCandidate `namespace/name`, which stands for the Lease `target_lease` of the same namespace."""

    def __init__(
        self,
        client: Clientset | RESTClient,
        namespace: str,
        name: str,
        target_lease: str,
        *,
        binary_version: str,
        emulation_version: str = "",
        strategy: str = OLDEST_EMULATION_VERSION,
        clock: Clock = SYSTEM,
    ) -> None:
        rest = client if isinstance(client, RESTClient) else client.rest_client
        self._client = ResourceClient(rest, LeaseCandidate, namespace)
        self._namespace, self._name = namespace, name
        self._spec = LeaseCandidateSpec(lease_name=target_lease, binary_version=binary_version, strategy=strategy)
        if emulation_version:
            self._spec.emulation_version = emulation_version
        self._clock = clock
        self._lock = threading.Lock()  # guards the next
        self._wake = Stop()  # set when it is to be renewed at once; a new one for each wait
        self._trouble = Trouble(f"lease candidate {namespace}/{name}", clock)

    def run(self, stop: threading.Event) -> None:
        """Publish and renew until `stop` is set. Blocks. Errors are logged, and tried again."""
        with linked(stop) as told:
            watcher = spawn(f"candidate-{self._name}", self._follow, told)
            delays = BackoffManager(_AGAIN, clock=self._clock)
            try:
                while not told.is_set():
                    wake = self._new_wake()
                    forget = told.on_set(wake.set)
                    self._clock.wait_event(wake, self._publish(told, delays))
                    forget()
            finally:
                watcher.join()

    def _new_wake(self) -> Stop:
        """What ends the next wait. Made before the renewal, so that a ping during it is not lost."""
        wake = Stop()
        with self._lock:
            self._wake = wake
        return wake

    def _publish(self, stop: Stop, delays: BackoffManager) -> float:
        """Write the candidate; how many seconds until the next time."""
        try:
            self._ensure(stop)
        except Stopped:
            return 0.0
        except Exception as err:  # noqa: BLE001 - it is tried again
            self._trouble.report("renewal", err)
            return delays.step()
        self._trouble.over()
        delays.reset()
        return RENEW_PERIOD

    def _ensure(self, stop: Stop) -> None:
        spec, now = self._spec, self._clock.time()
        try:
            found = self._client.get(self._name, stop=stop, timeout=CALL_TIMEOUT)
        except NotFound:
            meta = ObjectMeta(name=self._name, namespace=self._namespace)
            found = LeaseCandidate(metadata=meta, spec=spec)
            found.spec.renew_time = now
            self._client.create(found, stop=stop, timeout=CALL_TIMEOUT)
            return
        found.spec.lease_name, found.spec.strategy = spec.lease_name, spec.strategy
        found.spec.binary_version = spec.binary_version
        if spec.emulation_version:
            found.spec.emulation_version = spec.emulation_version
        found.spec.renew_time = now
        self._client.update(found, stop=stop, timeout=CALL_TIMEOUT)

    def _follow(self, stop: Stop) -> None:
        """Listen for pings. A server that cannot be watched is asked again after a while."""
        delays = BackoffManager(_AGAIN, RENEW_PERIOD, clock=self._clock)
        while not stop.is_set():
            try:
                selector = {"metadata.name": self._name}
                with self._client.watch(forever=True, field_selector=selector, stop=stop) as events:
                    for event in events:
                        if event.type != "DELETED" and _pinged(event.object):
                            self._renew_now()
            except Stopped:
                return
            except Exception as err:  # noqa: BLE001 - it is tried again
                log.debug("lease candidate %s/%s cannot be watched: %s", self._namespace, self._name, err)
            self._clock.wait_event(stop, delays.step())

    def _renew_now(self) -> None:
        with self._lock:
            wake = self._wake
        wake.set()

    def __repr__(self) -> str:
        return f"<Candidate {self._namespace}/{self._name} for {self._spec.lease_name}>"


def _pinged(candidate: LeaseCandidate) -> bool:
    """Whether the server asked after it, since it was renewed."""
    ping, renewed = candidate.spec.ping_time, candidate.spec.renew_time
    return ping is not None and (renewed is None or ping > renewed)
