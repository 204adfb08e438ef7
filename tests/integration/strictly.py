"""A manager that has the rights that it says it needs, and no others."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from k8srt.api.events.v1 import Event
from k8srt.cli.rbac import manifests
from k8srt.controller import Manager
from k8srt.controller.manager.rights import rights_of
from k8srt.kubernetes import Clientset
from k8srt.rest import Config
from k8srt.testing.choosing import Server

ACCOUNT = "default", "operator"


class Strict(NamedTuple):
    """The manager, not started, and a client that may do anything."""

    manager: Manager
    admin: Clientset

    def wait_for_event(self, reason: str) -> None:
        """Wait until an event with a reason was written."""
        events = self.admin.resource(Event, "default").watch(resource_version="0", timeout_seconds=20)
        with events as seen:
            assert any(each.object.reason == reason for each in seen)


@contextmanager
def strictly(server: Server, make_manager: Callable[[Config], Manager], *objects: Any) -> Iterator[Strict]:
    """Apply `objects`, then grant a service account what `k8srt rbac` says, and make a manager that is that account."""
    config = server.config_for(f"system:serviceaccount:{':'.join(ACCOUNT)}", "system:serviceaccounts")
    with Clientset(server.config) as admin:
        for each in objects:
            admin.apply(each)
        manager = make_manager(config)
        admin.apply(manifests(rights_of(manager), "operator", ACCOUNT))
        yield Strict(manager, admin)
