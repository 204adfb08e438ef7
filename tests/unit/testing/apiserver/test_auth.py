"""Tokens, impersonation, and rules of access."""

from __future__ import annotations

from pathlib import Path

import pytest

from k8srt.errors import ConfigError
from k8srt.testing.apiserver.auth import (
    ANONYMOUS,
    AUTHENTICATED,
    AlwaysAllow,
    Authenticator,
    User,
    read_token_file,
)
from k8srt.testing.apiserver.failures import Failure
from k8srt.testing.apiserver.impersonation import impersonate, wanted_user
from k8srt.testing.apiserver.messages import Request
from k8srt.testing.apiserver.rbac import covers
from k8srt.testing.apiserver.requests import RequestInfo


def test_a_token_file_names_users_and_groups(tmp_path: Path):
    path = tmp_path / "tokens"
    path.write_text('t1,alice,2,"dev,ops"\nt2,bob,3\n')

    users = read_token_file(path)

    assert users["t1"] == User("alice", "2", ("dev", "ops", AUTHENTICATED))
    assert users["t2"].groups == (AUTHENTICATED,)


def test_a_broken_token_file_is_told_without_its_tokens(tmp_path: Path):
    path = tmp_path / "tokens"
    path.write_text("secret,alice\n")

    with pytest.raises(ConfigError, match="line 1") as caught:
        read_token_file(path)

    assert "secret" not in str(caught.value)


def test_who_asks():
    users = {"t": User("alice")}

    def who(header: str) -> User:
        return Authenticator(users).user_of(Request("GET", "/", {"authorization": header}))

    assert who("Bearer t").name == "alice"
    assert who("") is ANONYMOUS
    assert who("Bearer ") is ANONYMOUS
    with pytest.raises(Failure) as caught:
        who("Bearer wrong")
    assert caught.value.code == 401


def test_whom_to_act_as():
    wanted = wanted_user(Request("GET", "/", {"impersonate-user": "system:serviceaccount:ns:bot"}))
    assert wanted is not None

    user = impersonate(User("admin"), wanted, RequestInfo("get", "/"), AlwaysAllow())

    assert user.groups == ("system:serviceaccounts", "system:serviceaccounts:ns", AUTHENTICATED)
    assert wanted_user(Request("GET", "/", {})) is None
    with pytest.raises(Failure):
        wanted_user(Request("GET", "/", {"impersonate-group": "g"}))


@pytest.mark.parametrize(
    ("rule", "info", "allowed"),
    [
        ({"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}, ("get", "", "pods", "", "a"), True),
        ({"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}, ("list", "", "pods", "", ""), False),
        ({"apiGroups": [""], "resources": ["pods"], "verbs": ["*"]}, ("get", "", "pods", "log", "a"), False),
        ({"apiGroups": [""], "resources": ["pods/log"], "verbs": ["*"]}, ("get", "", "pods", "log", "a"), True),
        ({"apiGroups": ["*"], "resources": ["*/scale"], "verbs": ["*"]}, ("get", "apps", "x", "scale", "a"), True),
        ({"apiGroups": [""], "resources": ["pods"], "verbs": ["get"], "resourceNames": ["b"]},
         ("get", "", "pods", "", "a"), False),
    ],
)  # fmt: skip
def test_rules_cover_what_they_name(rule, info, allowed):
    verb, group, resource, subresource, name = info

    assert covers(rule, RequestInfo(verb, "", group, "v1", "ns", resource, subresource, name)) is allowed


def test_rules_for_paths():
    rule = {"nonResourceURLs": ["/healthz", "/metrics/*"], "verbs": ["get"]}

    assert covers(rule, RequestInfo("get", "/healthz"))
    assert covers(rule, RequestInfo("get", "/metrics/x"))
    assert not covers(rule, RequestInfo("get", "/version"))
