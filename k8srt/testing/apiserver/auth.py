"""Who asks, and whether they may: tokens, users, and a seam for the authorizers."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from k8srt.errors import ConfigError
from k8srt.testing.apiserver.failures import Failure, bad_request, failure, forbidden, unauthorized
from k8srt.testing.apiserver.messages import Request
from k8srt.testing.apiserver.requests import RequestInfo

AUTHENTICATED, UNAUTHENTICATED = "system:authenticated", "system:unauthenticated"


@dataclass(frozen=True, slots=True)
class User:
    """Somebody, as the server knows them."""

    name: str
    uid: str = ""
    groups: tuple[str, ...] = ()
    extra: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


ANONYMOUS = User("system:anonymous", "", (UNAUTHENTICATED,))


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


def authenticate(request: Request, tokens: Mapping[str, User]) -> User:
    """The user a request comes from; without credentials, the anonymous one. Raises Failure(401)."""
    header = request.header("authorization")
    if not header:
        return ANONYMOUS
    scheme, _, token = header.partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        return ANONYMOUS
    user = tokens.get(token.strip())
    if user is None:
        raise unauthorized()
    return user


def impersonated(user: User, request: Request) -> User | None:
    """Whom the headers ask to act as, or None. Raises Failure(400) for groups without a user."""
    name = request.header("impersonate-user")
    groups = tuple(each.strip() for each in request.header("impersonate-group").split(",") if each.strip())
    extra = {
        key.removeprefix("impersonate-extra-"): (value,)
        for key, value in request.headers.items()
        if key.startswith("impersonate-extra-")
    }
    if not name and not groups and not extra:
        return None
    if not name:
        listed = ", ".join(f'"{group}"' for group in groups)
        raise bad_request(
            f'requested &user.DefaultInfo{{Name:"", UID:"", Groups:[]string{{{listed}}}, '
            "Extra:map[string][]string(nil)} without impersonating a user name"
        )
    if not groups and name.startswith("system:serviceaccount:"):
        namespace = name.split(":")[2]
        groups = ("system:serviceaccounts", f"system:serviceaccounts:{namespace}")
    if name != ANONYMOUS.name and AUTHENTICATED not in groups:
        groups = (*groups, AUTHENTICATED)
    return User(name, request.header("impersonate-uid"), groups, extra)


def refusal(user: User, info: RequestInfo) -> Failure:
    """403, told as the real server tells it."""
    if not info.is_resource:
        text = f'forbidden: User "{user.name}" cannot {info.verb} path "{info.path}"'
        return failure(403, "Forbidden", text, {})
    resource = f"{info.resource}/{info.subresource}" if info.subresource else info.resource
    where = f'in the namespace "{info.namespace}"' if info.namespace else "at the cluster scope"
    why = f'User "{user.name}" cannot {info.verb} resource "{resource}" in API group "{info.group}" {where}'
    return forbidden(info.group, info.resource, info.name, why)
