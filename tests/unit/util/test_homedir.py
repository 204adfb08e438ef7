"""Where the user's files are. Contract: CLI-57."""

from __future__ import annotations

import os

from k8srt.util.homedir import home_dir


def test_cli_57_home_is_what_the_environment_says():
    assert home_dir({"HOME": "/somewhere"}, windows=False) == "/somewhere"


def test_cli_57_without_it_the_system_is_asked(monkeypatch):
    monkeypatch.setattr(os.path, "expanduser", lambda path: "/home/of-the-user")

    assert home_dir({}, windows=False) == "/home/of-the-user"


def test_cli_57_nobody_knows(monkeypatch):
    monkeypatch.setattr(os.path, "expanduser", lambda path: path)

    assert home_dir({}, windows=False) == ""
    assert home_dir({}, windows=True) == ""


def test_cli_57_on_windows_the_first_with_a_kubeconfig_wins(tmp_path):
    home, profile, drive = (tmp_path / name for name in ("home", "profile", "drive"))
    for place in (home, profile, drive):
        place.mkdir()
    environ = {"HOME": str(home), "USERPROFILE": str(profile), "HOMEDRIVE": str(tmp_path), "HOMEPATH": "/drive"}

    assert home_dir(environ, windows=True) == str(home)

    (profile / ".kube").mkdir()
    (profile / ".kube" / "config").touch()
    assert home_dir(environ, windows=True) == str(profile)

    (drive / ".kube").mkdir()
    (drive / ".kube" / "config").touch()
    assert home_dir(environ, windows=True) == str(drive)


def test_cli_57_on_windows_what_is_there_comes_before_what_is_only_set(tmp_path):
    there = tmp_path / "there"
    there.mkdir()

    assert home_dir({"HOME": "/none", "USERPROFILE": str(there)}, windows=True) == str(there)
    assert home_dir({"USERPROFILE": "/none", "HOMEDRIVE": "C:", "HOMEPATH": "/x"}, windows=True) == "/none"
