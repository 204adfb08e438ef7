"""Webhooks in tests: configurations as they are deployed, led to a server on this machine.

    with install_webhooks(cs, "config/webhook", convertible=["foos.example.com"]) as local:
        server = WebhookServer(host=local.host, port=local.port, cert_dir=local.directory)
        with Manager(config, webhook_server=server): …

Needs the package `cryptography`, of the extra `tls`. Contract: ETE-04.
"""

from __future__ import annotations

import base64
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from k8srt.errors import NotFound
from k8srt.testing.asserting import eventually
from k8srt.testing.control_plane import free_port
from k8srt.util import retry
from k8srt.util.certificates import Authority

if TYPE_CHECKING:
    from k8srt.kubernetes import Clientset
    from k8srt.kubernetes.manifests.sources import Source

TIMEOUT = 10.0
_HOST = "127.0.0.1"
_KINDS = {
    "MutatingWebhookConfiguration": "mutatingwebhookconfigurations.admissionregistration.k8s.io",
    "ValidatingWebhookConfiguration": "validatingwebhookconfigurations.admissionregistration.k8s.io",
}
_CRDS = "customresourcedefinitions.apiextensions.k8s.io"


class LocalWebhooks(NamedTuple):
    """Where the server under test is to listen; `directory` has its `tls.crt` and `tls.key`."""

    host: str
    port: int
    directory: Path
    ca_bundle: bytes

    def client_config(self, path: str) -> dict[str, Any]:
        """How the API server is told of a path."""
        url = f"https://{self.host}:{self.port}/{path.lstrip('/')}"
        return {"url": url, "caBundle": base64.b64encode(self.ca_bundle).decode()}


@contextmanager
def install_webhooks(
    clientset: Clientset, *sources: Source, convertible: Iterable[str] = (), timeout: float = TIMEOUT
) -> Iterator[LocalWebhooks]:
    """Create the webhook configurations among the sources, each service replaced by a URL of a free local port.

    `convertible` names definitions, installed before, whose objects the server under test converts, at `/convert`.
    Within the context certificates and configurations are there; afterwards the configurations are deleted, and the
    definitions convert nothing. Raises what `install_crds` does, and ConfigError without `cryptography`.
    """
    definitions = list(convertible)
    with tempfile.TemporaryDirectory(prefix="k8srt-webhooks-") as folder:
        local = _prepared(Path(folder))
        made = [(_KINDS[each["kind"]], _led_to(each, local)) for each in _configurations(sources)]
        try:
            for resource, document in made:
                _put(clientset, resource, document, timeout)
            for name in definitions:
                _convert(clientset, name, _webhook(local))
            yield local
        finally:
            for resource, document in made:
                _drop(clientset, resource, document["metadata"]["name"])
            for name in definitions:
                _convert(clientset, name, {"strategy": "None", "webhook": None})


def _prepared(folder: Path) -> LocalWebhooks:
    authority = Authority.new()
    pair = authority.for_server((_HOST, "localhost"))
    for name, content in (("tls.crt", pair.certificate), ("tls.key", pair.key)):
        path = folder / name
        path.touch(0o600)
        path.write_bytes(content)
    return LocalWebhooks(_HOST, free_port(), folder, authority.pair.certificate)


def _configurations(sources: Iterable[Source]) -> Iterator[dict[str, Any]]:
    from k8srt.kubernetes.manifests.sources import read

    for source in sources:
        for manifest in read(source):
            if manifest.gvk.kind in _KINDS:
                yield dict(manifest.document)


def _led_to(document: dict[str, Any], local: LocalWebhooks) -> dict[str, Any]:
    """The configuration with its services replaced; what has a URL keeps it."""
    hooks = []
    for hook in document.get("webhooks") or ():
        service = hook.get("clientConfig", {}).get("service")
        led = local.client_config(service.get("path") or "/") if service is not None else hook["clientConfig"]
        hooks.append({**hook, "clientConfig": led})
    return {**document, "webhooks": hooks}


def _put(clientset: Clientset, resource: str, document: dict[str, Any], timeout: float) -> None:
    client, name = clientset.resource(resource), document["metadata"]["name"]
    _drop(clientset, resource, name)
    client.create(document)
    eventually(lambda: client.get(name), timeout=timeout)


def _drop(clientset: Clientset, resource: str, name: str) -> None:
    try:
        clientset.resource(resource).delete(name)
    except NotFound:
        return


def _webhook(local: LocalWebhooks) -> dict[str, Any]:
    webhook = {"clientConfig": local.client_config("/convert"), "conversionReviewVersions": ["v1"]}
    return {"strategy": "Webhook", "webhook": webhook}


def _convert(clientset: Clientset, name: str, conversion: dict[str, Any]) -> None:
    change = {"spec": {"conversion": conversion}}
    retry.on_conflict(lambda: clientset.resource(_CRDS).patch(name, change, patch_type="merge"))
