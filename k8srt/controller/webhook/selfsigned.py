"""A certificate that replicas make for themselves, share in a Secret, and renew in time.

    SelfSigned("system/hooks-cert", service="system/hooks", configurations=["hooks"], crds=["foos.example.com"])

Whoever comes first makes it. When two thirds of its life are over, the next one who looks makes another. The Secret
holds the certificate (`tls.crt`, `tls.key`) and all authorities that are still good (`ca.crt`), the newest first. That
bundle is written into the webhook configurations and definitions before the certificate is served, so the API server
trusts the old one as long as anybody shows it, and the new one before anybody does.

Contract: WHS-10.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from k8srt.api.core.v1 import Secret
from k8srt.apimachinery.meta import ObjectMeta
from k8srt.errors import AlreadyExists, ConfigError, Conflict, NotFound
from k8srt.util.certificates import Authority, names_in, need_cryptography, still_good, validity_of
from k8srt.util.clock import Clock

if TYPE_CHECKING:
    from k8srt.kubernetes.clientset import Clientset

log = logging.getLogger(__name__)

LIFETIME = timedelta(days=90)
_TRIES = 10


class Issued(NamedTuple):
    """A serving certificate, its key and the authority that signed it, as PEM."""

    certificate: bytes
    key: bytes
    authority: bytes


def issue(names: Sequence[str], now: datetime, lifetime: timedelta) -> Issued:
    """A certificate for host names and addresses, and an authority of its own, whose key is thrown away: nothing that
    could sign more is kept anywhere."""
    authority = Authority.new(f"k8srt-webhook-ca-{int(now.timestamp())}", now, lifetime)
    return Issued(*authority.for_server(names, now=now, lifetime=lifetime), authority.pair.certificate)


def service_names(service: str) -> tuple[str, ...]:
    """The names under which "namespace/name" is called."""
    namespace, _, name = service.partition("/")
    name = name.partition(":")[0]
    return (f"{name}.{namespace}.svc", f"{name}.{namespace}", f"{name}.{namespace}.svc.cluster.local")


@dataclass(frozen=True)
class Pairing:
    """What is to be served, and what those who call are to trust."""

    certificate: bytes
    key: bytes
    bundle: bytes


class SelfSigned:
    """See the module. Thread-safe. Raises ConfigError without `cryptography`, ValueError for wrong names.

    `secret` and `service` are "namespace/name"; `names` are further host names and addresses. Configurations and
    definitions that are not there (yet) are looked for again each time.
    """

    def __init__(
        self,
        secret: str,
        *,
        service: str = "",
        names: Iterable[str] = (),
        configurations: Iterable[str] = (),
        crds: Iterable[str] = (),
        lifetime: timedelta = LIFETIME,
    ) -> None:
        need_cryptography()
        self.namespace, slash, self.name = secret.partition("/")
        if not self.namespace or not slash or not self.name:
            raise ValueError(f"secret: namespace/name, not {secret!r}")
        if service and "/" not in service:
            raise ValueError(f"service: namespace/name, not {service!r}")
        self.names = tuple(dict.fromkeys([*(service_names(service) if service else ()), *names]))
        if not self.names:
            raise ValueError("a certificate is for something: give the service, or names")
        if lifetime <= timedelta(0):
            raise ValueError(f"lifetime: more than nothing, not {lifetime}")
        self.configurations = tuple(configurations)
        self.crds = tuple(crds)
        self.lifetime = lifetime

    def ensure(self, clientset: Clientset, clock: Clock) -> Pairing:
        """What is in the Secret; first made, or renewed, if it has to be. Raises what requests raise."""
        secrets = clientset.core_v1.secrets(self.namespace)
        for _ in range(_TRIES):
            try:
                secret = secrets.get(self.name)
            except NotFound:
                secret = None
            found = self._found(secret, clock)
            if found is not None:
                return found
            made, bundle = self._made(secret, clock)
            data = {"tls.crt": made.certificate, "tls.key": made.key, "ca.crt": bundle}
            try:
                if secret is None:
                    meta = ObjectMeta(name=self.name, namespace=self.namespace)
                    secrets.create(Secret(metadata=meta, type="kubernetes.io/tls", data=data))
                else:
                    secret.data = {**(secret.data or {}), **data}
                    secrets.update(secret)
            except (AlreadyExists, Conflict):
                continue  # another replica was faster: take what it made
            log.info("made a certificate for %s, in the secret %s/%s", self.names[0], self.namespace, self.name)
            return Pairing(made.certificate, made.key, bundle)
        raise ConfigError(f"the secret {self.namespace}/{self.name} changes all the time")

    def _found(self, secret: Secret | None, clock: Clock) -> Pairing | None:
        """What a Secret holds, None if that is nothing that can be used for long."""
        data = (secret.data or {}) if secret is not None else {}
        certificate, key, bundle = (data.get(name) or b"" for name in ("tls.crt", "tls.key", "ca.crt"))
        if not certificate or not key or not bundle:
            return None
        try:
            fresh = clock.time() < validity_of(certificate).renewal and names_in(certificate) >= set(self.names)
        except ValueError:
            return None
        return Pairing(certificate, key, bundle) if fresh else None

    def _made(self, secret: Secret | None, clock: Clock) -> tuple[Issued, bytes]:
        now = clock.time()
        made = issue(self.names, now, self.lifetime)
        old = ((secret.data or {}) if secret is not None else {}).get("ca.crt") or b""
        return made, b"".join([made.authority, *still_good(old, now)])

    def publish(self, clientset: Clientset, bundle: bytes) -> None:
        """Write the bundle into the configurations and definitions, where it is not there already.

        Raises what requests raise; what is not there is left for the next time.
        """
        registration = clientset.admissionregistration_v1
        for name in self.configurations:
            for client in (
                registration.mutating_webhook_configurations(),
                registration.validating_webhook_configurations(),
            ):
                _changed(client, name, lambda obj: _trust_in_hooks(obj, bundle))
        for name in self.crds:
            definitions = clientset.apiextensions_v1.custom_resource_definitions()
            _changed(definitions, name, lambda obj: _trust_in_conversion(obj, bundle))


def _changed(client: Any, name: str, change: Callable[[Any], bool]) -> None:
    for _ in range(_TRIES):
        try:
            obj = client.get(name)
            if change(obj):
                client.update(obj)
                log.info("%r trusts the certificates of this webhook server", obj)
            return
        except NotFound:
            return
        except Conflict:
            continue


def _trust_in_hooks(obj: Any, bundle: bytes) -> bool:
    stale = [hook for hook in obj.webhooks or () if hook.client_config.ca_bundle != bundle]
    for hook in stale:
        hook.client_config.ca_bundle = bundle
    return bool(stale)


def _trust_in_conversion(obj: Any, bundle: bytes) -> bool:
    conversion = obj.spec.conversion
    webhook = conversion.webhook if conversion is not None else None
    if webhook is None or webhook.client_config is None or webhook.client_config.ca_bundle == bundle:
        return False
    webhook.client_config.ca_bundle = bundle
    return True


def put(pairing: Pairing, certificate: Path, key: Path) -> None:
    """Write the files a server reads; the key can be read by this user only."""
    for path, data in ((key, pairing.key), (certificate, pairing.certificate)):
        aside = path.with_name(f".{path.name}.new")
        descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
        aside.replace(path)
