"""Acting as somebody else: whom the headers name, and whether who asks may.

Several modes are tried in turn. The constrained ones need two rights: to act as that kind of user at all
(`impersonate:MODE` on what is named), and to do this very thing while acting so (`impersonate-on:MODE:VERB` on what the
request is about). The old one needs the verb `impersonate` alone. When none allows it, the refusal is that of the first
mode that could have.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import NamedTuple
from urllib.parse import unquote

from k8srt.testing.apiserver.accounts import groups_of, split_username
from k8srt.testing.apiserver.auth import Authorizer, refusal
from k8srt.testing.apiserver.failures import Failure, bad_request
from k8srt.testing.apiserver.messages import Request
from k8srt.testing.apiserver.requests import RequestInfo
from k8srt.testing.apiserver.users import ANONYMOUS, AUTHENTICATED, MASTERS, UNAUTHENTICATED, User

_GROUP = "authentication.k8s.io"
_PREFIX = "impersonate-extra-"
_NODE = "system:node:"
_NODE_NAME = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_NODES = "system:nodes"
_NODE_OF = "authentication.kubernetes.io/node-name"
_MANY = 4  # from so many groups or extras on, the right to all of them is asked for first


def wanted_user(request: Request) -> User | None:
    """Whom the headers ask to act as, as they say it, or None. Raises Failure(400) without a user name."""
    if not any(name.startswith("impersonate-") for name in request.headers):
        return None
    user = User(
        request.header("impersonate-user"),
        request.header("impersonate-uid"),
        tuple(request.values("impersonate-group")),
        {
            unquote(name.removeprefix(_PREFIX)): tuple(request.values(name))
            for name in request.headers
            if name.startswith(_PREFIX)
        },
    )
    if user.name:
        return user
    if not user.uid and not user.groups and not user.extra:
        return None
    raise bad_request(f"requested {_as_go(user)} without impersonating a user name")


def _as_go(user: User) -> str:
    groups, extra = _go_list(user.groups), "map[string][]string(nil)"
    if user.extra:
        parts = [f'"{key}":{_go_list(values)}' for key, values in sorted(user.extra.items())]
        extra = f"map[string][]string{{{', '.join(parts)}}}"
    return f'&user.DefaultInfo{{Name:"", UID:"{user.uid}", Groups:{groups}, Extra:{extra}}}'


def _go_list(values: tuple[str, ...]) -> str:
    if not values:
        return "[]string(nil)"
    listed = ", ".join(f'"{value}"' for value in values)
    return f"[]string{{{listed}}}"


class _Mode(NamedTuple):
    """One way to be allowed; `applies` is asked about the wanted user and who asks."""

    name: str
    applies: Callable[[User, User], bool]


def _alone(wanted: User) -> bool:
    return not (wanted.uid or wanted.groups or wanted.extra)


def _node(name: str) -> str:
    """The node whose user this is, or the empty text."""
    node = name.removeprefix(_NODE)
    return node if node != name and _NODE_NAME.fullmatch(node) else ""


def _on_that_node(wanted: User, requestor: User) -> bool:
    node = _node(wanted.name)
    is_account = split_username(requestor.name) is not None
    return bool(node) and _alone(wanted) and is_account and requestor.extra.get(_NODE_OF) == (node,)


_MODES = (
    _Mode("associated-node", _on_that_node),
    _Mode("arbitrary-node", lambda wanted, _: _alone(wanted) and bool(_node(wanted.name))),
    _Mode("serviceaccount", lambda wanted, _: _alone(wanted) and split_username(wanted.name) is not None),
    _Mode("user-info", lambda wanted, _: not _node(wanted.name) and split_username(wanted.name) is None),
)


def impersonate(user: User, wanted: User, info: RequestInfo, authorizer: Authorizer) -> User:
    """Whom `user` becomes for a request. Raises Failure(403)."""
    first: Failure | None = None
    for mode in _MODES:
        if not mode.applies(wanted, user):
            continue
        try:
            _check(authorizer, user, replace(info, verb=f"impersonate-on:{mode.name}:{info.verb}"))
            return _become(authorizer, user, wanted, f"impersonate:{mode.name}", constrained=True)
        except Failure as err:
            first = first or err
    try:
        return _become(authorizer, user, wanted, "impersonate", constrained=False)
    except Failure as err:
        raise (first or err) from None


def _check(authorizer: Authorizer, user: User, asked: RequestInfo) -> None:
    if not authorizer.allows(user, asked):
        raise refusal(user, asked)


def _become(authorizer: Authorizer, user: User, wanted: User, verb: str, *, constrained: bool) -> User:
    groups = _check_name(authorizer, user, wanted, verb, _GROUP if constrained else "")
    if wanted.uid:
        _check(authorizer, user, RequestInfo(verb, "", _GROUP, "v1", "", "uids", "", wanted.uid))
    if constrained and MASTERS in wanted.groups:
        asked = RequestInfo(verb, "", _GROUP, "v1", "", "groups", "", MASTERS)
        raise refusal(user, asked, f"impersonating the {MASTERS} group is not allowed")
    for several in _beside_the_name(wanted, verb, _GROUP if constrained else ""):
        if constrained and len(several) >= _MANY and authorizer.allows(user, _every(several[0])):
            continue
        for each in several:
            _check(authorizer, user, each)
    added = AUTHENTICATED
    if wanted.name == ANONYMOUS.name or UNAUTHENTICATED in groups:
        added = UNAUTHENTICATED
    return User(wanted.name, wanted.uid, groups if added in groups else (*groups, added), wanted.extra)


def _check_name(authorizer: Authorizer, user: User, wanted: User, verb: str, group: str) -> tuple[str, ...]:
    """Check the right to a name; returns the groups that go with it."""
    version = "v1"
    asked = RequestInfo(verb, "", group, version, "", "users", "", wanted.name)
    groups = wanted.groups
    account, node = split_username(wanted.name), _node(wanted.name) if group else ""
    if node:
        name = "*" if verb == "impersonate:associated-node" else node
        asked = replace(asked, resource="nodes", name=name)
        groups = (_NODES,)
    if account is not None:
        asked = replace(asked, resource="serviceaccounts", namespace=account[0], name=account[1])
        groups = groups or groups_of(account[0])
    _check(authorizer, user, asked)
    return groups


def _beside_the_name(wanted: User, verb: str, group: str) -> Iterator[list[RequestInfo]]:
    yield [RequestInfo(verb, "", group, "v1", "", "groups", "", name) for name in wanted.groups]
    yield [
        RequestInfo(verb, "", _GROUP, "v1", "", "userextras", key, value)
        for key, values in wanted.extra.items()
        for value in values
    ]


def _every(asked: RequestInfo) -> RequestInfo:
    return replace(asked, name="*", subresource="*" if asked.subresource else "")
