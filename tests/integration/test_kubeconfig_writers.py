"""Several processes write the same kubeconfigs at once: nothing is lost, and no reader ever sees half a file."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from k8srt.tools.clientcmd import LoadingRules, load

pytestmark = pytest.mark.embedded

WRITERS, ENTRIES = 4, 6
WRITER = """
import sys, time
from k8srt.tools import clientcmd

who, entries = sys.argv[1], int(sys.argv[2])
refused = 0
for number in range(entries):
    while True:
        try:
            with clientcmd.editing() as config:
                config.users[f"{who}-{number}"] = clientcmd.AuthInfo(token="x" * 2000)
                config.users["shared"].impersonate_groups.append(f"{who}-{number}")
                config.current_context = who
            break
        except clientcmd.ConfigLocked:
            refused += 1
            time.sleep(0.002)
print(refused)
"""


def test_kcfg_37_concurrent_writers_lose_nothing(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    one.write_text("future: {kept: yes}\nusers: [{name: own, user: {token: t}}]\n")
    two.write_text("users: [{name: shared, user: {as: jane, future: 1}}]\n")
    environ = {**os.environ, "KUBECONFIG": f"{one}{os.pathsep}{two}"}

    writers = [
        subprocess.Popen(
            [sys.executable, "-c", WRITER, f"w{number}", str(ENTRIES)], env=environ, stdout=subprocess.PIPE, text=True
        )
        for number in range(WRITERS)
    ]
    while any(writer.poll() is None for writer in writers):
        LoadingRules(environ=environ).load()  # raises if a file is ever torn
    printed = [writer.communicate(timeout=30)[0] for writer in writers]

    assert [writer.returncode for writer in writers] == [0] * WRITERS
    assert all(line.strip().isdigit() for line in printed)
    written = {f"w{number}-{entry}" for number in range(WRITERS) for entry in range(ENTRIES)}
    first, second = load(one.read_bytes()), load(two.read_bytes())
    assert set(first.users) == written | {"own"}
    assert (first.unknown, first.users["own"].token) == ({"future": {"kept": True}}, "t")
    shared = second.users["shared"]
    assert set(shared.impersonate_groups) == written
    assert (shared.impersonate, shared.unknown, list(second.users)) == ("jane", {"future": 1}, ["shared"])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["one", "two"]
