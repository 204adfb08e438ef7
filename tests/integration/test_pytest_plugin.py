"""The fixtures that come with the package, as a project of its own uses them: in a pytest of its own."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from k8srt.kubernetes import Clientset
from k8srt.testing import APIServer
from tests.integration.control_planes import write_programs
from tests.integration.programs import Process

pytestmark = pytest.mark.embedded

USES = """
def test_one(k8s_clientset, k8s_namespace, k8s_server):
    maps = k8s_clientset.core_v1.config_maps(k8s_namespace)
    maps.create({"metadata": {"name": "a"}, "data": {"k": "v"}})
    assert maps.get("a").data == {"k": "v"}
    assert k8s_namespace.startswith("test-one-")
    print("URL", k8s_server.url)

def test_two(k8s_config, k8s_server, k8s_namespace):
    k8s_config.user_agent = "mine"
    assert k8s_server.config.user_agent != "mine"
    assert k8s_namespace.startswith("test-two-")
"""


class Project:
    """A folder with tests, in which pytest is run with the plugin and nothing of this repository's."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "pytest.ini").write_text("[pytest]\nfilterwarnings = error\n")

    def write(self, **files: str) -> None:
        for name, text in files.items():
            (self.folder / f"{name}.py").write_text(textwrap.dedent(text))

    def run(self, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
        env = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "K8SRT_"))},
            "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
            "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",  # so that it works from a checkout that is not installed, too
            **environment,
        }
        command = [
            sys.executable,
            "-m",
            "pytest",
            "-p",
            "k8srt.testing.pytest_plugin",
            "-p",
            "no:cacheprovider",
            *words,
        ]
        return subprocess.run(
            command, cwd=self.folder, env=env, capture_output=True, text=True, timeout=50, check=False
        )


@pytest.fixture
def project(tmp_path: Path) -> Project:
    folder = tmp_path / "project"
    folder.mkdir()
    return Project(folder)


def test_the_fixtures_are_about_an_embedded_server_unless_told(project: Project) -> None:
    project.write(test_uses=USES)

    done = project.run("-s")

    assert done.returncode == 0, done.stdout
    assert "2 passed" in done.stdout
    assert "URL http://127.0.0.1:" in done.stdout


def test_the_embedded_server_has_the_options_that_a_conftest_gives(project: Project) -> None:
    project.write(
        conftest="""
        import pytest

        @pytest.fixture(scope="session")
        def k8s_server_options():
            return {"tls": True}
        """,
        test_uses=USES,
    )

    done = project.run("-s")

    assert "2 passed" in done.stdout, done.stdout
    assert "URL https://127.0.0.1:" in done.stdout


def test_nothing_is_loaded_where_no_fixture_is_asked_for(project: Project) -> None:
    project.write(
        test_light="""
        import sys

        def test_light():
            assert not {"msgspec", "urllib3", "yaml", "cryptography"} & set(sys.modules)
            loaded = {each for each in sys.modules if each.startswith("k8srt.")}
            assert loaded <= {f"k8srt.{each}" for each in ("_lazy", "_version", "errors", "testing", PLUGIN)}

        PLUGIN = "testing.pytest_plugin"
        """
    )

    done = project.run()

    assert "1 passed" in done.stdout, done.stdout
    assert "K8SRT_TEST_SERVER" not in done.stdout


def test_a_server_that_there_is_not_is_named(project: Project) -> None:
    project.write(test_uses=USES)

    done = project.run(K8SRT_TEST_SERVER="minikube")

    assert done.returncode == 1
    assert "$K8SRT_TEST_SERVER is 'minikube'; it may be one of embedded, envtest, kubeconfig" in done.stdout


def test_the_current_context_is_used_and_namespaces_go(project: Project, tmp_path: Path) -> None:
    project.write(test_uses=USES)
    kubeconfig = tmp_path / "config"
    with APIServer(tls=True, authorization_mode="RBAC") as server, Clientset(server.config) as cs:
        kubeconfig.write_text(server.kubeconfig())

        done = project.run("-s", K8SRT_TEST_SERVER="kubeconfig", KUBECONFIG=str(kubeconfig))

        assert "2 passed" in done.stdout, done.stdout
        assert f"URL {server.url}" in done.stdout
        assert "tests talk to the server that K8SRT_TEST_SERVER=kubeconfig names" in done.stdout
        left = [each for each in cs.core_v1.namespaces().list() if each.metadata.name.startswith("test-")]
        assert all(each.metadata.deletion_timestamp is not None for each in left)


def test_a_server_in_another_process_does_as_well(project: Project, tmp_path: Path) -> None:
    project.write(test_uses=USES)
    kubeconfig = tmp_path / "config"
    server = Process("k8srt.cli.main", "apiserver", "--kubeconfig", kubeconfig)
    try:
        server.wait_for("KUBECONFIG=")

        done = project.run(K8SRT_TEST_SERVER="kubeconfig", KUBECONFIG=str(kubeconfig))
    finally:
        server.stop()

    assert "2 passed" in done.stdout, done.stdout


def test_a_control_plane_is_started_and_stopped(project: Project, tmp_path: Path) -> None:
    pytest.importorskip("cryptography")
    project.write(test_uses=USES)
    notes = write_programs(tmp_path / "bin")

    done = project.run(
        "-s", K8SRT_TEST_SERVER="envtest", KUBEBUILDER_ASSETS=str(notes), FAKE_FOLDER=str(notes), TMPDIR=str(tmp_path)
    )

    assert "2 passed" in done.stdout, done.stdout
    assert "URL https://127.0.0.1:" in done.stdout
    assert (notes / "order").read_text().split() == ["kube-apiserver", "etcd"]


def test_a_control_plane_that_is_not_installed_is_an_error_not_a_pass(project: Project, tmp_path: Path) -> None:
    project.write(test_uses=USES)

    done = project.run(K8SRT_TEST_SERVER="envtest", KUBEBUILDER_ASSETS=str(tmp_path / "nowhere"))

    assert done.returncode == 1
    assert "etcd was not found" in done.stdout


def test_the_entry_point_names_the_module() -> None:
    text = (Path(__file__).resolve().parents[2] / "setup.cfg").read_text(encoding="utf-8")

    assert "pytest11 =\n    k8srt = k8srt.testing.pytest_plugin\n" in text
