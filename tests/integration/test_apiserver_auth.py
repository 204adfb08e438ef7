"""Who may do what on the embedded server: certificates, roles, acting as others, and the reviews that tell."""

from __future__ import annotations

import dataclasses
import ssl
import urllib.request
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from k8srt import errors
from k8srt.api.authentication.v1 import SelfSubjectReview
from k8srt.errors import ConfigError
from k8srt.kubernetes import Clientset
from k8srt.rest import Config
from k8srt.rest.config import ImpersonationConfig
from k8srt.testing import APIServer
from k8srt.tools.clientcmd import rest_config_from_kubeconfig
from tests.integration.apiserver import Client
from tests.integration.wire import Authority

pytestmark = pytest.mark.embedded

RBAC = "rbac.authorization.k8s.io"
ROLES = f"/apis/{RBAC}/v1/namespaces/default/roles"
BINDINGS = f"/apis/{RBAC}/v1/namespaces/default/rolebindings"
CLUSTER_ROLES = f"/apis/{RBAC}/v1/clusterroles"


@pytest.fixture
def server() -> Iterator[APIServer]:
    with APIServer(authorization_mode="RBAC") as server:
        yield server


@pytest.fixture
def admin(server: APIServer) -> Iterator[Clientset]:
    with Clientset(server.config) as cs:
        yield cs


def who(config: Config) -> Any:
    with Clientset(config) as cs:
        return cs.authentication_v1.self_subject_reviews().create(SelfSubjectReview()).status.user_info


def grant(admin: Clientset, user: str, rules: list[Any], *, namespace: str = "", kind: str = "User") -> None:
    name = f"{user}-{namespace}"
    subjects = [{"kind": kind, "name": user, "apiGroup": RBAC}]
    if namespace:
        admin.rbac_v1.roles(namespace).create({"metadata": {"name": name}, "rules": rules})
        ref = {"kind": "Role", "name": name, "apiGroup": RBAC}
        admin.rbac_v1.role_bindings(namespace).create(
            {"metadata": {"name": name}, "subjects": subjects, "roleRef": ref}
        )
        return
    admin.rbac_v1.cluster_roles().create({"metadata": {"name": name}, "rules": rules})
    ref = {"kind": "ClusterRole", "name": name, "apiGroup": RBAC}
    admin.rbac_v1.cluster_role_bindings().create({"metadata": {"name": name}, "subjects": subjects, "roleRef": ref})


# ---- certificates


