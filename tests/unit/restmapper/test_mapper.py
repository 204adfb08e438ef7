"""Which resource is meant, and which kind its objects have."""

from __future__ import annotations

import logging
import pickle
import threading

import pytest

from k8srt import errors
from k8srt.apimachinery.meta import APIGroup, APIResource, APIResourceList, GroupVersionForDiscovery
from k8srt.apimachinery.schema import (
    GroupKind,
    GroupResource,
    GroupVersion,
    GroupVersionKind,
    GroupVersionResource,
)
from k8srt.discovery import DiscoveryClient, MemCacheClient
from k8srt.discovery.served import Groups
from k8srt.restmapper import RESTMapper, RESTMapping
from tests.conftest import Pool
from tests.unit.discovery.answers import Answers, aggregated, at_once, told, told_group


class Fake:
    """A discovery client of fixed groups, which counts how often it is asked and told to forget."""

    def __init__(self, served: dict[str, list[APIResource]], *, fresh: bool = True) -> None:
        self.served = served
        self.is_fresh = fresh
        self.preferred: dict[str, str] = {}
        self.failed: dict[GroupVersion, Exception] = {}
        self.asked = self.invalidated = 0

    def server_groups_and_resources(self) -> Groups:
        self.asked += 1
        by_group: dict[str, list[GroupVersionForDiscovery]] = {}
        for name in self.served:
            version = GroupVersion.parse(name)
            one = GroupVersionForDiscovery(group_version=name, version=version.version)
            by_group.setdefault(version.group, []).append(one)
        groups = [
            APIGroup(
                name=name,
                versions=listed,
                preferred_version=next((v for v in listed if v.version == self.preferred.get(name)), listed[0]),
            )
            for name, listed in by_group.items()
        ]
        found = Groups(groups, [APIResourceList(group_version=n, resources=r) for n, r in self.served.items()])
        if self.failed:
            raise errors.GroupDiscoveryFailed(self.failed, found)
        return found

    def fresh(self) -> bool:
        return self.is_fresh

    def invalidate(self) -> None:
        self.invalidated += 1


def one(
    name: str, kind: str, *, short: str = "", categories: str = "", namespaced: bool = True, singular: str | None = None
) -> APIResource:
    return APIResource(
        name=name,
        singular_name=kind.lower() if singular is None else singular,
        kind=kind,
        namespaced=namespaced,
        verbs=["get", "list"],
        short_names=short.split(),
        categories=categories.split(),
    )


def cluster() -> Fake:
    fake = Fake(
        {
            "v1": [
                one("pods", "Pod", short="po", categories="all"),
                one("pods/status", "Pod"),
                one("nodes", "Node", short="no", namespaced=False),
                one("events", "Event", short="ev"),
            ],
            "apps/v1": [one("deployments", "Deployment", short="deploy", categories="all")],
            "apps/v1beta1": [one("deployments", "Deployment", short="deploy"), one("olds", "Old")],
            "events.k8s.io/v1": [one("events", "Event", short="ev")],
            "storage.k8s.io/v1": [one("storageclasses", "StorageClass", short="sc", namespaced=False)],
            "samplecontroller.k8s.io/v1alpha1": [one("foos", "Foo")],
            "metrics.k8s.io/v1beta1": [one("pods", "PodMetrics", singular="")],
        }
    )
    fake.preferred = {"apps": "v1"}
    return fake


PODS = GroupVersionResource("", "v1", "pods")
DEPLOYMENTS = GroupVersionResource("apps", "v1", "deployments")


