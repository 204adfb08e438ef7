"""Admission and conversion webhooks of the embedded server, called over HTTPS."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from k8srt import errors
from k8srt.apimachinery.schema import GroupVersionResource
from k8srt.dynamic import DynamicClient
from k8srt.testing import APIServer
from tests.integration.webhooks import JSON, WebhookServer, allow, configuration, hook, label, patch
from tests.integration.wire import Authority

pytestmark = pytest.mark.embedded

pytest.importorskip("cryptography")


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority()


@pytest.fixture
def hooks(authority: Authority, tmp_path: Path) -> Iterator[WebhookServer]:
    with WebhookServer(authority, tmp_path) as server:
        yield server


@pytest.fixture
def server(hooks: WebhookServer) -> Iterator[APIServer]:
    with APIServer(webhook_services={"default/hooks": f"127.0.0.1:{hooks.port}"}) as running:
        yield running


@pytest.fixture
def client(server: APIServer) -> Iterator[DynamicClient]:
    with DynamicClient(server.config) as made:
        yield made


def config_map(name: str = "a", **more: Any) -> JSON:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "labels": {"x": "y"}}, **more}


def resource(client: DynamicClient, text: str, namespace: str = "default") -> Any:
    """`sites.v1.example.com`, ready for requests."""
    plural, version, group = text.split(".", 2)
    return client.resource(GroupVersionResource(group, version, plural), namespace)


def maps(client: DynamicClient) -> Any:
    return resource(client, "configmaps.v1.")


def rule(*operations: str, resources: tuple[str, ...] = ("configmaps",), group: str = "", **more: Any) -> list[JSON]:
    facts = {"operations": list(operations), "apiGroups": [group], "apiVersions": ["v1"], "resources": list(resources)}
    return [{**facts, **more}]


# ---- validating


def test_a_webhook_that_allows_sees_the_whole_write(server: APIServer, client: DynamicClient, hooks: WebhookServer):
    hooks.answers["/v"] = lambda request: allow()
    server.load(configuration("Validating", "v", hook(hooks.client("/v"))))

    maps(client).create(config_map(data={"k": "v"}), field_manager="tests")

    (asked,) = hooks.requests_to("/v")
    assert asked["operation"] == "CREATE"
    assert asked["kind"] == {"group": "", "version": "v1", "kind": "ConfigMap"}
    assert asked["resource"] == asked["requestResource"] == {"group": "", "version": "v1", "resource": "configmaps"}
    assert (asked["namespace"], asked["name"], asked["dryRun"]) == ("default", "a", False)
    assert asked["userInfo"]["username"] == "system:admin"
    assert asked["object"]["data"] == {"k": "v"}
    assert asked["object"]["metadata"]["uid"]
    assert asked["oldObject"] is None
    assert asked["options"]["kind"] == "CreateOptions"
    assert asked["options"]["fieldManager"] == "tests"


def test_updates_and_deletions_show_what_was(server: APIServer, client: DynamicClient, hooks: WebhookServer):
    maps(client).create(config_map(data={"k": "old"}))
    hooks.answers["/v"] = lambda request: allow()
    server.load(configuration("Validating", "v", hook(hooks.client("/v"))))

    maps(client).patch("a", {"data": {"k": "new"}}, patch_type="merge")
    maps(client).delete("a")

    update, deletion = hooks.requests_to("/v")
    assert (update["operation"], update["oldObject"]["data"]["k"], update["object"]["data"]["k"]) == (
        "UPDATE",
        "old",
        "new",
    )
    assert (deletion["operation"], deletion["object"], deletion["oldObject"]["data"]["k"]) == ("DELETE", None, "new")


@pytest.mark.parametrize(
    ("status", "code", "text"),
    [
        ({"code": 403, "message": "no way", "reason": "Forbidden"}, 403, "denied the request: no way"),
        ({"reason": "Odd"}, 400, "denied the request: Odd"),
        ({}, 400, "denied the request without explanation"),
        ({"code": 200, "status": "Success"}, 400, "denied the request without explanation"),
    ],
)
def test_a_refusal_is_told_in_the_words_of_the_webhook(
    server: APIServer, client: DynamicClient, hooks: WebhookServer, status: JSON, code: int, text: str
):
    hooks.answers["/v"] = lambda request: {"allowed": False, "status": status}
    server.load(configuration("Validating", "v", hook(hooks.client("/v"))))

    with pytest.raises(errors.StatusError) as caught:
        maps(client).create(config_map())

    assert caught.value.code == code
    assert caught.value.message == f'admission webhook "one.example.com" {text}'
    assert maps(client).list().items == []


def test_warnings_come_with_the_answer(
    server: APIServer, client: DynamicClient, hooks: WebhookServer, caplog: pytest.LogCaptureFixture
):
    hooks.answers["/v"] = lambda request: allow(warnings=['mind the "gap"'])
    server.load(configuration("Validating", "v", hook(hooks.client("/v"))))

    maps(client).create(config_map())

    assert 'mind the "gap"' in caplog.text


@pytest.mark.parametrize(
    "more",
    [
        {"rules": rule("UPDATE", "DELETE")},
        {"rules": rule("CREATE", resources=("configmaps/status", "secrets"))},
        {"rules": rule("CREATE", group="apps")},
        {"rules": rule("CREATE", scope="Cluster")},
        {"objectSelector": {"matchLabels": {"x": "z"}}},
        {"namespaceSelector": {"matchLabels": {"team": "a"}}},
        {"matchConditions": [{"name": "c", "expression": "object.metadata.name != 'a'"}]},
        {"matchConditions": [{"name": "c", "expression": "request.operation == 'DELETE' && object.no.such == 1"}]},
    ],
)
def test_what_does_not_concern_a_webhook_is_not_asked(
    server: APIServer, client: DynamicClient, hooks: WebhookServer, more: JSON
):
    hooks.answers["/v"] = lambda request: {"allowed": False}
    server.load(configuration("Validating", "v", hook(hooks.client("/v"), **more)))

    maps(client).create(config_map())

    assert hooks.asked == []


@pytest.mark.parametrize(
    "more",
    [
        {"rules": rule("*", resources=("*",))},
        {"rules": rule("CREATE", resources=("*/*",), scope="Namespaced")},
        {"objectSelector": {"matchExpressions": [{"key": "x", "operator": "Exists"}]}},
        {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "default"}}},
        {"matchConditions": [{"name": "c", "expression": "request.userInfo.username.startsWith('system:')"}]},
    ],
)
def test_what_concerns_a_webhook_is_asked(server: APIServer, client: DynamicClient, hooks: WebhookServer, more: JSON):
    hooks.answers["/v"] = lambda request: {"allowed": False}
    server.load(configuration("Validating", "v", hook(hooks.client("/v"), **more)))

    with pytest.raises(errors.StatusError, match="denied the request"):
        maps(client).create(config_map())


def test_a_condition_that_fails_counts_as_the_failure_policy_says(
    server: APIServer, client: DynamicClient, hooks: WebhookServer
):
    hooks.answers["/v"] = lambda request: {"allowed": False}
    condition = [{"name": "c", "expression": "object.spec.none == 1"}]
    server.load(configuration("Validating", "v", hook(hooks.client("/v"), matchConditions=condition)))

    with pytest.raises(errors.StatusError, match="no such key: spec"):
        maps(client).create(config_map())
    facts = {"matchConditions": condition, "failurePolicy": "Ignore"}
    server.load(configuration("Validating", "v", hook(hooks.client("/v"), **facts)))
    maps(client).create(config_map())

    assert hooks.asked == []


# ---- what goes wrong


def test_no_answer_is_a_failure_or_is_ignored(server: APIServer, client: DynamicClient, hooks: WebhookServer):
    server.load(configuration("Validating", "v", hook(hooks.client("/none"))))

    with pytest.raises(errors.StatusError) as caught:
        maps(client).create(config_map())
    server.load(configuration("Validating", "v", hook(hooks.client("/none"), failurePolicy="Ignore")))
    maps(client).create(config_map())

    assert caught.value.code == 500
    assert caught.value.message == (
        'Internal error occurred: failed calling webhook "one.example.com": failed to call webhook: '
        "the server could not find the requested resource"
    )


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        (lambda request: {"uid": "other", "allowed": True}, 'got "other"'),
        (lambda request: patch({"op": "add", "path": "/data", "value": {}}), "not allowed for a validating webhook"),
    ],
)
def test_an_answer_that_is_none_is_a_failure(
    server: APIServer, client: DynamicClient, hooks: WebhookServer, answer: Any, text: str
):
    hooks.answers["/v"] = answer
    server.load(configuration("Validating", "v", hook(hooks.client("/v"))))

    with pytest.raises(errors.StatusError, match=text):
        maps(client).create(config_map())


def test_a_certificate_of_somebody_else_is_refused(server: APIServer, client: DynamicClient, hooks: WebhookServer):
    hooks.answers["/v"] = lambda request: allow()
    other = {**hooks.client("/v"), "caBundle": ""}
    server.load(configuration("Validating", "v", hook(other)))

    with pytest.raises(errors.StatusError, match="failed to verify certificate: x509"):
        maps(client).create(config_map())


def test_nobody_listening_is_told_as_such(server: APIServer, client: DynamicClient, authority: Authority):
    server.load(configuration("Validating", "v", hook({"url": "https://127.0.0.1:1/v"})))

    with pytest.raises(errors.StatusError, match=r'Post "https://127.0.0.1:1/v\?timeout=10s": .*connection refused'):
        maps(client).create(config_map())


def test_a_slow_webhook_is_waited_for_no_longer_than_it_says(
    server: APIServer, client: DynamicClient, authority: Authority, tmp_path: Path
):
    from tests.integration.wire import WireServer

    tls = authority.issue("127.0.0.1").server_context(tmp_path)
    with WireServer(lambda exchange: exchange.wait_for_hang_up(), tls) as slow:
        import base64

        ca = base64.b64encode(authority.certificate).decode()
        config = {"url": f"{slow.url}/v", "caBundle": ca}
        server.load(configuration("Validating", "v", hook(config, timeoutSeconds=1)))

        with pytest.raises(errors.StatusError, match=r"timeout=1s\": context deadline exceeded"):
            maps(client).create(config_map())


def test_a_dry_run_asks_only_webhooks_without_side_effects(
    server: APIServer, client: DynamicClient, hooks: WebhookServer
):
    hooks.answers["/v"] = lambda request: allow()
    server.load(configuration("Validating", "v", hook(hooks.client("/v"))))

    maps(client).create(config_map(), dry_run=True)

    (asked,) = hooks.requests_to("/v")
    assert asked["dryRun"] is True


def test_configurations_themselves_are_not_asked_about(server: APIServer, hooks: WebhookServer):
    everything = [{"operations": ["*"], "apiGroups": ["*"], "apiVersions": ["*"], "resources": ["*/*"]}]
    server.load(configuration("Validating", "v", hook(hooks.client("/v"), rules=everything)))

    with DynamicClient(server.config) as client:
        resource(client, "validatingwebhookconfigurations.v1.admissionregistration.k8s.io", "").delete("v")

    assert hooks.asked == []


# ---- mutating


def test_patches_change_what_is_stored(server: APIServer, client: DynamicClient, hooks: WebhookServer):
    hooks.answers["/m"] = lambda request: patch(label("by", "hook"))
    server.load(configuration("Mutating", "m", hook(hooks.client("/m"))))

    made = maps(client).create(config_map(), field_manager="tests")

    assert made.metadata.labels == {"x": "y", "by": "hook"}
    (entry,) = made.metadata.managed_fields
    assert entry.manager == "tests"
    assert "f:by" in str(entry.fields_v1)


def test_webhooks_are_asked_in_turn_and_again_if_they_want(
    server: APIServer, client: DynamicClient, hooks: WebhookServer
):
    def count(request: JSON) -> JSON:
        return patch(label("labels", str(len(request["object"]["metadata"]["labels"]))))

    hooks.answers["/count"] = count
    hooks.answers["/more"] = lambda request: patch(label("more", "yes"))
    server.load(
        configuration("Mutating", "a", hook(hooks.client("/count"), reinvocationPolicy="IfNeeded")),
        configuration("Mutating", "b", hook(hooks.client("/more"), "two.example.com")),
    )

    made = maps(client).create(config_map())

    assert [path for path, _ in hooks.asked] == ["/count", "/more", "/count"]
    assert made.metadata.labels == {"x": "y", "labels": "3", "more": "yes"}


def test_validating_webhooks_see_what_mutating_ones_made(
    server: APIServer, client: DynamicClient, hooks: WebhookServer
):
    hooks.answers["/m"] = lambda request: patch({"op": "add", "path": "/data", "value": {"k": "v"}})
    hooks.answers["/v"] = lambda request: allow()
    server.load(configuration("Mutating", "m", hook(hooks.client("/m"))))
    server.load(configuration("Validating", "v", hook(hooks.client("/v"))))

    maps(client).create(config_map())

    (asked,) = hooks.requests_to("/v")
    assert asked["object"]["data"] == {"k": "v"}


def test_what_a_webhook_makes_is_checked_like_everything_else(
    server: APIServer, client: DynamicClient, hooks: WebhookServer
):
    hooks.answers["/m"] = lambda request: patch(label("bad", "no label value!"))
    server.load(configuration("Mutating", "m", hook(hooks.client("/m"))))

    with pytest.raises(errors.StatusError) as caught:
        maps(client).create(config_map())

    assert caught.value.code == 422


@pytest.mark.parametrize(
    "operation", [{"op": "remove", "path": "/none"}, {"op": "add", "path": "/data", "value": {"k": 1}}]
)
def test_a_patch_that_does_not_apply_is_a_failure(
    server: APIServer, client: DynamicClient, hooks: WebhookServer, operation: JSON
):
    hooks.answers["/m"] = lambda request: patch(operation)
    server.load(configuration("Mutating", "m", hook(hooks.client("/m"))))

    with pytest.raises(errors.StatusError, match=r"one\.example\.com"):
        maps(client).create(config_map())


def test_updates_and_applies_are_changed_too(server: APIServer, client: DynamicClient, hooks: WebhookServer):
    maps(client).create(config_map())
    hooks.answers["/m"] = lambda request: patch(label("at", request["operation"].lower()))
    server.load(configuration("Mutating", "m", hook(hooks.client("/m"))))

    updated = maps(client).patch("a", {"data": {"k": "v"}}, patch_type="merge")
    applied = maps(client).apply(config_map("b"), field_manager="me")

    assert updated.metadata.labels["at"] == "update"
    assert applied.metadata.labels["at"] == "create"


def test_subresources_are_asked_about_by_their_own_name(server: APIServer, client: DynamicClient, hooks: WebhookServer):
    template = {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "c", "image": "i"}]}}
    spec = {"selector": {"matchLabels": {"a": "b"}}, "template": template}
    deployments = resource(client, "deployments.v1.apps")
    deployments.create({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "d"}, "spec": spec})
    hooks.answers["/v"] = lambda request: allow()
    rules = rule("UPDATE", resources=("deployments/*",), group="apps")
    server.load(configuration("Validating", "v", hook(hooks.client("/v"), rules=rules)))

    deployments.patch("d", {"spec": {"replicas": 3}}, patch_type="merge", subresource="scale")
    deployments.patch("d", {"status": {"replicas": 3}}, patch_type="merge", subresource="status")

    scale, status = hooks.requests_to("/v")
    assert (scale["subResource"], scale["kind"]["kind"], scale["object"]["spec"]) == ("scale", "Scale", {"replicas": 3})
    assert (status["subResource"], status["kind"]["kind"]) == ("status", "Deployment")


def test_services_are_found_by_the_mapping_and_verified_by_their_name(
    server: APIServer, client: DynamicClient, hooks: WebhookServer
):
    hooks.answers["/v"] = lambda request: allow()
    server.load(configuration("Validating", "v", hook(hooks.service("/v"))))

    maps(client).create(config_map())

    assert len(hooks.asked) == 1


def test_a_service_that_is_nowhere_is_told_by_name(server: APIServer, client: DynamicClient, hooks: WebhookServer):
    ref = {"service": {"namespace": "default", "name": "gone", "path": "/v"}}
    server.load(configuration("Validating", "v", hook(ref)))

    with pytest.raises(
        errors.StatusError,
        match=r'Post "https://gone.default.svc:443/v": service "gone" not found',
    ):
        maps(client).create(config_map())


def test_pods_that_are_made_by_a_simulation_are_admitted_like_all(hooks: WebhookServer):
    hooks.answers["/m"] = lambda request: patch(label("by", request["userInfo"]["username"].rpartition(":")[2]))
    spec: JSON = {"selector": {"matchLabels": {"a": "b"}}, "template": {"metadata": {"labels": {"a": "b"}}}}
    spec["template"]["spec"] = {"containers": [{"name": "c", "image": "i"}]}
    deployment = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "d"}, "spec": spec}
    with APIServer(simulate=True) as server, DynamicClient(server.config) as client:
        rules = rule("CREATE", resources=("pods",))
        server.load(configuration("Mutating", "m", hook(hooks.client("/m"), rules=rules)))

        resource(client, "deployments.v1.apps").create(deployment)
        resource(client, "deployments.v1.apps").wait("d", "condition=Available", timeout=30.0)

        (pod,) = resource(client, "pods.v1.").list().items
        assert pod.metadata.labels["by"] == "replicaset-controller"


def test_warnings_go_with_a_refusal(server: APIServer, client: DynamicClient, hooks: WebhookServer):
    hooks.answers["/v"] = lambda request: {"allowed": False, "warnings": ["first\nsecond", 'a "quote"']}
    server.load(configuration("Validating", "v", hook(hooks.client("/v"))))

    import urllib3

    body = b'{"metadata": {"name": "a"}}'
    headers = {"Authorization": f"Bearer {server.token}", "Content-Type": "application/json"}
    reply = urllib3.request("POST", f"{server.url}/api/v1/namespaces/default/configmaps", body=body, headers=headers)

    assert reply.status == 400
    assert reply.headers["Warning"] == '299 - "first second", 299 - "a \\"quote\\""'


# ---- conversion


def definition(client: JSON) -> JSON:
    def version(name: str, storage: bool, **fields: JSON) -> JSON:
        spec = {"type": "object", "properties": fields}
        schema = {"openAPIV3Schema": {"type": "object", "properties": {"spec": spec}}}
        return {"name": name, "served": True, "storage": storage, "schema": schema}

    hosts = {"type": "string"}, {"type": "array", "items": {"type": "string"}}
    hook = {"conversionReviewVersions": ["v1"], "clientConfig": client}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "sites.example.com"},
        "spec": {
            "group": "example.com",
            "scope": "Namespaced",
            "names": {"plural": "sites", "kind": "Site"},
            "conversion": {"strategy": "Webhook", "webhook": hook},
            "versions": [version("v1", False, host=hosts[0]), version("v2", True, hosts=hosts[1])],
        },
    }


def convert(request: JSON) -> JSON:
    """v1 has one host, v2 several."""
    made = []
    for obj in request["objects"]:
        spec = dict(obj.get("spec") or {})
        if request["desiredAPIVersion"].endswith("/v2"):
            spec = {"hosts": [spec["host"]] if "host" in spec else spec.get("hosts", [])}
        else:
            spec = {"host": ",".join(spec.get("hosts", []))}
        made.append({**obj, "apiVersion": request["desiredAPIVersion"], "spec": spec})
    return {"result": {"status": "Success"}, "convertedObjects": made}


def site(version: str, name: str, **spec: Any) -> JSON:
    return {"apiVersion": f"example.com/{version}", "kind": "Site", "metadata": {"name": name}, "spec": spec}


def test_objects_are_converted_on_the_way_in_and_out(server: APIServer, client: DynamicClient, hooks: WebhookServer):
    hooks.answers["/convert"] = convert
    server.load(definition(hooks.client("/convert")))
    old, new = resource(client, "sites.v1.example.com"), resource(client, "sites.v2.example.com")

    made = old.create(site("v1", "a", host="one"))
    new.create(site("v2", "b", hosts=["x", "y"]))

    assert made["spec"]["host"] == "one"
    assert new.get("a")["spec"]["hosts"] == ["one"]
    assert old.get("b")["spec"]["host"] == "x,y"
    assert new.get("a").metadata.uid == made.metadata.uid
    assert [each["spec"]["host"] for each in old.list().items] == ["one", "x,y"]


def test_a_list_is_converted_in_one_call_and_once(server: APIServer, client: DynamicClient, hooks: WebhookServer):
    hooks.answers["/convert"] = convert
    server.load(definition(hooks.client("/convert")))
    old, new = resource(client, "sites.v1.example.com"), resource(client, "sites.v2.example.com")
    for number in range(20):
        new.create(site("v2", f"s{number}", hosts=["h"]))
    assert hooks.asked == []

    listed = [old.list().items for _ in range(2)]

    assert [len(items) for items in listed] == [20, 20]
    assert [len(request["objects"]) for request in hooks.requests_to("/convert")] == [20]


def test_watches_see_the_version_they_ask_for(server: APIServer, client: DynamicClient, hooks: WebhookServer):
    hooks.answers["/convert"] = convert
    server.load(definition(hooks.client("/convert")))
    old, new = resource(client, "sites.v1.example.com"), resource(client, "sites.v2.example.com")

    with old.watch(timeout_seconds=20) as watch:
        new.create(site("v2", "b", hosts=["x"]))
        event = next(iter(watch))

    assert event.object["spec"]["host"] == "x"


def test_updates_and_patches_of_another_version_reach_the_stored_one(
    server: APIServer, client: DynamicClient, hooks: WebhookServer
):
    hooks.answers["/convert"] = convert
    server.load(definition(hooks.client("/convert")))
    old, new = resource(client, "sites.v1.example.com"), resource(client, "sites.v2.example.com")
    new.create(site("v2", "b", hosts=["x"]))

    old.patch("b", {"spec": {"host": "z"}}, patch_type="merge")

    assert new.get("b")["spec"]["hosts"] == ["z"]


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        (lambda request: {"result": {"status": "Failure", "message": "cannot"}}, "failed: cannot"),
        (lambda request: {"result": {"status": "Success"}, "convertedObjects": []}, "returned 0 objects, expected 1"),
        (
            lambda request: {"result": {"status": "Success"}, "convertedObjects": request["objects"]},
            r"invalid groupVersion \(expected example.com/v1, received example.com/v2\)",
        ),
    ],
)
def test_a_conversion_that_fails_is_told(
    server: APIServer, client: DynamicClient, hooks: WebhookServer, answer: Any, text: str
):
    server.load(definition(hooks.client("/convert")))
    resource(client, "sites.v2.example.com").create(site("v2", "b", hosts=["x"]))
    hooks.answers["/convert"] = answer

    with pytest.raises(errors.StatusError, match=text) as caught:
        resource(client, "sites.v1.example.com").get("b")

    assert caught.value.code == 500
    assert "conversion webhook for example.com/v2, Kind=Site" in caught.value.message


def test_a_watch_ends_with_what_cannot_be_converted(server: APIServer, client: DynamicClient, hooks: WebhookServer):
    import json

    import urllib3

    server.load(definition(hooks.client("/convert")))
    resource(client, "sites.v2.example.com").create(site("v2", "b", hosts=["x"]))
    headers = {"Authorization": f"Bearer {server.token}"}

    path = "/apis/example.com/v1/sites?watch=true&timeoutSeconds=10"
    reply = urllib3.request("GET", server.url + path, headers=headers)

    (event,) = [json.loads(line) for line in reply.data.splitlines()]
    assert (event["type"], event["object"]["code"]) == ("ERROR", 500)
    assert "conversion webhook" in event["object"]["message"]


@pytest.mark.parametrize(
    ("conversion", "field"),
    [
        ({"strategy": "Odd"}, "spec.conversion.strategy"),
        ({"strategy": "Webhook", "webhook": {"conversionReviewVersions": ["v1"]}}, "webhookClientConfig"),
        ({"strategy": "Webhook", "webhook": {"clientConfig": {"url": "https://x"}}}, "conversionReviewVersions"),
    ],
)
def test_a_conversion_that_cannot_be_is_refused(client: DynamicClient, conversion: JSON, field: str):
    wrong = definition({})
    wrong["spec"]["conversion"] = conversion

    with pytest.raises(errors.Invalid, match=field):
        resource(client, "customresourcedefinitions.v1.apiextensions.k8s.io", "").create(wrong)


def test_what_was_stored_before_the_storage_version_changed_is_converted(
    server: APIServer, client: DynamicClient, hooks: WebhookServer
):
    hooks.answers["/convert"] = convert
    first = definition(hooks.client("/convert"))
    for version in first["spec"]["versions"]:
        version["storage"] = version["name"] == "v1"
    server.load(first)
    old, new = resource(client, "sites.v1.example.com"), resource(client, "sites.v2.example.com")
    old.create(site("v1", "a", host="one"))

    server.load(definition(hooks.client("/convert")))

    assert new.get("a")["spec"]["hosts"] == ["one"]
    assert old.get("a")["spec"]["host"] == "one"
    new.delete("a")
    assert new.list().items == []


def test_webhooks_are_asked_in_the_version_their_rules_name(
    server: APIServer, client: DynamicClient, hooks: WebhookServer
):
    hooks.answers["/convert"], hooks.answers["/m"] = (
        convert,
        lambda request: patch(
            {"op": "replace", "path": "/spec/host", "value": request["object"]["spec"]["host"].upper()}
        ),
    )
    server.load(definition(hooks.client("/convert")))
    server.load(
        configuration(
            "Mutating", "m", hook(hooks.client("/m"), rules=rule("CREATE", resources=("sites",), group="example.com"))
        )
    )

    made = resource(client, "sites.v2.example.com").create(site("v2", "b", hosts=["x"]))

    (asked,) = hooks.requests_to("/m")
    assert (asked["kind"]["version"], asked["requestKind"]["version"]) == ("v1", "v2")
    assert made["spec"]["hosts"] == ["X"]
