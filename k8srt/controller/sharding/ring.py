"""How the replicas of a program find each other.

    Manager(config, sharding=Ring("foo-controller"))

Contract: SHD-01.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from k8srt.rest.config import Config

LABEL = "k8srt.io/ring"
"""The label of the leases of a ring; its value is the name of the ring."""

_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?\Z")
_IDENTITY = re.compile(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?\Z")


@dataclass(frozen=True)
class Ring:
    """Which replicas share the work, and how each keeps its lease; times are seconds.

    `name` is the same for all replicas, and that of nobody else in `replicas_namespace`, by default the namespace of
    the pod, where their leases are. `identity` is that of this replica, which its lease is named by: the name of the
    pod or host, unless given. `controlled` are kinds whose objects go with the object that controls them.

    A replica that is gone without a word is replaced after twice the `lease_duration`, and one that comes takes its
    share after once of it. `labels` are put on the lease as well; `config` is for the client that writes it.
    """

    name: str
    replicas_namespace: str = ""
    identity: str = ""
    controlled: tuple[Any, ...] = ()
    lease_duration: float = 15.0
    renew_deadline: float = 10.0
    retry_period: float = 2.0
    labels: Mapping[str, str] = field(default_factory=dict)
    config: Config | None = None

    def __post_init__(self) -> None:
        """Raises ValueError for names that cannot be."""
        if not _NAME.match(self.name):
            raise ValueError(f"sharding: the name of a ring is the value of a label, which {self.name!r} cannot be")
        if self.identity and not _IDENTITY.match(self.identity):
            raise ValueError(f"sharding: the identity is the name of a lease, which {self.identity!r} cannot be")
        object.__setattr__(self, "controlled", tuple(self.controlled))


def own_identity() -> str:
    """The name of the pod or host, as far as a lease can have it."""
    name = re.sub(r"[^a-z0-9.-]", "-", socket.gethostname().lower()).strip(".-")
    return name or "shard"
