"""The embedded server against the answers that a real one gave."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from k8srt.testing import APIServer
from k8srt.testing.apiserver.auth import AUTHENTICATED, User

pytestmark = [pytest.mark.embedded, pytest.mark.shared, pytest.mark.timeout(150)]

FLOOR = {"core": 1357, "exact": 1372}
"""Steps that agree at each level; they may only rise. A few exact ones depend on the order of dictionaries."""

TOKENS = {
    "admintoken": User("admin", "1", ("system:masters", AUTHENTICATED)),
    "usertoken": User("alice", "2", ("dev", AUTHENTICATED)),
}


def test_recorded_conversations_agree(shared: Path, tmp_path: Path):
    """The recordings were made with no controllers running, so there are none here."""
    report = tmp_path / "report.json"
    switches = {"garbage_collection": False, "namespace_controller": False, "default_service_accounts": False}
    with APIServer(tokens=TOKENS, authorization_mode="RBAC", **switches) as server:
        replay = shared / "conformance" / "replay.py"
        command = [sys.executable, str(replay), "--server", server.url, "--json", str(report)]
        played = subprocess.run(command, capture_output=True, text=True, timeout=140, check=False)

    assert report.exists(), played.stdout + played.stderr
    found = json.loads(report.read_text())
    for level, floor in FLOOR.items():
        passed = sum(area[level][0] for area in found["areas"].values())
        failures = [f"{each['scenario']} {each['step']}: {each[level]}" for each in found["steps"] if each[level]]
        assert passed >= floor, f"{level}: {passed}\n" + "\n".join(failures)
