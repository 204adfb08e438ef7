"""`k8srt finalizers release`, against a server."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import pytest

from k8srt.api.core.v1 import ConfigMap
from k8srt.apimachinery.meta import ObjectMeta
from k8srt.cli.main import main
from k8srt.kubernetes import Clientset
from k8srt.testing.choosing import Server

MINE, THEIRS = "example.com/mine", "example.com/theirs"


@pytest.fixture(scope="module")
def server(module_server: Server) -> Server:
    return module_server


@pytest.fixture
def left(cs: Clientset, namespace: str) -> str:
    """A namespace with what has finalizers."""
    maps = cs.core_v1.config_maps(namespace)
    for name, finalizers in (("a", [THEIRS, MINE]), ("b", [MINE]), ("c", [THEIRS])):
        maps.create(ConfigMap(metadata=ObjectMeta(name=name, finalizers=finalizers)))
    maps.delete("b")
    return namespace


def finalizers(cs: Clientset, namespace: str) -> dict[str, list[str]]:
    maps = cs.core_v1.config_maps(namespace).list(label_selector="")
    return {each.metadata.name: list(each.metadata.finalizers) for each in maps if each.metadata.finalizers}


def test_fin_05_what_would_change_is_listed_and_then_done(
    cs: Clientset, kubeconfig: Path, left: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    command = ["finalizers", "release", "cm", "--all", "-n", left, "--finalizer", MINE]
    command += ["--kubeconfig", str(kubeconfig)]
    listed = [f"ConfigMap {left}/a: {MINE} (not being deleted)", f"ConfigMap {left}/b: {MINE} (being deleted)"]
    before = finalizers(cs, left)

    assert main([*command, "--dry-run"]) == 0
    assert capsys.readouterr().out.splitlines() == listed
    monkeypatch.setattr(sys, "stdin", io.StringIO())
    assert main(command) == 1
    assert "pass --yes where nobody can be asked" in capsys.readouterr().err
    assert finalizers(cs, left) == before

    assert main([*command, "--yes"]) == 0
    released = [f"ConfigMap {left}/a: released", f"ConfigMap {left}/b: released"]
    assert capsys.readouterr().out.splitlines() == [*listed, *released]
    assert finalizers(cs, left) == {"a": [THEIRS], "c": [THEIRS]}
    assert main([*command, "--yes"]) == 0
    assert "nothing has the finalizer" in capsys.readouterr().out


def test_fin_05_by_name(cs: Clientset, kubeconfig: Path, left: str, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["finalizers", "release", "configmaps"]
    options = ["--finalizer", MINE, "--kubeconfig", str(kubeconfig), "-y", "-n", left]

    assert main([*command, "b", "c", *options]) == 0
    assert finalizers(cs, left) == {"a": [THEIRS, MINE], "c": [THEIRS]}
    assert main([*command, "nope", *options]) == 1
    assert 'configmaps "nope" not found' in capsys.readouterr().err
    for wrong in ([], ["a", "--all"], ["a", "-A"]):
        with pytest.raises(SystemExit):
            main([*command, *wrong, *options])
