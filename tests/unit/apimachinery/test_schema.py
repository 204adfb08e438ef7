from __future__ import annotations

import subprocess
import sys

import pytest

from k8srt.apimachinery.resource import Subresource
from k8srt.apimachinery.schema import (
    GroupKind,
    GroupResource,
    GroupVersion,
    GroupVersionKind,
    NamespacedName,
    parse_kind_arg,
    parse_resource_arg,
)
from k8srt.apimachinery.scheme import Scheme, default
from tests.unit.apimachinery.models import Boat


@pytest.mark.parametrize(
    ("text", "group", "version"), [("v1", "", "v1"), ("apps/v1", "apps", "v1"), ("", "", ""), ("/v1", "", "v1")]
)
def test_mach_32_api_versions(text, group, version):
    assert GroupVersion.parse(text) == (group, version)


def test_mach_32_more_than_one_slash_is_an_error():
    with pytest.raises(ValueError, match="unexpected GroupVersion string: 'a/b/c'"):
        GroupVersion.parse("a/b/c")


def test_mach_32_resource_and_kind_arguments():
    assert parse_resource_arg("deployments.v1.apps") == (
        ("apps", "v1", "deployments"),
        GroupResource("v1.apps", "deployments"),
    )
    assert parse_resource_arg("pods") == (None, GroupResource("", "pods"))
    assert parse_kind_arg("Deployment.v1.apps.k8s.io")[0] == ("apps.k8s.io", "v1", "Deployment")
    assert parse_kind_arg("Pod") == (None, GroupKind("", "Pod"))


def test_names_print_as_people_write_them():
    gvk = GroupVersionKind.of("apps/v1", "Deployment")

    assert str(gvk.group_version) == gvk.api_version == "apps/v1"
    assert str(gvk.group_kind) == "Deployment.apps"
    assert str(GroupVersion("", "v1").with_resource("pods").group_resource) == "pods"
    assert str(NamespacedName("", "node-1")) == "/node-1"
    assert GroupVersionKind.parse("v1/Pod") == ("", "v1", "Pod")


def test_classes_are_found_by_their_kind():
    assert default.lookup(Boat.__info__.gvk) is Boat
    assert default.lookup(GroupVersionKind("none", "v1", "None")) is None


def test_cli_12_a_built_in_kind_is_found_without_importing_its_module():
    code = (
        "from k8srt.apimachinery.scheme import default; from k8srt.apimachinery.schema import GroupVersionKind as K; "
        "print(default.lookup(K('batch', 'v1', 'CronJob')), default.lookup(K('batch', 'v1', 'Nothing')))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)

    assert done.stdout.strip() == "<class 'k8srt.api.batch.v1.CronJob'> None"


def test_what_is_built_in_is_known():
    assert default.is_built_in("apps/v1")
    assert not default.is_built_in(Boat.__info__.api_version)
    assert not Scheme().is_built_in("v1")


def test_a_module_is_loaded_when_one_of_its_kinds_is_asked_for():
    scheme = Scheme()
    scheme.add_module("json/v1", "json.tool")

    assert scheme.lookup(GroupVersionKind("json", "v1", "Tool")) is None
    assert scheme.kinds() == []


def test_subresources_are_read_from_the_words_of_a_class_line():
    assert Subresource.parse("status") == ("status", ("get", "patch", "update"), None)
    assert Subresource.parse("eviction:create=policy/v1/Eviction") == (
        "eviction",
        ("create",),
        GroupVersionKind("policy", "v1", "Eviction"),
    )
