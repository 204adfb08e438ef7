"""Paths, rules, configurations, and how webhooks get onto a server."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from k8srt.api.admissionregistration.v1 import MutatingWebhookConfiguration, ValidatingWebhookConfiguration
from k8srt.api.apps.v1 import Deployment
from k8srt.api.coordination.v1 import Lease
from k8srt.api.core.v1 import Node, Pod
from k8srt.controller import Manager
from k8srt.controller.webhook import (
    AdmissionWebhook,
    ConversionWebhook,
    HookRules,
    HTTPResponse,
    Target,
    WebhookServer,
    allowed,
    new_webhook_managed_by,
)
from k8srt.controller.webhook.handlers import ValidatorHandler
from k8srt.controller.webhook.registration import serve_defaulter, serve_validator
from k8srt.controller.webhook.rules import check_path, mutate_path, validate_path
from k8srt.controller.webhook.server import PathTaken
from k8srt.rest import Config
from tests.unit.controller.webhook.kinds import PartV1, TankV1
from tests.unit.controller.webhook.reviews import pod, request_of


@pytest.fixture
def server() -> WebhookServer:
    return WebhookServer(port=0)


def managed(server: WebhookServer) -> Any:
    return SimpleNamespace(webhook_server=server)


class Defaults:
    def default(self, obj: Any) -> None: ...


class Rules:
    def validate_create(self, obj: Any) -> None: ...
    def validate_update(self, old: Any, new: Any) -> None: ...


class AllRules(Rules):
    def validate_delete(self, obj: Any) -> None: ...


# ---- ADM-07


def test_adm_07_paths_are_made_of_the_kind() -> None:
    assert mutate_path(Deployment) == "/mutate-apps-v1-deployment"
    assert validate_path(TankV1) == "/validate-conv-test-v1-tank"
    assert validate_path(Pod) == "/validate--v1-pod"


@pytest.mark.parametrize("path", ["/", "/a", "/a/b-c_D9"])
def test_adm_07_custom_paths(path: str) -> None:
    assert check_path(path) == path


@pytest.mark.parametrize("path", ["", "a", "/a/", "//", "/a b", "/a?x", "/ä", "/a\n", None])
def test_adm_07_what_is_no_path_is_refused(path: Any, server: WebhookServer) -> None:
    with pytest.raises(ValueError, match="path"):
        server.register(path, AdmissionWebhook(lambda request: allowed()))
    with pytest.raises(ValueError, match="path"):
        new_webhook_managed_by(managed(server), Pod).with_validator_path(path)


def test_adm_07_a_path_that_is_served_stays_as_it_is(server: WebhookServer) -> None:
    new_webhook_managed_by(managed(server), Pod).with_validator(Rules()).complete()
    first = server.handler(validate_path(Pod))

    new_webhook_managed_by(managed(server), Pod).with_validator(AllRules()).complete()

    assert server.handler(validate_path(Pod)) is first


# ---- ADM-09


def test_adm_09_everything_for_a_kind(server: WebhookServer) -> None:
    def convert(src: Any, dst: Any) -> None: ...

    builder = new_webhook_managed_by(managed(server), Pod)
    builder.with_defaulter(Defaults()).with_validator(AllRules()).with_converter(convert)
    builder.with_defaulter_path("/defaults").recover_panic(False).with_options(timeout=3).complete()

    assert server.paths == ["/defaults", "/validate--v1-pod", "/convert"]
    validating = server.handler("/validate--v1-pod")
    assert isinstance(validating, AdmissionWebhook)
    assert validating.rules is not None
    assert (validating.rules.operations, validating.rules.timeout) == (("CREATE", "UPDATE", "DELETE"), 3)


def test_adm_09_a_convertible_kind_needs_nothing_else(server: WebhookServer) -> None:
    new_webhook_managed_by(managed(server), TankV1).complete()
    new_webhook_managed_by(managed(server), Pod).with_converter(lambda src, dst: None).complete()

    assert server.paths == ["/convert"]
    assert isinstance(server.handler("/convert"), ConversionWebhook)


def test_adm_09_what_does_not_fit_is_told(server: WebhookServer) -> None:
    with pytest.raises(ValueError, match="give a defaulter, a validator or a converter"):
        new_webhook_managed_by(managed(server), Pod).complete()
    with pytest.raises(ValueError, match="a validator already"):
        new_webhook_managed_by(managed(server), Pod).with_validator(Rules()).with_validator(Rules())
    with pytest.raises(TypeError, match="the defaulter is None"):
        new_webhook_managed_by(managed(server), Pod).with_defaulter(None)
    with pytest.raises(ValueError, match="no defaulter"):
        new_webhook_managed_by(managed(server), Pod).with_defaulter_path("/a").with_validator(Rules()).complete()
    with pytest.raises(ValueError, match="no validator"):
        new_webhook_managed_by(managed(server), Pod).with_validator_path("/a").with_defaulter(Defaults()).complete()
    with pytest.raises(ValueError, match="in part only"):
        new_webhook_managed_by(managed(server), PartV1).with_validator(Rules()).complete()
    with pytest.raises(ValueError, match="not the class of a resource"):
        new_webhook_managed_by(managed(server), dict)  # type: ignore[arg-type]
    assert server.paths == []


# ---- DEC-02


def test_dec_02_functions_become_webhooks_and_stay_as_they_are() -> None:
    manager = Manager(Config(host="http://127.0.0.1:1"))
    try:

        @manager.validate(Pod, failure_policy="Ignore")
        def check(pod: Pod) -> str:
            return f"seen {pod.metadata.name}"

        @manager.mutate(Pod, path="/own")
        def default(pod: Pod) -> None: ...

        @manager.convert(Pod)
        def convert(src: Any, dst: Any) -> None: ...

        assert manager.webhook_server.paths == ["/validate--v1-pod", "/own", "/convert"]
        assert check(Pod.from_dict(pod("a"))) == "seen a"
        with pytest.raises(PathTaken, match="/own is served already"):
            manager.mutate(Node, path="/own")(default)
    finally:
        manager.stop()


def test_mgr_16_the_webhook_server_is_made_when_asked_for_and_added_once() -> None:
    manager = Manager(Config(host="http://127.0.0.1:1"))
    try:
        assert "0 runnables" in repr(manager._life.groups["webhooks"])

        assert manager.webhook_server is manager.webhook_server

        assert "1 runnables" in repr(manager._life.groups["webhooks"])
        assert manager.webhook_server.need_leader_election is False
    finally:
        manager.stop()


@pytest.mark.parametrize(
    ("operation", "expected"), [("CREATE", ("new", None)), ("UPDATE", ("new", "old")), ("DELETE", ("old", "old"))]
)
def test_dec_02_a_validating_function_may_ask_for_the_object_before(
    server: WebhookServer, operation: str, expected: tuple[str, str | None]
) -> None:
    seen: list[Any] = []

    def one(obj: Pod) -> None:
        seen.append(obj.metadata.name)

    def two(obj: Pod, old: Pod | None) -> None:
        seen.append((obj.metadata.name, old and old.metadata.name))

    serve_validator(server, Pod, one, path="/one")
    serve_validator(server, Pod, two, path="/two")
    request = request_of(operation, pod("new"), None if operation == "CREATE" else pod("old"))

    for path in ("/one", "/two"):
        webhook = server.handler(path)
        assert isinstance(webhook, AdmissionWebhook)
        assert webhook.review(request).allowed
    assert seen == [expected[0], expected]


def test_dec_02_one_operation_needs_no_list(server: WebhookServer) -> None:
    serve_validator(server, Pod, lambda obj: None, operations="DELETE")

    (found,) = server.webhook_configurations("hooks", url="https://x")
    assert found.webhooks[0].rules[0].operations == ["DELETE"]


def test_dec_02_coroutines_are_refused(server: WebhookServer) -> None:
    async def check(obj: Pod) -> None: ...

    with pytest.raises(TypeError, match="plain function"):
        serve_validator(server, Pod, check)


# ---- WHS-02


def test_whs_02_a_path_is_taken_once(server: WebhookServer) -> None:
    server.register("/a", lambda request: HTTPResponse())

    with pytest.raises(PathTaken, match="/a is served already, by <handler <lambda>>"):
        server.register("/a", lambda request: HTTPResponse())
    with pytest.raises(TypeError, match="/b: a handler has handle"):
        server.register("/b", 7)  # type: ignore[arg-type]
    assert repr(server) == "<WebhookServer port 0: /a>"


# ---- WHS-01


def test_whs_01_the_usual_settings() -> None:
    server = WebhookServer()

    assert server.port == 9443
    assert str(server.certificates.certificate_path).endswith("/k8s-webhook-server/serving-certs/tls.crt")
    assert str(server.certificates.key_path).endswith("/k8s-webhook-server/serving-certs/tls.key")
    assert WebhookServer(port=-1).disabled
    with pytest.raises(ValueError, match="port"):
        WebhookServer(port=70000)
    with pytest.raises(ValueError, match="threads"):
        WebhookServer(threads=0)


# ---- ADM-11


def test_adm_11_configurations_are_built_of_what_is_registered(server: WebhookServer) -> None:
    serve_defaulter(server, Deployment, lambda obj: None, reinvocation_policy="IfNeeded", timeout=5)
    serve_validator(server, Node, lambda obj: None, operations=["DELETE"], object_selector={"app": "web"})
    server.register("/unasked", AdmissionWebhook(lambda request: allowed()))
    server.register("/convert", ConversionWebhook())

    mutating, validating = server.webhook_configurations("hooks", service="system/hooks:8443", ca_bundle=b"PEM")

    assert isinstance(mutating, MutatingWebhookConfiguration)
    assert isinstance(validating, ValidatingWebhookConfiguration)
    assert mutating.to_dict() == {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "MutatingWebhookConfiguration",
        "metadata": {"name": "hooks"},
        "webhooks": [
            {
                "name": "default.deployment.v1.apps",
                "admissionReviewVersions": ["v1", "v1beta1"],
                "clientConfig": {
                    "caBundle": "UEVN",
                    "service": {
                        "namespace": "system",
                        "name": "hooks",
                        "path": "/mutate-apps-v1-deployment",
                        "port": 8443,
                    },
                },
                "failurePolicy": "Fail",
                "matchPolicy": "Equivalent",
                "namespaceSelector": {
                    "matchExpressions": [
                        {"key": "kubernetes.io/metadata.name", "operator": "NotIn", "values": ["system"]}
                    ]
                },
                "reinvocationPolicy": "IfNeeded",
                "rules": [
                    {
                        "apiGroups": ["apps"],
                        "apiVersions": ["v1"],
                        "operations": ["CREATE", "UPDATE"],
                        "resources": ["deployments"],
                        "scope": "Namespaced",
                    }
                ],
                "sideEffects": "None",
                "timeoutSeconds": 5,
            }
        ],
    }
    (webhook,) = validating.webhooks
    assert (webhook.name, webhook.rules[0].operations) == ("validation.node.v1.core.k8s.io", ["DELETE"])
    assert webhook.object_selector.match_labels == {"app": "web"}
    assert webhook.namespace_selector is None
    assert webhook.client_config.service.path == "/validate--v1-node"


def test_adm_11_selectors_conditions_and_urls(server: WebhookServer) -> None:
    selector = {"matchExpressions": [{"key": "tier", "operator": "Exists"}]}
    conditions = ({"name": "not-jane", "expression": "request.userInfo.username != 'jane'"},)
    serve_validator(server, Pod, lambda obj: None, namespace_selector=selector, match_conditions=conditions)

    (found,) = server.webhook_configurations("hooks", url="https://127.0.0.1:9443/", namespace="mine")

    (webhook,) = found.webhooks
    assert webhook.client_config.url == "https://127.0.0.1:9443/validate--v1-pod"
    assert webhook.client_config.ca_bundle is None
    assert [each.key for each in webhook.namespace_selector.match_expressions] == [
        "tier",
        "kubernetes.io/metadata.name",
    ]
    assert webhook.match_conditions[0].expression == "request.userInfo.username != 'jane'"


@pytest.mark.parametrize(
    ("target", "text"),
    [
        ({}, "give one of them"),
        ({"service": "a/b", "url": "https://x"}, "give one of them"),
        ({"url": "http://x"}, "over https"),
        ({"service": "hooks"}, "namespace/name"),
        ({"service": "a/b:x"}, "namespace/name"),
    ],
)
def test_adm_11_a_target_that_cannot_be_is_told(target: dict[str, str], text: str) -> None:
    with pytest.raises(ValueError, match=text):
        Target(**target)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "options",
    [
        {"operations": ["create"]},
        {"operations": []},
        {"failure_policy": "Maybe"},
        {"side_effects": "Some"},
        {"timeout": 31},
        {"timeout": 0},
        {"match_policy": "x"},
        {"reinvocation_policy": "x"},
        {"scope": "x"},
        {"resources": ()},
    ],
)
def test_adm_11_rules_that_no_server_takes_are_refused_when_made(
    server: WebhookServer, options: dict[str, Any]
) -> None:
    with pytest.raises(ValueError):
        serve_validator(server, Pod, lambda obj: None, **options)
    assert server.paths == []


def test_adm_11_two_webhooks_of_one_name_and_names_of_one_word(server: WebhookServer) -> None:
    serve_validator(server, Pod, lambda obj: None, path="/a")
    serve_validator(server, Pod, lambda obj: None, path="/b")
    with pytest.raises(ValueError, match="two webhooks are called"):
        server.webhook_configurations("hooks", url="https://x")
    short = WebhookServer()
    serve_validator(short, Pod, lambda obj: None, name="short")
    with pytest.raises(ValueError, match="three words"):
        short.webhook_configurations("hooks", url="https://x")


# ---- ADM-12


@pytest.mark.parametrize(
    "rules",
    [
        {"groups": ("*",), "versions": ("*",), "resources": ("*",)},
        {"groups": ("",), "versions": ("v1",), "resources": ("*/*",)},
        {"groups": ("coordination.k8s.io",), "versions": ("v1",), "resources": ("leases",)},
    ],
)
def test_adm_12_what_endangers_a_cluster_is_refused(server: WebhookServer, rules: dict[str, Any]) -> None:
    made = HookRules(False, name="a.b.c", **rules)
    server.register("/a", AdmissionWebhook(lambda request: allowed(), rules=made))

    with pytest.raises(ValueError, match="i_know=True"):
        server.webhook_configurations("hooks", service="system/hooks")

    (found,) = server.webhook_configurations("hooks", service="system/hooks", i_know=True)
    assert found.webhooks[0].namespace_selector is None


def test_adm_12_leases_by_their_class(server: WebhookServer) -> None:
    server.register("/a", AdmissionWebhook(ValidatorHandler(Lease, Rules())))
    serve_validator(server, Lease, lambda obj: None)

    with pytest.raises(ValueError, match="for leases"):
        server.webhook_configurations("hooks", url="https://x")
