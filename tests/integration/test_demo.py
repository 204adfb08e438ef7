"""`k8srt demo` as a person runs it: a process of its own, its exit code, its lines, and how it ends early."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from contextlib import contextmanager
from itertools import pairwise

import pytest

LIMIT = 50.0


def demo(*words, **environment):
    """The command line and the rest of what `subprocess` needs to run the demo."""
    kept = {key: value for key, value in os.environ.items() if key not in ("KUBECONFIG", "NO_COLOR")}
    return {
        "args": [sys.executable, "-m", "k8srt.cli.main", "demo", *map(str, words)],
        "env": {**kept, "PYTHONUNBUFFERED": "1", **environment},
        "stdout": subprocess.PIPE,
        "stderr": subprocess.PIPE,
        "text": True,
    }


@contextmanager
def started(*words):
    """The demo as a running process, which is ended with the block."""
    with subprocess.Popen(**demo(*words)) as process:
        try:
            yield process
        finally:
            process.kill()


@pytest.mark.embedded
def test_the_story_is_told_from_start_to_end():
    done = subprocess.run(**demo("--duration", 0), timeout=LIMIT, check=False)

    assert (done.returncode, done.stderr) == (0, "")
    said = done.stdout
    for line in (
        r"cluster +serves foos\.samplecontroller\.k8s\.io",
        r"you +apply Foo apple: 2 replicas",
        r"controller +apple: created Deployment apple with 2 replicas",
        r"cluster +apple: 2 of 2 replicas ready",
        r"controller +apple: set Deployment apple to 4 replicas; it had 2",
        r"you +delete Deployment pear",
        r"cluster +Deployment pear is gone",
        r"controller +quince: Deployment legacy exists already",
        r"controller +quince: created Deployment legacy with 2 replicas",
        r"cluster +Deployment plum is gone, with the Foo that owned it",
        r"apple +apple +4 +4 +Created, Scaled, Synced",
        r"All 3 Foos were reconciled",
    ):
        assert re.search(line, said), f"{line!r} isn't in\n{said}"
    assert "\x1b" not in said  # nobody looks at a terminal


@pytest.mark.embedded
def test_each_line_says_when_and_time_goes_on():
    done = subprocess.run(**demo("--duration", 0), timeout=LIMIT, check=False)

    times = [float(match[1]) for match in re.finditer(r"^ +(\d+\.\d\d)s  \w", done.stdout, re.M)]
    assert len(times) > 20
    assert all(later - earlier > -0.1 for earlier, later in pairwise(times))


@pytest.mark.embedded
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_ends_it_at_once_and_cleanly(number):
    with started("--duration", 60) as process:
        for line in process.stdout:
            if "apple: created" in line:
                break
        process.send_signal(number)

        _, errors = process.communicate(timeout=10)
        assert process.returncode == 130
        assert "Traceback" not in errors


@pytest.mark.embedded
def test_it_ends_when_nobody_reads_any_more():
    with started("--duration", 60) as process:
        process.stdout.readline()
        process.stdout.close()

        assert process.wait(timeout=LIMIT) == 1
        assert process.stderr.read() == ""


@pytest.mark.embedded
def test_a_step_that_takes_too_long_is_named():
    done = subprocess.run(**demo("--stand-ins", "off", "--timeout", "0.5", "--duration", 0), timeout=LIMIT, check=False)

    assert done.returncode == 1
    assert re.fullmatch(r"k8srt demo: Foo apple isn't reconciled: .*--stand-ins on after 0\.5 s\n", done.stderr)


@pytest.mark.embedded
def test_an_unknown_context_is_one_line(tmp_path):
    kubeconfig = tmp_path / "config"
    kubeconfig.write_text("apiVersion: v1\nkind: Config\ncontexts: []\n")

    done = subprocess.run(**demo("--kubeconfig", kubeconfig, "--context", "nope"), timeout=LIMIT, check=False)

    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "nope" in done.stderr


@pytest.mark.embedded
def test_a_server_that_is_not_there_is_one_line(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    kubeconfig = tmp_path / "config"
    kubeconfig.write_text(
        f"""
apiVersion: v1
kind: Config
current-context: gone
clusters: [{{name: gone, cluster: {{server: "http://127.0.0.1:{port}"}}}}]
users: [{{name: me, user: {{}}}}]
contexts: [{{name: gone, context: {{cluster: gone, user: me}}}}]
"""
    )

    done = subprocess.run(**demo("--kubeconfig", kubeconfig), timeout=LIMIT, check=False)

    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert f"127.0.0.1:{port}" in done.stderr


@pytest.fixture
def server(own_server):
    return own_server


@pytest.mark.idle
def test_in_a_cluster_of_somebody_it_cleans_up_after_itself(cs, kubeconfig):
    before = {each.metadata.name for each in cs.apiextensions_v1.custom_resource_definitions().list()}

    words = ("--kubeconfig", kubeconfig, "--stand-ins", "on", "--duration", 0)
    done = subprocess.run(**demo(*words), timeout=LIMIT, check=False)

    assert (done.returncode, done.stderr) == (0, "")
    assert {each.metadata.name for each in cs.apiextensions_v1.custom_resource_definitions().list()} <= before
    namespaces = [each for each in cs.core_v1.namespaces().list() if each.metadata.name.startswith("k8srt-demo")]
    assert all(each.metadata.deletion_timestamp for each in namespaces)