@pytest.mark.parametrize(
    ("text", "gvr"),
    [
        ("pods", PODS),
        ("pod", PODS),
        ("Pod", PODS),
        ("PODS", PODS),
        ("po", PODS),
        ("deploy", DEPLOYMENTS),
        ("deployments", DEPLOYMENTS),
        ("deployments.apps", DEPLOYMENTS),
        ("deploy.apps", DEPLOYMENTS),
        ("deployments.v1.apps", DEPLOYMENTS),
        ("deployments.v1beta1.apps", DEPLOYMENTS._replace(version="v1beta1")),
        ("Deployment.v1beta1.apps", DEPLOYMENTS._replace(version="v1beta1")),
        ("Deployment", DEPLOYMENTS),
        ("deployments.ap", DEPLOYMENTS),
        ("olds", GroupVersionResource("apps", "v1beta1", "olds")),
        ("events", GroupVersionResource("", "v1", "events")),
        ("events.events.k8s.io", GroupVersionResource("events.k8s.io", "v1", "events")),
        ("sc.storage", GroupVersionResource("storage.k8s.io", "v1", "storageclasses")),
        ("storageclass.storage", GroupVersionResource("storage.k8s.io", "v1", "storageclasses")),
        ("foos.samplecontroller.k8s.io", GroupVersionResource("samplecontroller.k8s.io", "v1alpha1", "foos")),
        ("Foo.samplecontroller.k8s.io", GroupVersionResource("samplecontroller.k8s.io", "v1alpha1", "foos")),
        ("Foo.v1alpha1.samplecontroller.k8s.io", GroupVersionResource("samplecontroller.k8s.io", "v1alpha1", "foos")),
        ("pods.metrics.k8s.io", GroupVersionResource("metrics.k8s.io", "v1beta1", "pods")),
        ("podmetrics", GroupVersionResource("metrics.k8s.io", "v1beta1", "pods")),
        ("PodMetrics.metrics.k8s.io", GroupVersionResource("metrics.k8s.io", "v1beta1", "pods")),
    ],
)
def test_cli_27_text_is_read_as_kubectl_reads_it(text: str, gvr: GroupVersionResource) -> None:
    assert RESTMapper(cluster()).resource_for(text) == gvr


def test_mach_34_a_mapping_has_resource_kind_and_scope() -> None:
    mapper = RESTMapper(cluster())

    found = mapper.rest_mapping(GroupKind("apps", "Deployment"))

    assert found == RESTMapping(DEPLOYMENTS, GroupVersionKind("apps", "v1", "Deployment"), True)
    assert (found.scope, mapper.rest_mapping("no").scope) == ("namespace", "root")
    assert str(found) == "deployments (Deployment) in apps/v1"
    assert mapper.kind_for("deploy") == found.kind
    assert mapper.rest_mapping(GroupVersionKind("apps", "v1beta1", "Deployment")).resource.version == "v1beta1"
    assert mapper.rest_mapping(GroupKind("apps", "Deployment"), "v1beta1").resource.version == "v1beta1"
    assert mapper.rest_mapping(GroupKind("apps", "Deployment"), "v7", "v1beta1").resource.version == "v1beta1"


def test_mach_34_no_match_and_ambiguous_match_are_distinct() -> None:
    fake = cluster()
    fake.served["apps/v1"].append(one("deploys", "Deployment"))
    mapper = RESTMapper(fake)

    with pytest.raises(errors.NoKindMatch, match='no matches for kind "Foo" in the group apps'):
        mapper.rest_mapping(GroupKind("apps", "Foo"))
    with pytest.raises(errors.NoKindMatch, match=r"in apps/v3 or apps/v2: it serves that group in v1, v1beta1"):
        mapper.rest_mapping(GroupKind("apps", "Deployment"), "v3", "v2")
    with pytest.raises(errors.AmbiguousKind, match=r"ambiguous: .*Resource=deployments; .*Resource=deploys") as caught:
        mapper.rest_mapping(GroupVersionKind("apps", "v1", "Deployment"))
    assert [each.resource for each in caught.value.matches] == ["deployments", "deploys"]
    assert pickle.loads(pickle.dumps(caught.value)).matches == caught.value.matches
    with pytest.raises(errors.AmbiguousResource):
        mapper.resource_for("deployment.v1.apps")


