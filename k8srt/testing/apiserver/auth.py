"""Who asks, and whether they may: certificates, tokens, and a seam for the authorizers."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from k8srt.errors import ConfigError
from k8srt.testing.apiserver.failures import Failure, failure, forbidden, unauthorized
from k8srt.testing.apiserver.messages import Request
from k8srt.testing.apiserver.requests import RequestInfo
from k8srt.testing.apiserver.users import ANONYMOUS as ANONYMOUS
from k8srt.testing.apiserver.users import AUTHENTICATED as AUTHENTICATED
from k8srt.testing.apiserver.users import UNAUTHENTICATED as UNAUTHENTICATED
from k8srt.testing.apiserver.users import Identified, Unauthentic
from k8srt.testing.apiserver.users import User as User


class Authorizer(Protocol):
    """Decides whether a user may do something."""

    def allows(self, user: User, info: RequestInfo) -> bool: ...


class AlwaysAllow:
    """Everybody may do everything."""

    def allows(self, user: User, info: RequestInfo) -> bool:
        return True


def read_token_file(path: str | Path) -> dict[str, User]:
    """Users by token, from kube-apiserver's format: token,user,uid,"group1,group2".

    Raises ConfigError naming the file and the line, never the token.
    """
    try:
        text = Path(path).read_text()
    except OSError as err:
        raise ConfigError(f"token file {path}: {err.strerror}") from err
    users = {}
    for number, row in enumerate(csv.reader(io.StringIO(text), skipinitialspace=True), start=1):
        if not row or row[0].startswith("#"):
            continue
        if len(row) < 3 or not row[0]:
            raise ConfigError(f"token file {path}: line {number}: expected token,user,uid[,groups]")
        groups = tuple(row[3].split(",")) if len(row) > 3 and row[3] else ()
        users[row[0]] = User(row[1], row[2], (*groups, AUTHENTICATED))
    return users


class TokenSource(Protocol):
    """Knows some tokens."""

    def authenticate(self, token: str, audiences: Sequence[str]) -> Identified | None:
        """Whom a token names; None when it is none of these. Raises Unauthentic for one that does not hold."""
        ...


class Authenticator:
    """Tells who asks: by client certificate, by token, or nobody in particular. Thread-safe.

    `tokens` maps bearer tokens to users; `sources` are asked about others. Without `anonymous`, who shows nothing is
    refused. `audiences` are those of the server itself.
    """

    def __init__(
        self,
        tokens: Mapping[str, User],
        *sources: TokenSource,
        anonymous: bool = True,
        audiences: Sequence[str] = (),
    ) -> None:
        self._tokens = tokens
        self._sources = sources
        self._anonymous = anonymous
        self.audiences = tuple(audiences)

    def user_of(self, request: Request) -> User:
        """The user a request comes from; without credentials, the anonymous one. Raises Failure(401)."""
        if request.certificate:
            certified = certified_user(request.certificate)
            if certified is not None:
                return certified
        scheme, _, token = request.header("authorization").partition(" ")
        if scheme.lower() != "bearer" or not token.strip():
            if not self._anonymous:
                raise unauthorized()
            return ANONYMOUS
        try:
            return self.token(token.strip()).user
        except Unauthentic:
            raise unauthorized() from None

    def token(self, token: str, audiences: Sequence[str] = ()) -> Identified:
        """Whom a token names, and for which of `audiences` (of the server's own, when there are none).

        Raises Unauthentic.
        """
        wanted = tuple(audiences) or self.audiences
        user = self._tokens.get(token)
        if user is not None:
            return Identified(user, wanted)
        for source in self._sources:
            found = source.authenticate(token, wanted)
            if found is not None:
                return found
        raise Unauthentic("unknown token")


def certified_user(certificate: Mapping[str, Any]) -> User | None:
    """The user a client certificate names, as `ssl.SSLSocket.getpeercert` tells it: CN is the name, each O a group."""
    names: list[str] = []
    groups: list[str] = []
    for part in certificate.get("subject", ()):
        for kind, value in part:
            if kind == "commonName":
                names.append(value)
            elif kind == "organizationName":
                groups.append(value)
    return User(names[-1], "", (*groups, AUTHENTICATED)) if names and names[-1] else None


def refusal(user: User, info: RequestInfo, reason: str = "") -> Failure:
    """403, told as the real server tells it."""
    because = f": {reason}" if reason else ""
    if not info.is_resource:
        text = f'forbidden: User "{user.name}" cannot {info.verb} path "{info.path}"{because}'
        return failure(403, "Forbidden", text, {})
    resource = f"{info.resource}/{info.subresource}" if info.subresource else info.resource
    where = f'in the namespace "{info.namespace}"' if info.namespace else "at the cluster scope"
    why = f'User "{user.name}" cannot {info.verb} resource "{resource}" in API group "{info.group}" {where}{because}'
    return forbidden(info.group, info.resource, info.name, why)
