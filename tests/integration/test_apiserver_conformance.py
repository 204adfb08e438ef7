"""The embedded server against the answers that a real one gave."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from k8srt.testing import APIServer
from k8srt.testing.apiserver.auth import AUTHENTICATED, User

pytestmark = [pytest.mark.shared, pytest.mark.timeout(150)]

PASSING_AT_CORE = 1349
"""Steps that agree; it may only rise."""

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

    last = played.stdout.strip().splitlines()[-1]
    passed = int(last.split()[0])
    failures = [line for line in played.stdout.splitlines() if ": expected" in line]
    assert json.loads(report.read_text())
    assert passed >= PASSING_AT_CORE, "\n".join(failures)