@pytest.mark.skipif(find_spec("cryptography") is None, reason="certificates are made with cryptography")
class TestCertificates:
    def test_a_server_makes_its_own(self) -> None:
        with APIServer(tls=True) as server:
            config = rest_config_from_kubeconfig(server.kubeconfig().encode())

            assert server.url.startswith("https://127.0.0.1:")
            assert who(server.config).username == "system:admin"
            assert who(config).groups == ["system:masters", "system:authenticated"]
            with pytest.raises(urllib.error.URLError, match="CERTIFICATE_VERIFY_FAILED"):
                urllib.request.urlopen(f"{server.url}/version", context=ssl.create_default_context())

    def test_a_client_is_who_its_certificate_says(self) -> None:
        with APIServer(tls=True, authorization_mode="RBAC") as server:
            pair = server.client_certificate("jane", "dev", "ops")
            tls = dataclasses.replace(server.config.tls, cert_data=pair.certificate, key_data=pair.key)
            config = dataclasses.replace(server.config, bearer_token="", tls=tls)

            assert who(config).username == "jane"
            assert who(config).groups == ["dev", "ops", "system:authenticated"]
            assert who(dataclasses.replace(config, bearer_token=server.token)).username == "jane"  # it comes first
            with Clientset(config) as cs, pytest.raises(errors.Forbidden, match='User "jane" cannot list'):
                cs.core_v1.pods("default").list()

    def test_a_certificate_of_somebody_else_is_not_taken(self) -> None:
        pair = Authority().issue(common_name="jane")
        with APIServer(tls=True) as server:
            tls = dataclasses.replace(server.config.tls, cert_data=pair.certificate, key_data=pair.key)
            config = dataclasses.replace(server.config, tls=tls)

            with Clientset(config) as cs, pytest.raises(errors.TransportError):
                cs.core_v1.pods("default").list()

    def test_an_authority_can_be_given(self, tmp_path: Path) -> None:
        authority = Authority()
        (tmp_path / "ca.crt").write_bytes(authority.certificate)
        pair = authority.issue(common_name="jane")
        with APIServer(tls=True, client_ca=str(tmp_path / "ca.crt")) as server:
            tls = dataclasses.replace(server.config.tls, cert_data=pair.certificate, key_data=pair.key)

            assert who(dataclasses.replace(server.config, bearer_token="", tls=tls)).username == "jane"
            with pytest.raises(ConfigError, match="issues no client certificates"):
                server.client_certificate("jane")

    def test_what_cannot_be_is_told(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        (tmp_path / "none.crt").write_text("nothing")

        with pytest.raises(ConfigError, match=r"client_ca .*none\.crt"):
            APIServer(tls=True, client_ca=str(tmp_path / "none.crt"))
        with pytest.raises(ConfigError, match=r"client_ca .*missing: No such file"):
            APIServer(tls=True, client_ca=str(tmp_path / "missing"))
        with pytest.raises(ConfigError, match="client certificates need HTTPS"):
            APIServer(client_ca=str(tmp_path / "none.crt"))
        with pytest.raises(ConfigError, match="a certificate is given"):
            APIServer(tls=True, certificate=str(tmp_path / "none.crt"))
        with pytest.raises(ConfigError, match=r"certificate .*none\.crt"):
            APIServer(certificate=str(tmp_path / "none.crt"))
        monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
        with pytest.raises(ConfigError, match=r"pip install 'k8srt\[tls\]'"):
            APIServer(tls=True)


# ---- who nobody is


def test_anonymous_can_be_refused() -> None:
    with APIServer() as open_to_all, APIServer(anonymous=False) as closed:
        nobody = {"bearer_token": ""}
        assert who(dataclasses.replace(open_to_all.config, **nobody)).username == "system:anonymous"
        with pytest.raises(errors.Unauthorized):
            who(dataclasses.replace(closed.config, **nobody))


def test_users_are_made_for_tests(server: APIServer) -> None:
    found = who(server.config_for("jane", "dev", uid="7"))

    assert (found.username, found.uid, found.groups) == ("jane", "7", ["dev", "system:authenticated"])
    with pytest.raises(ValueError):
        server.config_for("")


# ---- roles


def test_the_default_roles_are_there_and_gathered(admin: Clientset) -> None:
    roles = {role.metadata.name: role for role in admin.rbac_v1.cluster_roles().list().items}

    def verbs(role: str, resource: str) -> set[str]:
        rules = [rule for rule in roles[role].rules if resource in (rule.resources or [])]
        return {verb for rule in rules for verb in rule.verbs}

    assert verbs("view", "secrets") == set()
    assert "create" in verbs("edit", "deployments")
    assert verbs("edit", "roles") == set()
    assert "create" in verbs("admin", "roles")
    assert verbs("view", "pods") <= verbs("edit", "pods") <= verbs("admin", "pods")
    assert roles["system:public-info-viewer"].rules[0].verbs == ["get"]


@pytest.mark.parametrize("role", ["view", "edit", "admin"])
def test_a_role_of_ones_own_widens_the_default_ones(server: APIServer, admin: Clientset, role: str) -> None:
    jane = server.config_for("jane")
    ref = {"kind": "ClusterRole", "name": role, "apiGroup": RBAC}
    subjects = [{"kind": "User", "name": "jane", "apiGroup": RBAC}]
    admin.rbac_v1.role_bindings("default").create({"metadata": {"name": "b"}, "subjects": subjects, "roleRef": ref})
    rules = [{"apiGroups": ["example.com"], "resources": ["widgets"], "verbs": ["list"]}]
    labels = {f"{RBAC}/aggregate-to-view": "true"}

    admin.rbac_v1.cluster_roles().create({"metadata": {"name": "widgets", "labels": labels}, "rules": rules})

    admin.rbac_v1.cluster_roles().wait(role, lambda found: "widgets" in str(found.to_dict()["rules"]), timeout=10.0)
    assert can(jane, "list", "widgets.example.com")
    assert not can(jane, "delete", "widgets.example.com")
    assert can(jane, "list", "pods")
    assert can(jane, "create", "pods") is (role != "view")
    assert not can(jane, "list", "pods", namespace="kube-system")


def can(config: Config, verb: str, resource: str, namespace: str = "default") -> bool:
    plural, _, group = resource.partition(".")
    asked = {"verb": verb, "resource": plural, "group": group, "namespace": namespace}
    with Clientset(config) as cs:
        reviews = cs.authorization_v1.self_subject_access_reviews()
        allowed: bool = reviews.create({"spec": {"resourceAttributes": asked}}).status.allowed
    return allowed


def test_changes_of_roles_hold_at_once(server: APIServer, admin: Clientset) -> None:
    jane = server.config_for("jane")
    rules = [{"apiGroups": [""], "resources": ["pods"], "verbs": ["list"]}]

    assert not can(jane, "list", "pods")
    grant(admin, "jane", rules, namespace="default")
    assert can(jane, "list", "pods")
    role = admin.rbac_v1.roles("default").get("jane-default")
    role.rules[0].verbs = ["get"]
    admin.rbac_v1.roles("default").update(role)
    assert not can(jane, "list", "pods")
    assert can(jane, "get", "pods")
    admin.rbac_v1.role_bindings("default").delete("jane-default")
    assert not can(jane, "get", "pods")


def test_nobody_grants_what_they_have_not(server: APIServer, admin: Clientset) -> None:
    mine = [
        {"apiGroups": [RBAC], "resources": ["roles", "rolebindings"], "verbs": ["*"]},
        {"apiGroups": [""], "resources": ["pods"], "verbs": ["get", "list"]},
    ]
    grant(admin, "jane", [mine[0] | {"verbs": ["create", "update", "get"]}, mine[1]], namespace="default")
    with Client(server, server.config_for("jane").bearer_token) as jane:

        def role(*rules: Any) -> Any:
            return jane.post(ROLES, {"metadata": {"name": "r"}, "rules": list(rules)})

        pods = {"apiGroups": [""], "resources": ["pods"]}
        refused = role({**pods, "verbs": ["get", "delete", "watch"]}, {**pods, "verbs": ["create"]})
        assert refused.status == 403
        assert refused.body["message"].endswith(
            "is attempting to grant RBAC permissions not currently held:\n"
            '{APIGroups:[""], Resources:["pods"], Verbs:["delete" "watch" "create"]}'
        )
        assert role({**pods, "verbs": ["get"], "resourceNames": ["a"]}).status == 201

        binding = {
            "metadata": {"name": "b"},
            "subjects": [{"kind": "User", "name": "jane", "apiGroup": RBAC}],
            "roleRef": {"kind": "ClusterRole", "name": "view", "apiGroup": RBAC},
        }
        assert jane.post(BINDINGS, binding).status == 403
        missing = {**binding, "roleRef": {"kind": "Role", "name": "none", "apiGroup": RBAC}}
        assert jane.post(BINDINGS, missing).status == 404


def test_escalate_and_bind_lift_that(server: APIServer, admin: Clientset) -> None:
    rules = [
        {"apiGroups": [RBAC], "resources": ["clusterroles"], "verbs": ["create", "escalate"]},
        {"apiGroups": [RBAC], "resources": ["clusterroles"], "verbs": ["bind"], "resourceNames": ["view"]},
        {"apiGroups": [RBAC], "resources": ["rolebindings"], "verbs": ["create"]},
    ]
    grant(admin, "jane", rules)
    with Client(server, server.config_for("jane").bearer_token) as jane:
        all_of_it = [{"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}]
        assert jane.post(CLUSTER_ROLES, {"metadata": {"name": "big"}, "rules": all_of_it}).status == 201

        def bind(role: str) -> int:
            ref = {"kind": "ClusterRole", "name": role, "apiGroup": RBAC}
            return jane.post(BINDINGS, {"metadata": {"name": role}, "subjects": [], "roleRef": ref}).status

        assert (bind("view"), bind("edit")) == (201, 403)


def test_a_gathered_role_needs_all_rights(server: APIServer, admin: Clientset) -> None:
    grant(admin, "jane", [{"apiGroups": [RBAC], "resources": ["clusterroles"], "verbs": ["create"]}])
    with Client(server, server.config_for("jane").bearer_token) as jane:
        gathering = {"clusterRoleSelectors": [{"matchLabels": {"a": "b"}}]}

        refused = jane.post(CLUSTER_ROLES, {"metadata": {"name": "g"}, "aggregationRule": gathering, "rules": None})

        assert refused.status == 403
        assert '{NonResourceURLs:["*"], Verbs:["*"]}' in refused.body["message"]


# ---- acting as others


def acting(config: Config, user: str, **more: Any) -> Config:
    return dataclasses.replace(config, impersonate=ImpersonationConfig(username=user, **more))


def test_acting_as_others_takes_over_all_they_are(server: APIServer) -> None:
    config = acting(server.config, "jane", uid="7", groups=("dev", "ops, all"), extra={"Example.com/scope": ("a", "b")})

    found = who(config)

    assert (found.username, found.uid) == ("jane", "7")
    assert found.groups == ["dev", "ops, all", "system:authenticated"]
    assert found.extra == {"example.com/scope": ["a", "b"]}


def test_acting_as_others_by_the_old_right(server: APIServer, admin: Clientset) -> None:
    rules = [
        {"apiGroups": [""], "resources": ["users"], "verbs": ["impersonate"], "resourceNames": ["jane"]},
        {"apiGroups": [""], "resources": ["groups"], "verbs": ["impersonate"], "resourceNames": ["dev"]},
        {"apiGroups": ["authentication.k8s.io"], "resources": ["userextras/scope"], "verbs": ["impersonate"]},
    ]
    grant(admin, "bot", rules)
    bot = server.config_for("bot")

    assert who(acting(bot, "jane", groups=("dev",), extra={"scope": ("a",)})).username == "jane"
    for wrong in (
        acting(bot, "john"),
        acting(bot, "jane", groups=("ops",)),
        acting(bot, "jane", groups=("system:masters",)),
        acting(bot, "jane", extra={"other": ("a",)}),
        acting(bot, "jane", uid="1"),
        acting(bot, "system:serviceaccount:default:default"),
    ):
        with pytest.raises(errors.Forbidden):
            who(wrong)


def test_acting_as_others_for_one_thing_only(server: APIServer, admin: Clientset) -> None:
    grant(
        admin,
        "bot",
        [
            {"apiGroups": ["authentication.k8s.io"], "resources": ["users"], "verbs": ["impersonate:user-info"],
             "resourceNames": ["jane"]},
            {"apiGroups": [""], "resources": ["pods"], "verbs": ["impersonate-on:user-info:list"]},
        ],
    )  # fmt: skip
    pods = [{"apiGroups": [""], "resources": ["pods"], "verbs": ["list", "get"]}]
    grant(admin, "jane", pods, namespace="default")
    bot = server.config_for("bot")

    with Clientset(acting(bot, "jane")) as cs:
        cs.core_v1.pods("default").list()
        with pytest.raises(errors.Forbidden, match='User "bot" cannot impersonate-on:user-info:get resource "pods"'):
            cs.core_v1.pods("default").get("a")
        with pytest.raises(errors.Forbidden, match='User "jane" cannot list'):
            cs.core_v1.pods("kube-system").list()
    with (
        Clientset(acting(bot, "john")) as cs,
        pytest.raises(errors.Forbidden, match=r'users.* "john" is forbidden'),
    ):
        cs.core_v1.pods("default").list()


def test_editors_act_as_service_accounts_of_their_namespace(server: APIServer, admin: Clientset) -> None:
    ref = {"kind": "ClusterRole", "name": "edit", "apiGroup": RBAC}
    subjects = [{"kind": "Group", "name": "dev", "apiGroup": RBAC}]
    admin.rbac_v1.role_bindings("default").create({"metadata": {"name": "b"}, "subjects": subjects, "roleRef": ref})
    jane = server.config_for("jane", "dev")

    found = who(acting(jane, "system:serviceaccount:default:robot"))

    assert found.groups == ["system:serviceaccounts", "system:serviceaccounts:default", "system:authenticated"]
    with pytest.raises(errors.Forbidden):
        who(acting(jane, "system:serviceaccount:kube-system:robot"))


# ---- reviews


def test_reviews_tell_why(server: APIServer, admin: Clientset) -> None:
    rules = [{"apiGroups": [""], "resources": ["pods"], "verbs": ["list"]}]
    grant(admin, "dev", rules, namespace="default", kind="Group")
    asked = {"verb": "list", "resource": "pods", "namespace": "default"}
    reviews = admin.authorization_v1.subject_access_reviews()

    found = reviews.create({"spec": {"user": "jane", "groups": ["dev"], "resourceAttributes": asked}}).status

    assert found.allowed
    assert found.reason == 'RBAC: allowed by RoleBinding "dev-default/default" of Role "dev-default" to Group "dev"'
    assert not reviews.create({"spec": {"user": "jane", "resourceAttributes": asked}}).status.allowed
    path = {"verb": "get", "path": "/healthz"}
    assert reviews.create(
        {"spec": {"groups": ["system:unauthenticated"], "nonResourceAttributes": path}}
    ).status.allowed


@pytest.mark.parametrize(
    ("kind", "spec", "field"),
    [
        ("subject", {"user": "u"}, "spec.resourceAttributes"),
        ("subject", {"resourceAttributes": {"verb": "get"}}, "spec.user"),
        ("subject", {"user": "u", "resourceAttributes": {}, "nonResourceAttributes": {}}, "spec.nonResourceAttributes"),
        ("self", {}, "spec.resourceAttributes"),
        ("local", {"user": "u", "resourceAttributes": {"namespace": "other"}}, "spec.resourceAttributes.namespace"),
        ("local", {"user": "u", "nonResourceAttributes": {"path": "/"}}, "spec.nonResourceAttributes"),
    ],
)
def test_reviews_that_ask_nothing_sensible(admin: Clientset, kind: str, spec: Any, field: str) -> None:
    api = admin.authorization_v1
    reviews: Any = {
        "subject": api.subject_access_reviews(),
        "self": api.self_subject_access_reviews(),
        "local": api.local_subject_access_reviews("default"),
    }[kind]

    with pytest.raises(errors.Invalid) as caught:
        reviews.create({"spec": spec})

    assert [cause.field for cause in caught.value.status.details.causes] == [field]


def test_rules_reviews_list_what_one_may(server: APIServer, admin: Clientset) -> None:
    rules = [{"apiGroups": [""], "resources": ["pods"], "verbs": ["list"]}]
    grant(admin, "jane", rules, namespace="default")
    spec = {"spec": {"namespace": "default"}}

    with Clientset(server.config_for("jane")) as cs:
        reviews = cs.authorization_v1.self_subject_rules_reviews()
        mine = reviews.create(spec).status
        with pytest.raises(errors.BadRequest, match="no namespace on request"):
            reviews.create({"spec": {}})
    all_of_it = admin.authorization_v1.self_subject_rules_reviews().create(spec).status

    assert ["pods"] in [rule.resources for rule in mine.resource_rules]
    assert not mine.incomplete
    assert all_of_it.resource_rules[0].verbs == ["*"]


def test_an_apply_or_an_update_that_makes_an_object_needs_the_right_to_create(
    server: APIServer, admin: Clientset
) -> None:
    groups, resources = ["", "coordination.k8s.io"], ["configmaps", "leases"]
    rules = [{"apiGroups": groups, "resources": resources, "verbs": ["patch", "update"]}]
    grant(admin, "writer", rules, namespace="default")
    lease = {"metadata": {"name": "l"}, "spec": {"holderIdentity": "me"}}

    with Clientset(server.config_for("writer")) as cs:
        maps, leases = cs.core_v1.config_maps("default"), cs.coordination_v1.leases("default")
        with pytest.raises(errors.Forbidden, match='configmaps "a" is forbidden: User "writer" cannot create resource'):
            maps.apply({"metadata": {"name": "a"}}, field_manager="me")
        with pytest.raises(errors.Forbidden, match='User "writer" cannot create resource "leases"'):
            leases.update(lease)

        role = admin.rbac_v1.roles("default").get("writer-default")
        role.rules[0].verbs.append("create")
        admin.rbac_v1.roles("default").update(role)
        maps.apply({"metadata": {"name": "a"}}, field_manager="me")
        leases.update(lease)
