"""The office of a replica that is a shard: a lease of its own, and its place among the others'.

    Manager(config, sharding=Ring("foo-controller"))

Every replica is in office at once. Losing the lease ends the manager as a lost election does.

Contract: SHD-01, SHD-06.
"""

from __future__ import annotations

import logging
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from k8srt.api.coordination.v1 import Lease
from k8srt.controller.failures import KeyMoved
from k8srt.controller.manager.office import Election, Office, pod_namespace
from k8srt.controller.metrics.instruments import Sample, Snapshot
from k8srt.controller.sharding.gate import Gate
from k8srt.controller.sharding.membership import Membership
from k8srt.controller.sharding.ring import LABEL, Ring, own_identity
from k8srt.controller.sharding.shards import ShardState
from k8srt.controller.sharding.view import View
from k8srt.gentype.client import ResourceClient
from k8srt.kubernetes.clientset import Clientset
from k8srt.tools.leaderelection.elector import LeaderElector
from k8srt.util.clock import Clock
from k8srt.util.threads import Stop

if TYPE_CHECKING:
    from k8srt.controller.controller import Controller

log = logging.getLogger(__name__)

_PATIENCE = 5.0
"""Seconds that a look has to end."""


class Shard(Office):
    """An `Office` that is called `lead` once it has its lease and has seen the others. Thread-safe."""

    def __init__(
        self,
        ring: Ring,
        clientset: Clientset,
        *,
        lead: Callable[[Stop], object],
        lost: Callable[[], object],
        failed: Callable[[LeaderElector, BaseException], object],
        clock: Clock,
    ) -> None:
        """Raises ConfigError without a namespace, ValueError for times that cannot work."""
        name = ring.identity or own_identity()
        holder = f"{name}_{uuid.uuid4()}"
        election = Election(
            name,
            ring.replicas_namespace or pod_namespace("sharding: replicas_namespace"),
            holder,
            *(ring.lease_duration, ring.renew_deadline, ring.retry_period),
            release_on_cancel=True,
            labels={**ring.labels, LABEL: ring.name},
            config=ring.config,
        )
        super().__init__(
            election,
            clientset,
            lead=lambda stop: self.membership.run(stop, lambda: lead(stop)),
            lost=lost,
            failed=failed,
            clock=clock,
        )
        assert self._own is not None
        assert self.lease is not None
        leases = ResourceClient(self._own.rest_client, Lease, self.lease[0])
        self.membership = Membership(ring, name, holder, leases, sure=lambda: self.elector.leading, clock=clock)
        self._clock = clock
        self._gates: dict[str, Gate] = {}  # replaced as a whole

    @property
    def name(self) -> str:
        """That of the shard, and of its lease."""
        return self.membership.me

    @property
    def view(self) -> View:
        """Which shards there are, and whose is which key."""
        return self.membership.view

    def attach(self, controller: Controller) -> None:
        """Have a controller leave alone what is not ours."""
        gate = Gate(controller, self.membership, self._clock)
        controller.admit_by(gate)
        controller.show("sharding", gate.debug_state)
        before = self._gates.get(controller.name)
        if before is not None:
            self.membership.forget(before.seen)
        self._gates = {**self._gates, controller.name: gate}
        self.membership.tell(gate.seen)

    def detach(self, name: str) -> None:
        """A controller is no more."""
        gate = self._gates.get(name)
        if gate is not None:
            self._gates = {each: kept for each, kept in self._gates.items() if each != name}
            self.membership.forget(gate.seen)

    def check_leading(self) -> None:
        """Raise NotLeaderError or KeyMoved unless this is a shard beyond doubt, which knows the others."""
        super().check_leading()
        if not self.membership.is_up():
            raise KeyMoved(f"shard {self.name} has not seen the others for too long, so it does not write")

    def resign(self, *, give_back: bool) -> None:
        """See `Office`; the others are looked at no more."""
        super().resign(give_back=give_back)
        if not self.elector.join(_PATIENCE):
            log.warning("shard %s: a look at the others has not ended", self.name)

    # ---- to be looked at ------------------------------------------------------------------------------------------

    def debug_state(self) -> dict[str, Any]:
        """The shards and the state of each, and how many keys of each controller are whose."""
        keys = {name: gate.debug_state()["keys"] for name, gate in self._gates.items()}
        return {"leader": None, "sharding": {**self.membership.debug_state(), "keys": keys}}

    def figures(self) -> Iterator[Snapshot]:
        """The shards by state, and how many of the cached keys of each controller are our own. Contract: MTR-06."""
        ring = self.membership.ring.name
        states = Counter(self.view.states.values())
        samples = [Sample("", (("ring", ring), ("state", str(each))), float(states[each])) for each in ShardState]
        yield Snapshot("k8srt_shards", "Shards of the ring, as this one sees them.", "gauge", samples)
        samples = []
        for name, gate in self._gates.items():
            count = gate.count()
            own = count[self.name]
            for whose, keys in (("own", own), ("other", count.total() - own)):
                labels = (("ring", ring), ("controller", name), ("whose", whose))
                samples.append(Sample("", labels, float(keys)))
        about = "Cached objects, by whether they are for this shard or for another."
        yield Snapshot("k8srt_shard_objects", about, "gauge", samples)

    def __repr__(self) -> str:
        shards = ", ".join(f"{name} {state}" for name, state in self.view.states.items())
        return f"<Shard {self.name} of {self.membership.ring.name}: {shards or self.elector.phase.value}>"
