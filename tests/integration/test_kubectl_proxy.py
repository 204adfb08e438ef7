"""Which servers kubectl reaches through a proxy, by the same environment, and which ones we do."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from k8srt.transport.proxy import proxy_for
from tests.integration.programs import LIMIT, binaries
from tests.integration.proxies import HTTPProxy

pytestmark = [pytest.mark.embedded, pytest.mark.kubectl]

CASES = [
    ("https://a.test:6443", ""),
    ("https://a.test:6443", "a.test"),
    ("https://x.a.test:6443", "a.test"),
    ("https://xa.test:6443", "a.test"),
    ("https://a.test:6443", ".a.test"),
    ("https://x.a.test:6443", "*.a.test"),
    ("https://a.test:6443", "*a.test"),
    ("https://A.TEST:6443", "a.test"),
    ("https://a.test.:6443", "a.test"),
    ("https://a.test:6443", "a.test:443"),
    ("https://a.test:6443", "a.test:6443"),
    ("https://a.test:6443", ":6443"),
    ("https://a.test:6443", "b.test, *"),
    ("https://10.1.2.3:6443", "10.0.0.0/8"),
    ("https://10.1.2.3:6443", "10.0.0.0/33"),
    ("https://10.1.2.3:6443", "2.3"),
    ("https://10.1.2.3:6443", "10.1.2.3"),
    ("https://10.1.2.3:6443", "10.1.2.3:443"),
    ("https://[fd00::1]:6443", "fd00::/8"),
    ("https://[fd00::1]:6443", "[fd00::1]:443"),
    ("https://[fd00::1]:6443", "[fd00::1]:6443"),
    ("https://[::ffff:10.1.2.3]:6443", "10.0.0.0/8"),
    ("https://127.0.0.1:1", ""),
    ("https://localhost:1", ""),
    ("https://x.localhost:1", ""),
]


@pytest.fixture(scope="module")
def newest() -> Path:
    """Older ones take the end of an address for a name."""
    found = binaries()
    if not found:
        pytest.skip("there is no kubectl on the PATH")
    return found[-1]


def test_rest_54_usr_36_the_environment_says_the_same_to_kubectl(newest: Path, tmp_path: Path) -> None:
    different = []
    with HTTPProxy(answer="403 Forbidden") as proxy:
        for url, no_proxy in CASES:
            before = proxy.connections
            environ = {
                "PATH": os.environ["PATH"],
                "HOME": str(tmp_path),
                "HTTPS_PROXY": proxy.url,
                "NO_PROXY": no_proxy,
            }
            flags = [f"--server={url}", "--token=x", "--kubeconfig=/dev/null", "--request-timeout=1s"]
            command = [str(newest), *flags, "--insecure-skip-tls-verify", "get", "--raw", "/version"]
            subprocess.run(command, env=environ, capture_output=True, timeout=LIMIT, check=False)

            theirs, ours = proxy.connections > before, proxy_for(url, "", environ) is not None
            if theirs is not ours:
                different.append(f"{url} with NO_PROXY={no_proxy}: kubectl {theirs}, we {ours}")

    assert different == []
