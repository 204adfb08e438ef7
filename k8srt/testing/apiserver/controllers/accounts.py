"""Secrets that hold the token of a service account: filled in, and removed with the account."""

from __future__ import annotations

import base64
from typing import Any

from k8srt.testing.apiserver.accounts import ServiceAccountTokens
from k8srt.testing.apiserver.controllers.worker import Worker
from k8srt.testing.apiserver.storage import NoSuchKey, Stale, Stored
from k8srt.testing.apiserver.watches import Change

JSON = dict[str, Any]
TYPE = "kubernetes.io/service-account-token"
_NAME, _UID = "kubernetes.io/service-account.name", "kubernetes.io/service-account.uid"


class AccountSecrets(Worker):
    """Looks after secrets of the type for it."""

    name = "accounts"

    def wants(self, table: str, change: Change) -> bool:
        if table == "serviceaccounts":
            return change.after is None
        return table == "secrets" and change.after is not None and TYPE.encode() in change.after.body

    def handle(self, table: str, change: Change) -> None:
        storage = self.cluster.storage
        if table == "secrets":
            found = [change.after] if change.after is not None else []
        else:
            found = storage.page("secrets", change.shown.namespace).items
        for stored in found:
            if TYPE.encode() not in stored.body:
                continue
            try:
                self._look_after(stored)
            except (Stale, NoSuchKey):
                pass  # somebody else wrote it, and that will be seen, too

    def _look_after(self, stored: Stored) -> None:
        secret = stored.decode()
        notes = secret["metadata"].get("annotations") or {}
        if secret.get("type") != TYPE or "deletionTimestamp" in secret["metadata"]:
            return
        account = self.cluster.find("serviceaccounts", stored.namespace, notes.get(_NAME, ""))
        if account is None or notes.get(_UID, account["metadata"]["uid"]) != account["metadata"]["uid"]:
            self.cluster.storage.delete("secrets", stored)
            return
        data = dict(secret.get("data") or {})
        if data.get("token") and _UID in notes:
            return
        tokens: ServiceAccountTokens = self.cluster.accounts
        parts = {
            "ca.crt": self.cluster.authority,
            "namespace": stored.namespace.encode(),
            "token": tokens.issue_legacy(account, stored.name).encode(),
        }
        for name, value in parts.items():
            if not data.get(name):
                data[name] = base64.b64encode(value).decode()
        secret["metadata"]["annotations"] = {**notes, _UID: account["metadata"]["uid"]}
        resource = self.cluster.registry.by_table("secrets")
        assert resource is not None
        self.cluster.storage.update("secrets", {**secret, "data": data}, self.cluster.fields_of(resource), stored)