def test_mach_34_of_several_the_core_group_comes_first_then_preferred_versions_then_the_order_of_groups() -> None:
    fake = Fake(
        {
            "b.io/v1": [one("widgets", "Widget")],
            "b.io/v2": [one("widgets", "Widget")],
            "a.io/v1": [one("widgets", "Widget"), one("pods", "Pod")],
            "v1": [one("pods", "Pod")],
        }
    )
    fake.preferred = {"b.io": "v2"}
    mapper = RESTMapper(fake)

    assert mapper.resource_for("pods") == PODS
    assert mapper.resource_for("widgets") == ("b.io", "v2", "widgets")
    assert mapper.resources_for("widgets") == [
        ("b.io", "v1", "widgets"),
        ("b.io", "v2", "widgets"),
        ("a.io", "v1", "widgets"),
    ]
    assert mapper.kinds_for("pod") == [("a.io", "v1", "Pod"), ("", "v1", "Pod")]
    assert [each.resource.version for each in mapper.rest_mappings(GroupKind("b.io", "Widget"))] == ["v1", "v2"]
    assert [each.resource.version for each in mapper.rest_mappings("Widget.v1.b.io")] == ["v1"]
    assert [each.resource.version for each in mapper.rest_mappings("Widget.b.io")] == ["v1", "v2"]


def test_a_whole_group_is_preferred_to_the_beginning_of_another() -> None:
    fake = Fake({"b.io.example/v1": [one("foos", "Foo")], "b.io/v1": [one("foos", "Foo")]})

    assert RESTMapper(fake).resource_for("foos.b.io").group == "b.io"


def test_names_instead_of_text() -> None:
    mapper = RESTMapper(cluster())

    assert mapper.resource_for(GroupVersionResource("", "", "po")) == PODS
    assert mapper.resource_for(GroupResource("apps", "deployments")) == DEPLOYMENTS
    assert mapper.resource_for(GroupVersionResource("", "v1beta1", "olds")).group == "apps"
    with pytest.raises(ValueError, match="a resource must be present"):
        mapper.resource_for("")
    with pytest.raises(TypeError, match="got int"):
        mapper.resource_for(3)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="got tuple"):
        mapper.rest_mapping(("apps", "Deployment"))  # type: ignore[arg-type]


def test_all_that_discovery_tells_of_a_resource() -> None:
    mapper = RESTMapper(DiscoveryClient(at_once().config()))

    info = mapper.info_for("deploy")

    assert (info.gvr, info.kind, info.singular, info.namespaced) == (DEPLOYMENTS, "Deployment", "deployment", True)
    assert (info.verbs, info.short_names, info.categories) == (("get", "list"), ("deploy",), ("all",))
    scale = info.subresource("scale")
    assert scale is not None
    assert (scale.gvk, scale.verbs) == (("autoscaling", "v1", "Scale"), ("get", "patch", "update"))


def test_cli_27_it_asks_when_first_used_and_then_keeps_what_it_heard() -> None:
    fake = cluster()
    mapper = RESTMapper(fake)
    assert fake.asked == 0

    mapper.resource_for("pods")
    mapper.resource_for("deploy")

    assert fake.asked == 1
    assert repr(mapper).endswith(", 10 resources>")
    mapper.reset()
    mapper.resource_for("pods")
    assert (fake.asked, fake.invalidated) == (2, 1)


def test_cli_27_a_miss_in_what_is_fresh_is_not_asked_again() -> None:
    fake = cluster()

    with pytest.raises(errors.NoMatch):
        RESTMapper(fake).resource_for("nopes")

    assert (fake.asked, fake.invalidated) == (1, 0)


def test_cli_27_a_miss_in_what_is_not_fresh_is_asked_again_once() -> None:
    fake = cluster()
    fake.is_fresh = False

    with pytest.raises(errors.NoMatch):
        RESTMapper(fake).resource_for("nopes")

    assert (fake.asked, fake.invalidated) == (2, 1)


def test_cli_27_what_came_after_the_table_was_made_is_found() -> None:
    fake = cluster()
    mapper = RESTMapper(fake)
    mapper.resource_for("pods")

    fake.served["x.io/v1"] = [one("newcomers", "Newcomer", short="nc")]

    assert mapper.resource_for("nc") == ("x.io", "v1", "newcomers")
    assert mapper.rest_mapping(GroupKind("x.io", "Newcomer")).namespaced
    assert (fake.asked, fake.invalidated) == (2, 1)


