"""Definitions put on a server for tests, and the embedded server as bare as a control plane."""

from __future__ import annotations

import copy
import json
import logging
from pathlib import Path
from typing import Any

import pytest

from k8srt import errors
from k8srt.kubernetes import Clientset
from k8srt.testing import APIServer, eventually, install_crds, uninstall_crds
from k8srt.testing.choosing import Server
from tests.integration.test_control_plane import CRD

CRDS = "customresourcedefinitions.apiextensions.k8s.io"


def definition(plural: str, *versions: str) -> dict[str, Any]:
    made = copy.deepcopy(CRD)
    made["metadata"]["name"] = f"{plural}.example.com"
    made["spec"]["names"] = {"plural": plural, "kind": plural.capitalize()}
    [version] = made["spec"]["versions"]
    made["spec"]["versions"] = [{**version, "name": name, "storage": not at} for at, name in enumerate(versions)]
    return made


@pytest.fixture
def server(own_server: Server) -> Server:
    return own_server


def test_ete_03_files_folders_and_objects_are_installed_and_served(cs: Clientset, tmp_path: Path) -> None:
    (tmp_path / "one.json").write_text(json.dumps(definition("ones", "v1", "v2")))
    stream = "\n---\n".join(
        [json.dumps(definition("twos", "v1")), '{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}}']
    )
    (tmp_path / "two.yaml").write_text(stream)

    names = install_crds(cs, tmp_path, definition("threes", "v1"))

    assert names == ["ones.example.com", "twos.example.com", "threes.example.com"]
    for version in ("v1", "v2"):
        assert cs.resource(f"ones.{version}.example.com").list().items == []
    assert cs.core_v1.pods("default").list(field_selector="metadata.name=p").items == []


def test_ete_03_what_is_there_is_updated(cs: Clientset) -> None:
    install_crds(cs, definition("ones", "v1"))

    install_crds(cs, definition("ones", "v1", "v2"))

    assert cs.resource("ones.v2.example.com").list().items == []


def test_ete_03_of_two_of_one_name_the_last_counts(cs: Clientset, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        install_crds(cs, definition("ones", "v1"), definition("ones", "v3"))

    assert "given more than once" in caplog.text
    assert [each["name"] for each in cs.resource(CRDS).get("ones.example.com")["spec"]["versions"]] == ["v3"]


def test_ete_03_a_path_that_is_missing_is_an_error_unless_allowed(cs: Clientset, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        install_crds(cs, tmp_path / "none")

    assert install_crds(cs, tmp_path / "none", error_if_path_missing=False) == []


def test_ete_03_they_are_taken_away_again(cs: Clientset) -> None:
    install_crds(cs, definition("ones", "v1"))

    uninstall_crds(cs, definition("ones", "v1"), definition("never", "v1"))

    eventually(lambda: _refused(lambda: cs.resource(CRDS).get("ones.example.com")))


@pytest.mark.embedded
def test_ete_06_and_07_what_a_control_plane_lacks_can_be_switched_off_and_on() -> None:
    owner = {"metadata": {"name": "owner"}}

    def make(cs: Clientset) -> None:
        cs.core_v1.namespaces().create({"metadata": {"name": "shop"}})
        made = cs.core_v1.config_maps("default").create(owner)
        ref = {"apiVersion": "v1", "kind": "ConfigMap", "name": "owner", "uid": made.metadata.uid}
        cs.core_v1.secrets("default").create({"metadata": {"name": "owned", "ownerReferences": [ref]}})
        cs.core_v1.config_maps("default").delete("owner")
        cs.core_v1.namespaces().delete("shop")

    bare = {"garbage_collection": False, "namespace_controller": False, "default_service_accounts": False}
    with APIServer(**bare) as server, Clientset(server.config) as cs:
        make(cs)
        assert cs.core_v1.secrets("default").get("owned").metadata.name == "owned"
        assert cs.core_v1.namespaces().get("shop").status.phase == "Terminating"
        assert cs.core_v1.service_accounts().list().items == []

    with APIServer() as server, Clientset(server.config) as cs:
        make(cs)
        assert cs.core_v1.service_accounts("default").get("default").metadata.name == "default"
        for gone in (lambda: cs.core_v1.secrets("default").get("owned"), lambda: cs.core_v1.namespaces().get("shop")):
            eventually(lambda gone=gone: _refused(gone))


def _refused(call: Any) -> bool:
    try:
        call()
    except errors.NotFound:
        return True
    return False
