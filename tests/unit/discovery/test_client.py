"""What a server serves, asked each time."""

from __future__ import annotations

import pickle

import pytest

from k8srt import errors
from k8srt.apimachinery.meta import APIResourceList
from k8srt.apimachinery.schema import GroupVersion
from k8srt.discovery import DiscoveryClient
from k8srt.rest import Config, RESTClient
from k8srt.testing.apiserver.messages import Response
from k8srt.util.flowcontrol import TokenBucket
from tests.unit.discovery import answers
from tests.unit.discovery.answers import Answers, aggregated, at_once, failure, plain, told, told_group


def names(lists: list[APIResourceList]) -> dict[str, list[str]]:
    return {each.group_version: [resource.name for resource in each.resources] for each in lists}


def test_cli_18_the_aggregated_form_is_asked_for_in_exactly_these_words() -> None:
    server = at_once()

    DiscoveryClient(server.config()).server_groups_and_resources()

    accepted = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json"
    assert [(each.path, each.header("accept")) for each in server.requests] == [("/api", accepted), ("/apis", accepted)]


def test_cli_18_unless_the_plain_form_is_forced() -> None:
    server = plain()

    DiscoveryClient(server.config(), legacy=True).server_groups()

    assert {each.header("accept") for each in server.requests} == {"application/json"}


def test_cli_18_a_request_may_take_32_seconds_and_300_may_go_at_once() -> None:
    server = at_once()
    client = DiscoveryClient(server.config())

    client.server_groups()

    assert server.requests[0].param("timeout") == "32s"
    limited = DiscoveryClient(Config(host="http://fake")).rest_client
    assert isinstance(limited.rate_limiter, TokenBucket)
    assert limited.config.burst == 300
    assert DiscoveryClient(Config(host="http://fake", burst=7, timeout=3.0)).rest_client.config.burst == 7


def test_cli_18_a_client_over_another_leaves_that_as_it_is() -> None:
    rest = RESTClient(Config(host="http://fake"))

    client = DiscoveryClient.over(rest)

    assert client.rest_client.transport is rest.transport
    assert client.rest_client.config.timeout == 32.0
    assert rest.config.timeout == 0.0
    assert rest.rate_limiter is not client.rest_client.rate_limiter


def test_cli_18_all_is_asked_twice_when_groups_have_failed() -> None:
    server = at_once(told_group("metrics.k8s.io", v1beta1=None))

    with pytest.raises(errors.GroupDiscoveryFailed):
        DiscoveryClient(server.config()).server_groups_and_resources()

    assert server.asked == ["/api", "/apis"] * 2


def test_cli_18_the_second_time_may_go_well() -> None:
    rounds = iter([aggregated(told_group("x.io", v1=None)), aggregated(told_group("x.io", v1=[told("xs", "X")]))])
    server = Answers({"/api": aggregated(answers.CORE), "/apis": lambda request: next(rounds)})

    found = DiscoveryClient(server.config()).server_groups_and_resources()

    assert names(found.resources) == {"v1": ["pods", "nodes"], "x.io/v1": ["xs"]}


def test_cli_19_both_forms_tell_the_same() -> None:
    batch = told_group("batch", v1=[told("jobs", "Job", group="batch")])

    groups, resources = DiscoveryClient(at_once(batch).config()).server_groups_and_resources()

    assert [group.name for group in groups] == ["", "apps", "batch"]
    assert names(resources)["apps/v1"] == ["deployments", "deployments/scale"]
    deployments, scale = resources[1].resources
    assert (deployments.kind, deployments.group, deployments.version) == ("Deployment", "apps", "v1")
    assert (deployments.short_names, deployments.categories, deployments.namespaced) == (["deploy"], ["all"], True)
    assert (scale.kind, scale.group, scale.verbs) == ("Scale", "autoscaling", ["get", "patch", "update"])
    assert scale.singular_name == "deployment"
    plainly = DiscoveryClient(plain().config()).server_groups_and_resources()
    assert names(plainly.resources)["apps/v1"] == names(resources)["apps/v1"]


def test_cli_19_resources_are_asked_one_by_one_unless_both_ends_are_aggregated() -> None:
    server = plain(api=aggregated(answers.CORE))

    found = DiscoveryClient(server.config()).server_groups_and_resources()

    assert set(server.asked) == {"/api", "/apis", "/api/v1", "/apis/apps/v1", "/apis/batch/v1", "/apis/batch/v1beta1"}
    assert names(found.resources)["v1"] == ["pods", "pods/log", "nodes"]


@pytest.mark.parametrize("missing", ["/api", "/apis"])
def test_cli_19_an_end_that_is_not_there_counts_as_empty(missing: str) -> None:
    server = at_once()
    del server.paths[missing]

    groups = DiscoveryClient(server.config()).server_groups()

    assert [group.name for group in groups] == (["apps"] if missing == "/api" else [""])


def test_cli_19_any_other_error_fails_the_call() -> None:
    server = at_once()
    server.paths["/apis"] = failure(403, "forbidden")

    with pytest.raises(errors.Forbidden):
        DiscoveryClient(server.config()).server_groups()


