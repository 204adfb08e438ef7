"""Acting as others: which rights are asked for, and whose refusal is told."""

from __future__ import annotations

import pytest

from k8srt.testing.apiserver.auth import User
from k8srt.testing.apiserver.failures import Failure
from k8srt.testing.apiserver.impersonation import impersonate, wanted_user
from k8srt.testing.apiserver.messages import Request
from k8srt.testing.apiserver.requests import RequestInfo

GET = RequestInfo("get", "/api/v1/namespaces/ns/pods/p", "", "v1", "ns", "pods", "", "p")
NODE = "system:node:n1"
ON_N1 = User("system:serviceaccount:ns:agent", "", ("g",), {"authentication.kubernetes.io/node-name": ("n1",)})


class Rights:
    """Allows what is listed, as "verb resource/subresource name", and notes what it was asked."""

    def __init__(self, *allowed: str) -> None:
        self._allowed = allowed
        self.asked: list[str] = []

    def allows(self, user: User, info: RequestInfo) -> bool:
        resource = f"{info.resource}/{info.subresource}" if info.subresource else info.resource
        where = f"{info.namespace}/{info.name}" if info.namespace else info.name
        self.asked.append(f"{info.verb} {resource} {where}")
        return any(self.asked[-1].startswith(each) for each in self._allowed)


def test_the_constrained_modes_come_first_and_the_old_one_last() -> None:
    rights = Rights("impersonate users jane")

    became = impersonate(User("bot"), User("jane"), GET, rights)

    assert became == User("jane", "", ("system:authenticated",))
    assert rights.asked == ["impersonate-on:user-info:get pods ns/p", "impersonate users jane"]


@pytest.mark.parametrize(
    ("wanted", "user", "first", "second", "groups"),
    [
        (NODE, ON_N1, "impersonate-on:associated-node:get pods", "impersonate:associated-node nodes *",
         ("system:nodes",)),
        (NODE, User("bot"), "impersonate-on:arbitrary-node:get pods", "impersonate:arbitrary-node nodes n1",
         ("system:nodes",)),
        ("system:serviceaccount:a:b", User("bot"), "impersonate-on:serviceaccount:get pods",
         "impersonate:serviceaccount serviceaccounts a/b",
         ("system:serviceaccounts", "system:serviceaccounts:a")),
        ("jane", User("bot"), "impersonate-on:user-info:get pods", "impersonate:user-info users jane", ()),
    ],
)  # fmt: skip
def test_each_kind_of_user_has_its_mode(
    wanted: str, user: User, first: str, second: str, groups: tuple[str, ...]
) -> None:
    became = impersonate(user, User(wanted), GET, Rights(first, second))

    assert became.groups == (*groups, "system:authenticated")
    for half in (first, second):
        with pytest.raises(Failure):
            impersonate(user, User(wanted), GET, Rights(half))


def test_the_first_refusal_is_told() -> None:
    with pytest.raises(Failure, match='User "bot" cannot impersonate-on:user-info:get resource "pods"'):
        impersonate(User("bot"), User("jane"), GET, Rights())
    with pytest.raises(Failure, match='User "bot" cannot impersonate:user-info resource "users"'):
        impersonate(User("bot"), User("jane"), GET, Rights("impersonate-on:"))
    with pytest.raises(Failure, match=r'cannot impersonate resource "serviceaccounts" .* in the namespace "a"'):
        impersonate(User("bot"), User("system:serviceaccount:a:b", "7"), GET, Rights())


def test_everything_beside_the_name_is_asked_for() -> None:
    rights = Rights("impersonate")

    impersonate(User("bot"), User("jane", "7", ("dev",), {"scope": ("a", "b")}), GET, rights)

    assert rights.asked[1:] == [
        "impersonate:user-info users jane",
        "impersonate:user-info uids 7",
        "impersonate:user-info groups dev",
        "impersonate:user-info userextras/scope a",
        "impersonate:user-info userextras/scope b",
    ]


def test_of_many_the_right_to_all_is_asked_for_first() -> None:
    rights = Rights("impersonate-on:", "impersonate:user-info users", "impersonate:user-info groups *")

    impersonate(User("bot"), User("jane", "", tuple("abcd")), GET, rights)

    assert rights.asked[-1] == "impersonate:user-info groups *"


def test_nobody_becomes_a_master_by_a_constrained_mode() -> None:
    masters = User("jane", "", ("system:masters",))

    with pytest.raises(Failure, match="impersonating the system:masters group is not allowed"):
        impersonate(User("bot"), masters, GET, Rights("impersonate-on:", "impersonate:"))
    assert impersonate(User("bot"), masters, GET, Rights("impersonate ")).groups[0] == "system:masters"


def test_the_anonymous_one_stays_unauthenticated() -> None:
    became = impersonate(User("bot"), User("system:anonymous"), GET, Rights("impersonate"))

    assert became.groups == ("system:unauthenticated",)


def test_headers_are_read_as_they_are_sent() -> None:
    headers = {
        "impersonate-user": "jane",
        "impersonate-group": "a\nb, c",
        "impersonate-extra-example.com%2fscope": "1\n2",
    }

    found = wanted_user(Request("GET", "/", headers))

    assert found == User("jane", "", ("a", "b, c"), {"example.com/scope": ("1", "2")})


def test_headers_without_a_user_are_refused_in_the_words_of_a_real_server() -> None:
    with pytest.raises(Failure) as caught:
        wanted_user(Request("GET", "/", {"impersonate-uid": "7", "impersonate-extra-k": "v"}))

    assert str(caught.value) == (
        'requested &user.DefaultInfo{Name:"", UID:"7", Groups:[]string(nil), '
        'Extra:map[string][]string{"k":[]string{"v"}}} without impersonating a user name'
    )