def test_threads_that_miss_the_same_ask_once_more_together(pool: Pool) -> None:
    server = at_once()
    mapper = RESTMapper(MemCacheClient(DiscoveryClient(server.config())))
    mapper.resource_for("pods")
    server.paths["/apis"] = aggregated(told_group("x.io", v1=[told("xs", "X", group="x.io")]))
    together = threading.Barrier(4)

    def look() -> GroupVersionResource:
        together.wait(5.0)
        return mapper.resource_for("xs")

    futures = [pool.submit(look) for _ in range(4)]

    assert {future.result(5.0) for future in futures} == {("x.io", "v1", "xs")}
    assert len(server.asked) <= 2 + 4 * 2


def test_cli_27_an_ambiguous_short_name_means_the_first_and_warns_of_the_others() -> None:
    warnings: list[str] = []
    mapper = RESTMapper(cluster(), on_warning=warnings.append)

    assert mapper.resource_for("ev") == ("", "v1", "events")

    assert warnings == ['short name "ev" could also match lower priority resource events.events.k8s.io']
    assert mapper.resource_for("ev.events.k8s.io").group == "events.k8s.io"
    assert mapper.resource_for("deploy") == DEPLOYMENTS  # two versions of one resource are no ambiguity
    assert len(warnings) == 1


def test_warnings_are_logged_once_where_nobody_listens(caplog: pytest.LogCaptureFixture) -> None:
    mapper = RESTMapper(cluster())

    with caplog.at_level(logging.WARNING):
        mapper.resource_for("ev")
        mapper.resource_for("ev")

    assert caplog.text.count("lower priority resource") == 1


def test_cli_27_a_full_name_is_no_short_name() -> None:
    fake = cluster()
    fake.served["x.io/v1"] = [one("longs", "Long", short="pods foo")]
    warnings: list[str] = []
    mapper = RESTMapper(fake, on_warning=warnings.append)

    assert mapper.resource_for("pods") == PODS
    assert mapper.resource_for("foo").group == "samplecontroller.k8s.io"
    assert mapper.resource_for("foo.x.io").resource == "longs"
    assert warnings == []


def test_cli_27_categories() -> None:
    mapper = RESTMapper(cluster())

    assert mapper.expand_category("all") == [("", "pods"), ("apps", "deployments")]
    assert mapper.expand_category("nope") == []


def test_a_group_that_is_not_served_is_said_to_be_so() -> None:
    mapper = RESTMapper(cluster())

    with pytest.raises(errors.NoResourceMatch) as caught:
        mapper.resource_for("foos.nope.io")

    assert str(caught.value) == 'the server has no resource "foos" in the group nope.io: it does not serve that group'
    assert caught.value.asked == "foos.nope.io"
    with pytest.raises(errors.NoKindMatch, match=r"in nope.io/v1: it does not serve that group"):
        mapper.rest_mapping(GroupVersionKind("nope.io", "v1", "Foo"))


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("deploymnts.apps", 'no resource "deploymnts" in the group apps; did you mean deployments?'),
        ("pdos", 'no resource "pdos"; did you mean pods?'),
        ("deployments.v9.apps", 'no resource "deployments" in apps/v9: it serves that group in v1, v1beta1'),
        ("zzz", 'no resource "zzz"'),
    ],
)
def test_a_miss_helps(text: str, hint: str) -> None:
    with pytest.raises(errors.NoMatch) as caught:
        RESTMapper(cluster()).resource_for(text)

    assert str(caught.value) == f"the server has {hint}"


def test_cli_21_groups_that_failed_are_left_out_and_named(caplog: pytest.LogCaptureFixture) -> None:
    fake = cluster()
    fake.failed = {GroupVersion("broken.io", "v1"): errors.StaleGroupVersion("broken.io/v1")}
    mapper = RESTMapper(fake)

    with caplog.at_level(logging.WARNING):
        assert mapper.resource_for("pods") == PODS
    with pytest.raises(errors.NoMatch, match=r"could not be found out: broken\.io/v1: stale"):
        mapper.resource_for("foos.broken.io")
    assert "unable to retrieve the complete list" in caplog.text


def test_a_server_that_cannot_be_reached_is_no_miss() -> None:
    server = Answers({})
    server.paths = at_once().paths
    mapper = RESTMapper(DiscoveryClient(server.config()))
    server.paths = {}

    with pytest.raises(errors.NoMatch):
        mapper.resource_for("pods")
    server.paths = at_once().paths
    assert mapper.resource_for("pods") == PODS
