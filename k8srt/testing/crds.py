"""Definitions of custom resources for tests: put on a server, waited for, taken away.

    install_crds(cs, "config/crd", Foo.crd)
    …
    uninstall_crds(cs, "config/crd", Foo.crd)

Contract: ETE-03.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from k8srt.errors import AlreadyExists, NotFound
from k8srt.testing.asserting import eventually
from k8srt.util import retry
from k8srt.util.clock import SYSTEM, Clock

if TYPE_CHECKING:
    from k8srt.kubernetes import Clientset
    from k8srt.kubernetes.manifests.sources import Source

log = logging.getLogger(__name__)

TIMEOUT = 10.0
INTERVAL = 0.1
_KIND = "CustomResourceDefinition"
_RESOURCE = "customresourcedefinitions.apiextensions.k8s.io"


def install_crds(
    clientset: Clientset,
    *sources: Source,
    error_if_path_missing: bool = True,
    timeout: float = TIMEOUT,
    clock: Clock = SYSTEM,
) -> list[str]:
    """Create the definitions, or update those that are there, and wait until every served version is in discovery.

    Sources are files, folders, texts, objects; other kinds in them are passed over. Of several with one name the last
    counts. Returns their names. Raises FileNotFoundError for a path that is missing unless `error_if_path_missing` is
    False, DecodeError, StatusError, and AssertionError when one is not served within `timeout` seconds.
    """
    found = _definitions(sources, error_if_path_missing)
    crds = clientset.resource(_RESOURCE)
    for document in found.values():
        _write(crds, document)
    for document in found.values():
        for version in _served(document):
            _await(clientset, document, version, timeout, clock)
    if found:
        clientset.mapper.reset()
    return list(found)


def uninstall_crds(clientset: Clientset, *sources: Source, error_if_path_missing: bool = True) -> None:
    """Delete the definitions, and with them their objects. Those that are not there are fine."""
    crds = clientset.resource(_RESOURCE)
    for name in _definitions(sources, error_if_path_missing):
        try:
            crds.delete(name)
        except NotFound:
            log.debug("the definition %s is gone already", name)


def _definitions(sources: tuple[Source, ...], error_if_path_missing: bool) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for document in _documents(sources, error_if_path_missing):
        name = str(document.get("metadata", {}).get("name", ""))
        if name in found:
            log.warning("the definition %s is given more than once: the last one counts", name)
        found[name] = document
    return found


def _documents(sources: tuple[Source, ...], error_if_path_missing: bool) -> Iterator[dict[str, Any]]:
    from k8srt.kubernetes.manifests.sources import read

    for source in sources:
        try:
            manifests = read(source)
        except FileNotFoundError:
            if error_if_path_missing:
                raise
            log.info("there are no definitions at %s", source)
            continue
        for manifest in manifests:
            if manifest.gvk.kind == _KIND:
                yield dict(manifest.document)


def _write(crds: Any, document: dict[str, Any]) -> None:
    def update() -> None:
        there = crds.get(document["metadata"]["name"])
        version = there.metadata.resource_version
        crds.update({**document, "metadata": {**document["metadata"], "resourceVersion": version}})

    try:
        crds.create(document)
    except AlreadyExists:
        retry.on_conflict(update)


def _served(document: dict[str, Any]) -> list[str]:
    return [str(each["name"]) for each in document["spec"].get("versions", ()) if each.get("served")]


def _await(clientset: Clientset, document: dict[str, Any], version: str, timeout: float, clock: Clock) -> None:
    group, plural = document["spec"]["group"], document["spec"]["names"]["plural"]

    def served() -> bool:
        clientset.discovery.invalidate()
        resources = clientset.discovery.server_resources_for_group_version(f"{group}/{version}")
        return any(each.name == plural for each in resources.resources or ())

    served.__qualname__ = f"serving {plural}.{version}.{group}"
    eventually(served, timeout=timeout, interval=INTERVAL, clock=clock)
