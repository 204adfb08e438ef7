"""Conversion webhooks: custom resources in versions that only their own program can turn into one another."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import cachetools
import msgspec

from k8srt.testing.apiserver.failures import plain_500
from k8srt.testing.apiserver.registry import Resource
from k8srt.testing.apiserver.storage import Stored
from k8srt.testing.apiserver.webhooks.calls import CallFailed

if TYPE_CHECKING:
    from k8srt.testing.apiserver.cluster import Cluster

JSON = dict[str, Any]
_KEPT = 10_000
_TIMEOUT = 30.0
VERSION = "@version"
"""The selectable field under which the version is noted in which an object is stored; no selector can name it."""
_FREE = ("labels", "annotations")  # the part of the metadata that a conversion may change


def needs_webhook(resource: Resource, stored: Stored) -> bool:
    """Whether a stored object has to be converted by a webhook to be shown as one of `resource`."""
    if resource.custom is None or resource.custom.conversion is None:
        return False
    return stored.fields.get(VERSION, resource.storage_version) != resource.version


class Conversions:
    """Converts objects and remembers what stored ones look like in other versions. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()  # guards what is known
        self._known: cachetools.LRUCache[Any, bytes] = cachetools.LRUCache(_KEPT)

    def documents(self, cluster: Cluster, resource: Resource, items: Sequence[Stored]) -> list[JSON]:
        """Stored objects in the version of `resource`; those not yet known in one call. Raises Failure."""
        found = {_key(resource, stored): self._recall(_key(resource, stored)) for stored in items}
        missing = [stored for stored in items if found[_key(resource, stored)] is None]
        if missing:
            made = self.convert(cluster, resource, [_whole(resource, stored) for stored in missing])
            for stored, obj in zip(missing, made, strict=True):
                found[_key(resource, stored)] = self._keep(_key(resource, stored), obj)
        return [msgspec.json.decode(body) for stored in items if (body := found[_key(resource, stored)]) is not None]

    def _recall(self, key: Any) -> bytes | None:
        with self._lock:
            return self._known.get(key)

    def _keep(self, key: Any, obj: JSON) -> bytes:
        body = msgspec.json.encode(obj)
        with self._lock:
            self._known[key] = body
        return body

    def convert(self, cluster: Cluster, resource: Resource, objects: list[JSON], version: str = "") -> list[JSON]:
        """Objects of any versions in `version` (that of `resource`, when it is empty). Raises Failure(500)."""
        wanted = f"{resource.group}/{version or resource.version}"
        assert resource.custom is not None
        hook = (resource.custom.conversion or {}).get("webhook") or {}
        uid = cluster.new_uid()
        api = next((each for each in hook.get("conversionReviewVersions") or () if each in ("v1", "v1beta1")), "v1")
        review = {
            "kind": "ConversionReview",
            "apiVersion": f"apiextensions.k8s.io/{api}",
            "request": {"uid": uid, "desiredAPIVersion": wanted, "objects": objects},
        }
        client = hook.get("clientConfig") or {}
        ref = client.get("service") or {}
        service = cluster.find("services", ref.get("namespace", ""), ref["name"]) if ref.get("name") else None
        try:
            answer = cluster.calls.post(client, service, review, _TIMEOUT)
            return _checked(answer, review, objects, wanted)
        except CallFailed as err:
            first = objects[0].get("apiVersion", "") if objects else wanted
            raise plain_500(f"conversion webhook for {first}, Kind={resource.kind} failed: {err}") from None


def _key(resource: Resource, stored: Stored) -> Any:
    assert resource.custom is not None
    return (resource.table, stored.uid, stored.revision, resource.version, resource.custom.since)


def _whole(resource: Resource, stored: Stored) -> JSON:
    version = stored.fields.get(VERSION) or resource.storage_version
    return {"kind": resource.kind, "apiVersion": f"{resource.group}/{version}", **stored.decode()}


def _checked(answer: JSON, review: JSON, sent: list[JSON], wanted: str) -> list[JSON]:
    """The converted objects, with what they may not have changed put back. Raises CallFailed."""
    if answer.get("kind") != "ConversionReview" or answer.get("apiVersion") != review["apiVersion"]:
        raise CallFailed(f"expected a ConversionReview of {review['apiVersion']}, got {answer.get('kind', 'nothing')}")
    response = answer.get("response")
    if not isinstance(response, dict):
        raise CallFailed("no response provided")
    if response.get("uid") != review["request"]["uid"]:
        raise CallFailed(f'expected uid "{review["request"]["uid"]}", got "{response.get("uid", "")}"')
    result = response.get("result") or {}
    if result.get("status") != "Success":
        raise CallFailed(result.get("message") or f"response.result.status was '{result.get('status', '')}'")
    made = response.get("convertedObjects")
    if not isinstance(made, list) or len(made) != len(sent):
        raise CallFailed(f"webhook returned {len(made or ())} objects, expected {len(sent)}")
    return [_one(obj, old, wanted) for obj, old in zip(made, sent, strict=True)]


def _one(made: Any, sent: JSON, wanted: str) -> JSON:
    if not isinstance(made, dict) or made.get("apiVersion") != wanted or made.get("kind") != sent["kind"]:
        got = made.get("apiVersion", "") if isinstance(made, dict) else made
        raise CallFailed(f"invalid groupVersion (expected {wanted}, received {got})")
    new, old = made.get("metadata") or {}, sent["metadata"]
    for part in ("name", "namespace", "uid"):
        if new.get(part, "") != old.get(part, ""):
            raise CallFailed(f"must have the same {part}: {new.get(part)!r} != {old.get(part)!r}")
    meta = {key: value for key, value in old.items() if key not in _FREE}
    meta.update({key: new[key] for key in _FREE if new.get(key)})
    return {**made, "metadata": meta}
