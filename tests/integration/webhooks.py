"""A webhook server on loopback: what it answers is given as functions, what it was asked is kept."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.integration.wire import Authority, Exchange, WireServer

JSON = dict[str, Any]
Answer = Callable[[JSON], JSON]
NAMES = ("127.0.0.1", "hooks.default.svc")


class WebhookServer(WireServer):
    """Serves `answers` by path; each takes the request of a review and returns its response, without the uid."""

    def __init__(self, authority: Authority, folder: Path, names: tuple[str, ...] = NAMES) -> None:
        super().__init__(self._respond, authority.issue(*names).server_context(folder))
        self.authority = authority
        self.answers: dict[str, Answer] = {}
        self.asked: list[tuple[str, JSON]] = []

    @property
    def bundle(self) -> str:
        return base64.b64encode(self.authority.certificate).decode()

    def client(self, path: str) -> JSON:
        """A clientConfig that leads here."""
        return {"url": self.url + path, "caBundle": self.bundle}

    def service(self, path: str) -> JSON:
        """A clientConfig by the service that the tests map to here."""
        ref = {"namespace": "default", "name": "hooks", "path": path}
        return {"service": ref, "caBundle": self.bundle}

    def requests_to(self, path: str) -> list[JSON]:
        return [request for asked, request in self.asked if asked == path]

    def _respond(self, exchange: Exchange) -> None:
        path = exchange.path.partition("?")[0]
        review = json.loads(exchange.body)
        self.asked.append((path, review["request"]))
        answer = self.answers.get(path)
        if answer is None:
            exchange.reply(404, b"nothing here")
            return
        response = {"uid": review["request"]["uid"], **answer(review["request"])}
        exchange.reply(200, {"kind": review["kind"], "apiVersion": review["apiVersion"], "response": response})


def allow(**more: Any) -> JSON:
    return {"allowed": True, **more}


def patch(*operations: JSON, **more: Any) -> JSON:
    """A verdict that changes the object."""
    encoded = base64.b64encode(json.dumps(operations).encode()).decode()
    return {"allowed": True, "patchType": "JSONPatch", "patch": encoded, **more}


def label(name: str, value: str) -> JSON:
    """An operation that sets a label, on an object that has some."""
    return {"op": "add", "path": f"/metadata/labels/{name}", "value": value}


def configuration(kind: str, name: str, *hooks: JSON) -> JSON:
    return {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": f"{kind}WebhookConfiguration",
        "metadata": {"name": name},
        "webhooks": list(hooks),
    }


def hook(client: JSON, name: str = "one.example.com", **more: Any) -> JSON:
    """A webhook for ConfigMaps, unless told otherwise."""
    rule = {"operations": ["*"], "apiGroups": [""], "apiVersions": ["v1"], "resources": ["configmaps"]}
    facts = {"name": name, "clientConfig": client, "rules": [rule], "sideEffects": "None"}
    return {**facts, "admissionReviewVersions": ["v1"], **more}
