"""What an import may load, measured in a fresh interpreter, and which way imports run."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
THIRD_PARTY = ("cachetools", "cryptography", "msgspec", "urllib3", "yaml")

BUDGET = {
    "k8srt": set(),
    "k8srt.errors": set(),
    "k8srt.util.clock": set(),
    "k8srt.util.threads": set(),
    "k8srt.util.wait": set(),
    "k8srt.util.workqueue": set(),
    "k8srt.util.workqueue.rate_limiting": set(),
    "k8srt.apimachinery.object": {"msgspec"},
    "k8srt.apimachinery.unstructured": {"msgspec"},
    "k8srt.apimachinery.labels": {"msgspec"},
    "k8srt.api.core.v1": {"msgspec"},
    "k8srt.api.apps.v1": {"msgspec"},
    "k8srt.tools.cache.shared_informer": {"msgspec"},
    "k8srt.listers.lister": {"msgspec"},
    "k8srt.rest.client": {"msgspec", "urllib3"},
    "k8srt.kubernetes.clientset": {"msgspec", "urllib3"},
    "k8srt.discovery.client": {"cachetools", "msgspec", "urllib3"},
    "k8srt.tools.record.broadcaster": {"cachetools", "msgspec", "urllib3"},
    "k8srt.tools.events.adapter": {"cachetools", "msgspec", "urllib3"},
    "k8srt.restmapper.mapper": {"msgspec", "urllib3"},
    "k8srt.tools.clientcmd.loading": {"msgspec", "urllib3", "yaml"},
}


def loaded_by(module: str) -> set[str]:
    code = f"import sys; import {module}; print(*sorted(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    return set(done.stdout.split())


@pytest.mark.parametrize("module", BUDGET)
def test_usr_10_an_import_loads_no_more_than_its_budget(module):
    found = {name.partition(".")[0] for name in loaded_by(module)}

    assert found & set(THIRD_PARTY) <= BUDGET[module]


def test_usr_10_the_front_door_loads_the_standard_library_only_and_no_api_group():
    found = loaded_by("k8srt")

    outside = {name for name in found if name.partition(".")[0] not in sys.stdlib_module_names | {"k8srt", "__main__"}}
    assert {
        name for name in outside if not name.startswith(("__editable__", "_distutils_hack", "_virtualenv"))
    } == set()
    assert not any(name.startswith("k8srt.api") for name in found)


def test_a_group_version_loads_only_the_group_versions_it_refers_to():
    found = {name for name in loaded_by("k8srt.api.coordination.v1") if name.startswith("k8srt.api.")}

    assert found == {"k8srt.api.coordination", "k8srt.api.coordination.v1"}


def test_every_name_of_the_front_door_can_be_had():
    code = "import k8srt; [getattr(k8srt, name) for name in k8srt.__all__]; print(len(dir(k8srt)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60)

    assert done.returncode == 0, done.stderr
    assert int(done.stdout) >= 20


def test_imports_run_one_way():
    pytest.importorskip("importlinter")
    done = subprocess.run(
        [sys.executable, "-c", "from importlinter.cli import lint_imports_command as run; run()", "--no-cache"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr
