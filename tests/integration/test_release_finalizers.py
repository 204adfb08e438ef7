"""`k8srt finalizers release`, against a server."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from k8srt.api.core.v1 import ConfigMap
from k8srt.apimachinery.meta import ObjectMeta
from k8srt.cli.main import main
from k8srt.kubernetes import Clientset
from k8srt.testing import APIServer

MINE, THEIRS = "example.com/mine", "example.com/theirs"


@pytest.fixture(scope="module")
def server() -> Iterator[APIServer]:
    with APIServer() as server:
        yield server


@pytest.fixture
def kubeconfig(server: APIServer, tmp_path: Path) -> str:
    file = tmp_path / "config"
    file.write_text(server.kubeconfig())
    return str(file)


@pytest.fixture
def namespace(cs: Clientset) -> Iterator[str]:
    cs.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "left"}})
    maps = cs.core_v1.config_maps("left")
    for name, finalizers in (("a", [THEIRS, MINE]), ("b", [MINE]), ("c", [THEIRS])):
        maps.create(ConfigMap(metadata=ObjectMeta(name=name, finalizers=finalizers)))
    maps.delete("b")
    yield "left"
    for each in maps.list():
        maps.patch(each.metadata.name, {"metadata": {"finalizers": None}}, patch_type="merge")
    maps.delete_collection()


def finalizers(cs: Clientset) -> dict[str, list[str]]:
    maps = cs.core_v1.config_maps("left").list(label_selector="")
    return {each.metadata.name: list(each.metadata.finalizers) for each in maps if each.metadata.finalizers}


def test_fin_05_what_would_change_is_listed_and_then_done(
    cs: Clientset, kubeconfig: str, namespace: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    command = ["finalizers", "release", "cm", "--all", "-n", namespace, "--finalizer", MINE, "--kubeconfig", kubeconfig]
    listed = [f"ConfigMap left/a: {MINE} (not being deleted)", f"ConfigMap left/b: {MINE} (being deleted)"]
    before = finalizers(cs)

    assert main([*command, "--dry-run"]) == 0
    assert capsys.readouterr().out.splitlines() == listed
    monkeypatch.setattr(sys, "stdin", io.StringIO())
    assert main(command) == 1
    assert "pass --yes where nobody can be asked" in capsys.readouterr().err
    assert finalizers(cs) == before

    assert main([*command, "--yes"]) == 0
    released = ["ConfigMap left/a: released", "ConfigMap left/b: released"]
    assert capsys.readouterr().out.splitlines() == [*listed, *released]
    assert finalizers(cs) == {"a": [THEIRS], "c": [THEIRS]}
    assert main([*command, "--yes"]) == 0
    assert "nothing has the finalizer" in capsys.readouterr().out


def test_fin_05_by_name(cs: Clientset, kubeconfig: str, namespace: str, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["finalizers", "release", "configmaps"]
    options = ["--finalizer", MINE, "--kubeconfig", kubeconfig, "-y", "-n", namespace]

    assert main([*command, "b", "c", *options]) == 0
    assert finalizers(cs) == {"a": [THEIRS, MINE], "c": [THEIRS]}
    assert main([*command, "nope", *options]) == 1
    assert 'configmaps "nope" not found' in capsys.readouterr().err
    for wrong in ([], ["a", "--all"], ["a", "-A"]):
        with pytest.raises(SystemExit):
            main([*command, *wrong, *options])