def test_cli_20_the_core_group_comes_first_and_the_rest_as_the_server_has_it() -> None:
    server = at_once(told_group("z.io", v2=[], v1=[]), told_group("a.io", v1=[]))

    found = DiscoveryClient(server.config()).server_groups()

    assert [(group.name, [version.version for version in group.versions]) for group in found] == [
        ("", ["v1"]),
        ("apps", ["v1"]),
        ("z.io", ["v2", "v1"]),
        ("a.io", ["v1"]),
    ]
    assert found[2].preferred_version.group_version == "z.io/v2"


def test_cli_21_partial_failure_keeps_the_rest_and_names_the_failed() -> None:
    server = plain(apis_batch_v1=failure(503, "later"), apis_batch_v1beta1=failure(500, "broken"))

    with pytest.raises(errors.GroupDiscoveryFailed) as caught:
        DiscoveryClient(server.config()).server_groups_and_resources()

    failed = caught.value
    assert str(failed) == (
        "unable to retrieve the complete list of server APIs: batch/v1: later, batch/v1beta1: broken"
    )
    assert set(failed.groups) == {GroupVersion("batch", "v1"), GroupVersion("batch", "v1beta1")}
    assert isinstance(failed.groups[GroupVersion("batch", "v1")], errors.ServiceUnavailable)
    groups, resources = failed.partial
    assert [group.name for group in groups] == ["", "apps", "batch"]
    assert names(resources) == {"v1": ["pods", "pods/log", "nodes"], "apps/v1": ["deployments", "deployments/scale"]}
    assert pickle.loads(pickle.dumps(failed)).args == failed.args


def test_cli_21_a_stale_entry_counts_as_failed() -> None:
    server = at_once(
        told_group("metrics.k8s.io", v1beta1=None, v1=[told("pods", "PodMetrics", group="metrics.k8s.io")])
    )

    with pytest.raises(
        errors.GroupDiscoveryFailed, match=r"stale GroupVersion discovery: metrics\.k8s\.io/v1beta1"
    ) as got:
        DiscoveryClient(server.config()).server_groups_and_resources()

    groups, resources = got.value.partial
    assert groups[-1].preferred_version.version == "v1"
    assert names(resources)["metrics.k8s.io/v1"] == ["pods"]


def test_cli_22_each_resource_in_its_preferred_version_or_the_first_that_has_it() -> None:
    found = DiscoveryClient(plain().config()).server_preferred_resources()

    assert names(found) == {
        "v1": ["pods", "nodes"],
        "apps/v1": ["deployments"],
        "batch/v1beta1": ["olds"],
        "batch/v1": ["jobs"],
    }


def test_cli_22_those_in_namespaces_alone() -> None:
    found = DiscoveryClient(plain().config()).server_preferred_namespaced_resources()

    assert names(found)["v1"] == ["pods"]


def test_cli_22_preferred_resources_of_the_groups_that_answered() -> None:
    server = plain(apis_batch_v1=failure(503, "later"))

    with pytest.raises(errors.GroupDiscoveryFailed) as caught:
        DiscoveryClient(server.config()).server_preferred_namespaced_resources()

    assert names(caught.value.partial) == {
        "v1": ["pods"],
        "apps/v1": ["deployments"],
        "batch/v1beta1": ["jobs", "olds"],
    }


def test_cli_23_one_group_version() -> None:
    server = plain()
    client = DiscoveryClient(server.config())

    assert [each.name for each in client.server_resources_for_group_version("v1").resources] == [
        "pods",
        "pods/log",
        "nodes",
    ]
    assert client.server_resources_for_group_version("apps/v1").group_version == "apps/v1"
    assert server.asked == ["/api/v1", "/apis/apps/v1"]


def test_cli_23_what_is_not_served_is_an_error_but_for_the_core_group() -> None:
    server = plain()
    del server.paths["/api/v1"]
    client = DiscoveryClient(server.config())

    assert client.server_resources_for_group_version("v1").resources == []
    with pytest.raises(errors.NotFound):
        client.server_resources_for_group_version("nope.io/v1")
    with pytest.raises(ValueError, match="groupVersion shouldn't be empty"):
        client.server_resources_for_group_version("")
    server.paths["/api/v1"] = failure(500)
    with pytest.raises(errors.InternalError):
        client.server_resources_for_group_version("v1")


def test_what_is_no_discovery_document_is_named() -> None:
    server = Answers({"/api": Response(200, b'{"items": 3}', answers.AGGREGATED)})

    with pytest.raises(errors.DecodeError, match=r"http://fake/api\?timeout=32s: cannot read the aggregated discovery"):
        DiscoveryClient(server.config()).server_groups()


def test_the_version_of_the_server() -> None:
    server = Answers({"/version": {"major": "1", "minor": "33+", "gitVersion": "v1.33.2", "goVersion": "go1.24"}})

    version = DiscoveryClient(server.config()).server_version()

    assert (str(version), version.minor, version.go_version) == ("v1.33.2", "33+", "go1.24")


def test_a_client_opens_nothing_and_shows_where_it_asks() -> None:
    with DiscoveryClient(Config(host="http://fake:1/prefix")) as client:
        assert repr(client) == "<DiscoveryClient of http://fake:1/prefix>"
        assert client.fresh()
        client.invalidate()
