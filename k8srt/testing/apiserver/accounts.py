"""Tokens of service accounts: what they say, and whom they make of who shows them.

A token names its account, and may be bound to a pod, a secret or a node. It holds until it expires by the server's
clock, and no longer than the account and what it is bound to are there.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from k8srt.testing.apiserver.cluster import Cluster
from k8srt.testing.apiserver.jwt import BadToken, SigningKey, unverified
from k8srt.testing.apiserver.users import AUTHENTICATED, Identified, Unauthentic, User

JSON = dict[str, Any]
ISSUER = "https://kubernetes.default.svc.cluster.local"
LEGACY_ISSUER = "kubernetes/serviceaccount"
LEEWAY = timedelta(minutes=1)
"""How long a bound object that is being deleted still counts, and how far clocks may differ."""
_EXTRA = "authentication.kubernetes.io/"
_TABLES = {"pod": "pods", "secret": "secrets", "node": "nodes"}


class Bound(NamedTuple):
    """What a token is bound to: `kind` is pod, secret or node."""

    kind: str
    name: str
    uid: str


def groups_of(namespace: str) -> tuple[str, ...]:
    return ("system:serviceaccounts", f"system:serviceaccounts:{namespace}")


def split_username(name: str) -> tuple[str, str] | None:
    """Namespace and name of the account whose user this is, or None."""
    parts = name.split(":")
    if len(parts) != 4 or parts[:2] != ["system", "serviceaccount"] or not parts[2] or not parts[3]:
        return None
    return parts[2], parts[3]


class ServiceAccountTokens:
    """Issues and verifies the tokens of one server. Thread-safe."""

    def __init__(self, cluster: Cluster, key: SigningKey) -> None:
        self._cluster = cluster
        self.key = key

    def issue(
        self, account: JSON, audiences: Sequence[str], seconds: int, bound: Sequence[Bound] = ()
    ) -> tuple[str, datetime]:
        """A token for a service account, and when it expires."""
        meta = account["metadata"]
        now = self._cluster.clock.time().replace(microsecond=0)
        expires = now + timedelta(seconds=seconds)
        about: JSON = {each.kind: {"name": each.name, "uid": each.uid} for each in bound}
        about["namespace"] = meta["namespace"]
        about["serviceaccount"] = {"name": meta["name"], "uid": meta["uid"]}
        claims = {
            "aud": list(audiences), "exp": int(expires.timestamp()), "iat": int(now.timestamp()), "iss": ISSUER,
            "jti": self._cluster.new_uid(), "kubernetes.io": dict(sorted(about.items())),
            "nbf": int(now.timestamp()), "sub": f"system:serviceaccount:{meta['namespace']}:{meta['name']}",
        }  # fmt: skip
        return self.key.sign(claims), expires

    def issue_legacy(self, account: JSON, secret: str) -> str:
        """The token that is kept in a secret of the type for it, and holds as long as that is there."""
        meta = account["metadata"]
        prefix = "kubernetes.io/serviceaccount/"
        claims = {
            "iss": LEGACY_ISSUER, f"{prefix}namespace": meta["namespace"], f"{prefix}secret.name": secret,
            f"{prefix}service-account.name": meta["name"], f"{prefix}service-account.uid": meta["uid"],
            "sub": f"system:serviceaccount:{meta['namespace']}:{meta['name']}",
        }  # fmt: skip
        return self.key.sign(claims)

    # ---- verifying

    def authenticate(self, token: str, audiences: Sequence[str]) -> Identified | None:
        """Who shows a token, and for which of the audiences; None for texts that are no tokens of this issuer.

        Raises Unauthentic for what is one and does not hold.
        """
        issuer = unverified(token).get("iss")
        if issuer not in (ISSUER, LEGACY_ISSUER):
            return None
        try:
            claims = self.key.claims(token)
        except BadToken:
            raise Unauthentic("invalid signature") from None
        try:
            if issuer == LEGACY_ISSUER:
                return Identified(self._legacy(claims, token), tuple(audiences))
            held = tuple(each for each in audiences if each in claims["aud"])
            if not held:
                shown = " ".join(f'"{each}"' for each in claims["aud"])
                wanted = " ".join(f'"{each}"' for each in audiences)
                raise Unauthentic(f"token audiences [{shown}] is invalid for the target audiences [{wanted}]")
            return Identified(self._user(claims), held)
        except (KeyError, TypeError, ValueError):
            raise Unauthentic("service account token claims could not be validated") from None

    def _user(self, claims: JSON) -> User:
        now = self._cluster.clock.time()
        if now - LEEWAY > datetime.fromtimestamp(claims["exp"], UTC):
            raise Unauthentic("service account token has expired")
        if now + LEEWAY < datetime.fromtimestamp(claims["nbf"], UTC):
            raise Unauthentic("service account token is not valid yet")
        about = claims["kubernetes.io"]
        namespace = about["namespace"]
        user = self._account(namespace, about["serviceaccount"]["name"], about["serviceaccount"]["uid"])
        extra: dict[str, tuple[str, ...]] = {f"{_EXTRA}credential-id": (f"JTI={claims['jti']}",)}
        for kind in ("secret", "pod", "node"):
            if kind in about:
                # A node is named beside the pod that runs on it, which is what the token is bound to.
                if kind != "node" or "pod" not in about:
                    self._check_bound(kind, namespace, about[kind])
                if kind != "secret":
                    extra[f"{_EXTRA}{kind}-name"] = (about[kind]["name"],)
                    extra[f"{_EXTRA}{kind}-uid"] = (about[kind]["uid"],)
        return User(user.name, user.uid, user.groups, extra)

    def _account(self, namespace: str, name: str, uid: str) -> User:
        account = self._cluster.find("serviceaccounts", namespace, name)
        if account is None:
            raise Unauthentic(f'serviceaccounts "{name}" not found')
        if self._gone(account):
            raise Unauthentic(f"service account {namespace}/{name} has been deleted")
        if account["metadata"]["uid"] != uid:
            found = account["metadata"]["uid"]
            raise Unauthentic(f"service account UID ({found}) does not match claim ({uid})")
        return User(f"system:serviceaccount:{namespace}:{name}", uid, (*groups_of(namespace), AUTHENTICATED))

    def _check_bound(self, kind: str, namespace: str, claim: JSON) -> None:
        there = self._cluster.find(_TABLES[kind], "" if kind == "node" else namespace, claim["name"])
        if there is None or self._gone(there):
            raise Unauthentic("service account token has been invalidated")
        if there["metadata"]["uid"] != claim["uid"]:
            found = there["metadata"]["uid"]
            text = f"{kind} UID ({found}) does not match service account {kind} ref claim ({claim['uid']})"
            raise Unauthentic(text)

    def _gone(self, obj: JSON) -> bool:
        deleted = obj["metadata"].get("deletionTimestamp")
        return bool(deleted) and datetime.fromisoformat(deleted) < self._cluster.clock.time() - LEEWAY

    def _legacy(self, claims: JSON, token: str) -> User:
        prefix = "kubernetes.io/serviceaccount/"
        namespace, name = claims[f"{prefix}namespace"], claims[f"{prefix}service-account.name"]
        secret = self._cluster.find("secrets", namespace, claims[f"{prefix}secret.name"])
        if secret is None or self._gone(secret):
            raise Unauthentic("Token has been invalidated")
        if base64.b64decode((secret.get("data") or {}).get("token", "")) != token.encode():
            raise Unauthentic("Token does not match server's copy")
        return self._account(namespace, name, claims[f"{prefix}service-account.uid"])
