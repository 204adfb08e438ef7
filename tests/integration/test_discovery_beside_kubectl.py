"""Names and files of discovery beside those of a real kubectl, on the same server."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from k8srt.apimachinery.schema import GroupVersionResource
from k8srt.discovery import CachedDiscoveryClient, DiscoveryClient, cache_dir_for_host
from k8srt.errors import NoMatch
from k8srt.kubernetes import Clientset
from k8srt.restmapper import RESTMapper
from k8srt.testing.choosing import Server
from tests.integration.programs import binaries, number

pytestmark = [pytest.mark.kubectl, pytest.mark.timeout(120)]

FORMS = """\
po pod Pod PODS deploy deployments Deployment deployments.apps deploy.apps deployments.v1.apps Deployment.v1.apps
Deployment.apps deployments.app dep dep.apps deployments.apps.example.com widgets wd Widget widgets.zed.example.com
widgets.a.example.com wd.zed wd.a widgets.v1beta1.zed.example.com Widget.v2.a.example.com foos.sample Foo foos
foos.v1alpha1.sample.example.com things pods.clash.example.com pp events ev events.events.k8s.io ev.events hpa
horizontalpodautoscalers.v1.autoscaling sc storageclass.storage ns no Gateway gateways.v1beta1.gw.example.com crd
cs csr spx sameprefixes.a sameprefixes.a.c sameprefixes.a.c.d spx.a spx.a.c.d pods.v1. Pod.v1. endpoints ep
"""
DISCOVERY = re.compile(r"/api|/apis|/api/v1|/apis/[^/]+/[^/]+")
"""Older servers are asked for each version of each group."""
NONE = ["nope", "foos.nope.io", "deploymnts", "deployments.v2.apps", "deployments.apps.nope", "podmetrics"]


def crd(group: str, plural: str, kind: str, short: str = "", versions: str = "v1", scope: str = "Namespaced") -> Any:
    schema = {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}
    listed = [
        {"name": name, "served": True, "storage": index == 0, "schema": schema}
        for index, name in enumerate(versions.split())
    ]
    names = {"plural": plural, "singular": kind.lower(), "kind": kind, "shortNames": short.split()}
    return {
        "metadata": {"name": f"{plural}.{group}"},
        "spec": {"group": group, "scope": scope, "names": names, "versions": listed},
    }


DEFINITIONS = [
    crd("zed.example.com", "widgets", "Widget", "wd", "v1 v1beta1"),
    crd("a.example.com", "widgets", "Widget", "wd", "v1alpha1 v2"),
    crd("sample.example.com", "foos", "Foo", "", "v1alpha1"),
    crd("clash.example.com", "things", "Thing", "po deployments"),
    crd("clash.example.com", "pods", "Pod", "pp"),
    crd("apps.example.com", "deployments", "Deployment", "dep"),
    crd("gw.example.com", "gateways", "Gateway", "gtw", "v1 v1beta1", "Cluster"),
    crd("a.c", "sameprefixes", "SamePrefix", "spx"),
    crd("a.c.d", "sameprefixes", "SamePrefix", "spx"),
]


@pytest.fixture(scope="module")
def server(module_server: Server) -> Server:
    """A server with kinds whose names are easily taken for one another."""
    if not binaries():
        pytest.skip("there is no kubectl on the PATH")
    with Clientset(module_server.config) as cs:
        definitions = cs.resource("crds")
        for each in DEFINITIONS:
            definitions.create(each)
        for each in DEFINITIONS:
            definitions.wait(each["metadata"]["name"], "condition=Established")
    return module_server


class Kubectl:
    """One kubectl with a folder of its own for what it keeps."""

    def __init__(self, binary: Path, server: Server, folder: Path) -> None:
        kubeconfig = folder / "kubeconfig"
        kubeconfig.write_text(server.kubeconfig())
        self.cache = folder / "cache"
        self._words = [str(binary), "--kubeconfig", str(kubeconfig), "--cache-dir", str(self.cache)]

    def __call__(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([*self._words, *words], capture_output=True, text=True, check=False, timeout=60)

    def asked(self, *words: str) -> list[str]:
        """The paths that a command asks for."""
        done = self(*words, "-v=6")
        assert done.returncode == 0, done.stderr
        return re.findall(r"https?://[^/ \"]+(/[^ \"?]*)", done.stderr)


@pytest.fixture(params=binaries() or [None], ids=lambda binary: number(binary) if binary else "none")
def kubectl(request: pytest.FixtureRequest, server: Server, tmp_path: Path) -> Kubectl:
    return Kubectl(request.param, server, tmp_path)


def path(gvr: GroupVersionResource) -> str:
    return f"/{'apis' if gvr.group else 'api'}/{gvr.group_version}/{gvr.resource}"


def batches(meant: dict[str, str]) -> list[list[str]]:
    """The forms in groups of which no two mean the same."""
    made: list[list[str]] = []
    for form, what in meant.items():
        fitting = (batch for batch in made if what not in [meant[other] for other in batch])
        batch = next(fitting, None)
        if batch is None:
            made.append(batch := [])
        batch.append(form)
    return made


def test_cli_27_every_form_of_a_name_means_what_it_means_to_kubectl(server: Server, kubectl: Kubectl) -> None:
    with DiscoveryClient(server.config) as discovery:
        mapper = RESTMapper(discovery)
        ours = {form: path(mapper.resource_for(form)) for form in FORMS.split()}
        for form in NONE:
            with pytest.raises(NoMatch):
                mapper.resource_for(form)

    told = {}
    for forms in batches(ours):  # kubectl asks once for what is named twice
        asked = [each.replace("/namespaces/default", "") for each in kubectl.asked("get", ",".join(forms))]
        told.update(zip(forms, [each for each in asked if not DISCOVERY.fullmatch(each)], strict=True))
    assert ours == told
    assert [kubectl("get", form).returncode for form in NONE] == [1] * len(NONE)


def test_cli_26_files_of_kubectl_are_read_and_its_own_are_as_good_to_it(
    server: Server, kubectl: Kubectl, tmp_path: Path
) -> None:
    folder = Path(cache_dir_for_host(str(kubectl.cache / "discovery"), server.url))
    config = server.config
    kubectl("get", "po")
    theirs = {str(each.relative_to(folder)): json.loads(each.read_text()) for each in folder.rglob("*.json")}
    config.host = "http://127.0.0.1:1"  # nobody is asked

    read = CachedDiscoveryClient.for_config(config, str(folder)).server_groups_and_resources()

    with DiscoveryClient(server.config) as client:
        live = client.server_groups_and_resources()
    assert [group.to_dict() for group in read.groups] == [group.to_dict() for group in live.groups]
    assert {each.group_version: len(each.resources) for each in read.resources} == {
        each.group_version: len(each.resources) for each in live.resources
    }

    for each in folder.rglob("*.json"):
        each.unlink()
    with CachedDiscoveryClient.for_config(server.config, str(folder)) as writer:
        writer.server_groups_and_resources()

    ours = {str(each.relative_to(folder)): json.loads(each.read_text()) for each in folder.rglob("*.json")}
    assert ours == theirs
    assert kubectl.asked("get", "deploy,wd") == [
        "/apis/apps/v1/namespaces/default/deployments",
        "/apis/zed.example.com/v1/namespaces/default/widgets",
    ]


@pytest.mark.parametrize(
    ("words", "keywords"),
    [
        ([], {}),
        (["--namespaced=false"], {"namespaced": False}),
        (["--api-group=apps"], {"api_group": "apps"}),
        (["--api-group="], {"api_group": ""}),
        (["--categories=all"], {"categories": ["all"]}),
        (["--verbs=create,list"], {"verbs": ["create", "list"]}),
    ],
)
def test_the_table_of_resources_is_that_of_kubectl(
    server: Server, tmp_path: Path, words: list[str], keywords: dict[str, Any]
) -> None:
    kubectl = Kubectl(binaries()[-1], server, tmp_path)

    with Clientset(server.config) as cs:
        ours = repr(cs.api_resources(**keywords)).splitlines()

    assert ours == [line.rstrip() for line in kubectl("api-resources", *words).stdout.splitlines()]
