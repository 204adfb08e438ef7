"""What a webhook server does about itself in the cluster: its certificate, and the configurations that lead to it.

Contract: WHS-10, ADM-11.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from k8srt.api.admissionregistration.v1 import MutatingWebhookConfiguration, ValidatingWebhookConfiguration
from k8srt.controller.webhook.configurations import Target
from k8srt.controller.webhook.selfsigned import Pairing, SelfSigned, put
from k8srt.errors import ConfigError, K8srtError, StatusError, TransportError
from k8srt.util.clock import Clock

if TYPE_CHECKING:
    from k8srt.kubernetes.clientset import Clientset

log = logging.getLogger(__name__)

INTERVAL = 60.0
MANAGER = "k8srt-webhooks"
_RETRY = 5.0
_LATER = (429, 409)

Configurations = list[MutatingWebhookConfiguration | ValidatingWebhookConfiguration]


@dataclass(frozen=True)
class Install:
    """Have the configurations called `name` kept as what is registered says.

    `target` is where the server is found. `persistent` False removes them at a clean stop, which is for programs of one
    replica: others would put them back a minute later, and until then nobody is asked. `i_know` as in
    `webhook_configurations`.
    """

    name: str
    target: Target
    persistent: bool = True
    i_know: bool = False


@dataclass
class Upkeep:
    """Looks after both, now and every minute. Used by the thread of the server, then by its own."""

    clientset: Clientset
    clock: Clock
    install: Install | None
    self_signed: SelfSigned | None
    files: tuple[Path, Path]
    build: Callable[[str, Target, bool], Configurations]
    reload: Callable[[], object]
    _served: Pairing | None = field(default=None, init=False)

    def certify(self, stop: threading.Event) -> bool:
        """Have a certificate before the start, however long the API server is away; False if the end came first.

        Raises what will not change by waiting.
        """
        if self.self_signed is None:
            return True
        while True:
            try:
                self._renew(self.self_signed)
                return True
            except K8srtError as err:
                if not _passes(err):
                    raise
                log.warning("no certificate yet, trying again in %gs: %s", _RETRY, err)
            if self.clock.wait_event(stop, _RETRY):
                return False

    def run(self, stop: threading.Event) -> None:
        """Keep everything as it should be until `stop`."""
        while True:
            self.look()
            if self.clock.wait_event(stop, INTERVAL):
                break
        self._remove()

    def look(self) -> None:
        """Once. Errors are logged."""
        for what, step in (("certificate", self._look_at_certificate), ("configurations", self._apply)):
            try:
                step()
            except (K8srtError, ValueError, OSError) as err:
                log.error("the %s of the webhooks cannot be looked after: %s", what, err)

    def _look_at_certificate(self) -> None:
        if self.self_signed is not None:
            self._renew(self.self_signed)
            if self._served is not None:
                self.self_signed.publish(self.clientset, self._served.bundle)

    def _renew(self, self_signed: SelfSigned) -> None:
        pairing = self_signed.ensure(self.clientset, self.clock)
        if pairing == self._served:
            return
        self_signed.publish(self.clientset, pairing.bundle)  # before anybody is shown what they are to trust
        self._served = pairing
        self._apply()
        put(pairing, *self.files)
        self.reload()

    def _apply(self) -> None:
        if self.install is None:
            return
        target: Target = self.install.target
        if self._served is not None:
            target = replace(target, ca_bundle=self._served.bundle)
        for configuration in self.build(self.install.name, target, self.install.i_know):
            self._client(configuration).apply(configuration, field_manager=MANAGER, force=True)

    def _remove(self) -> None:
        if self.install is None or self.install.persistent:
            return
        try:
            for configuration in self.build(self.install.name, self.install.target, self.install.i_know):
                self._client(configuration).delete(self.install.name)
        except (K8srtError, ValueError) as err:
            log.warning("the configurations of the webhooks cannot be removed: %s", err)

    def _client(self, configuration: Any) -> Any:
        registration = self.clientset.admissionregistration_v1
        if isinstance(configuration, MutatingWebhookConfiguration):
            return registration.mutating_webhook_configurations()
        return registration.validating_webhook_configurations()


def need_clientset(clientset: Clientset | None) -> Clientset:
    """The same. Raises ConfigError for None."""
    if clientset is None:
        raise ConfigError("self_signed and install need a clientset: use the server by a manager, or bind(clientset)")
    return clientset


def _passes(err: K8srtError) -> bool:
    """Whether it may be gone at the next try."""
    return isinstance(err, TransportError) or (isinstance(err, StatusError) and (err.code >= 500 or err.code in _LATER))
