"""Where the programs of a control plane are."""

from __future__ import annotations

from pathlib import Path

import pytest

from k8srt.errors import ConfigError
from k8srt.testing.control_plane_binaries import BinaryNotFound, duration, find_binary


def program(folder: Path, name: str = "kube-apiserver") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return path


def test_ete_01_programs_are_found_by_variable_folder_argument_usual_place_and_path(tmp_path: Path) -> None:
    own = program(tmp_path / "own", "my-apiserver")
    assets, asked, usual, on_path = (program(tmp_path / each) for each in ("assets", "asked", "usual", "path"))
    env = {
        "TEST_ASSET_KUBE_APISERVER": str(own),
        "KUBEBUILDER_ASSETS": str(assets.parent),
        "PATH": str(on_path.parent),
    }

    def find() -> Path:
        return find_binary("kube-apiserver", asked.parent, env, usual.parent)

    assert find() == own
    del env["TEST_ASSET_KUBE_APISERVER"]
    assert find() == assets
    del env["KUBEBUILDER_ASSETS"]
    assert find() == asked
    asked.unlink()
    assert find() == usual
    usual.unlink()
    assert find() == on_path


def test_ete_01_a_variable_wins_even_if_nothing_is_there(tmp_path: Path) -> None:
    there = program(tmp_path / "asked")

    with pytest.raises(BinaryNotFound, match=r"/nowhere/kube-apiserver \(\$KUBEBUILDER_ASSETS\)"):
        find_binary("kube-apiserver", there.parent, {"KUBEBUILDER_ASSETS": "/nowhere", "PATH": str(there.parent)})
    with pytest.raises(BinaryNotFound, match=r"/nowhere/it \(\$TEST_ASSET_KUBE_APISERVER\)"):
        find_binary("kube-apiserver", there.parent, {"TEST_ASSET_KUBE_APISERVER": "/nowhere/it"})


def test_ete_01_the_error_names_every_place(tmp_path: Path) -> None:
    (tmp_path / "etcd").write_text("no program: it cannot be run")

    with pytest.raises(BinaryNotFound) as caught:
        find_binary("etcd", tmp_path, {"PATH": ""}, Path("/usual"))

    text = str(caught.value)
    assert isinstance(caught.value, ConfigError)
    assert f"{tmp_path / 'etcd'} (bin_dir), /usual/etcd, and not on $PATH" in text
    assert "setup-envtest" in text


@pytest.mark.parametrize(
    ("text", "seconds"), [("20s", 20.0), ("1m30s", 90.0), ("500ms", 0.5), ("1.5h", 5400.0), ("2m", 120.0)]
)
def test_ete_01_timeouts_are_durations_of_go(text: str, seconds: float) -> None:
    assert duration(text) == seconds


@pytest.mark.parametrize("text", ["", "20", "s", "20 s", "-5s", "20x"])
def test_ete_01_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is no duration"):
        duration(text)
