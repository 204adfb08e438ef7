"""The server of tests that do not care which one it is: `$K8SRT_TEST_SERVER` says. See docs/testing.md.

Every test of this folder is one of two kinds:

- about clients, informers, controllers, elections, kubectl: takes `server` from `module_server` or `own_server`, works
  in namespaces of its own (`namespace`), and takes nothing for granted that a cluster in use does not give;
- about the embedded server, about what only it can be told to do (faults, compaction, simulation, users), or about
  servers of the test's own: marked `embedded`, the module or the test, and left out where another server was chosen.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from k8srt import errors
from k8srt.kubernetes import Clientset
from k8srt.testing import APIServer, Simulation
from k8srt.testing.choosing import Mode, Server, chosen
from tests.integration import leftovers

QUICK = Simulation(start=(0.0, 0.01), stop=(0.0, 0.01))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave out what is not about the server that was chosen."""
    if chosen() is Mode.EMBEDDED:
        return
    for item in items:
        if item.get_closest_marker("embedded") is not None:
            item.add_marker(pytest.mark.skip(reason="about the embedded server, or servers of the test's own"))


@pytest.fixture(scope="module")
def module_server(request: pytest.FixtureRequest) -> Iterator[Server]:
    """A server for the tests of one module: embedded, one of its own."""
    with _server(request) as server:
        yield server


@pytest.fixture
def own_server(request: pytest.FixtureRequest) -> Iterator[Server]:
    """A server for one test: embedded, one of its own."""
    with _server(request) as server:
        yield server


@pytest.fixture
def rbac_server(request: pytest.FixtureRequest) -> Iterator[Server]:
    """A server for one test that lets people do what RBAC says: embedded, one of its own."""
    with _server(request, authorization_mode="RBAC") as server:
        with Clientset(server.config_for("nobody-in-particular")) as nobody:
            if _may_list(nobody):
                pytest.skip("this server lets everybody do everything")
        yield server


@pytest.fixture
def living_server(request: pytest.FixtureRequest) -> Iterator[Server]:
    """A server for one test in whose cluster workloads live: embedded, one of its own that simulates them."""
    with _server(request, simulate=QUICK) as server, Clientset(server.config) as cs:
        if not cs.core_v1.nodes().list(limit=1).items:
            pytest.skip("this cluster has no nodes")
        yield server


@pytest.fixture
def cs(server: Server) -> Iterator[Clientset]:
    """A client of the `server` of the module."""
    with Clientset(server.config) as cs:
        yield cs


@pytest.fixture
def namespace(cs: Clientset) -> str:
    """A namespace of the test's own. It goes with what else is left when the server does, or others come to use it."""
    made = cs.core_v1.namespaces().create({"metadata": {"generateName": leftovers.OWN_PREFIX}})
    return str(made.metadata.name)


@pytest.fixture
def kubeconfig(server: Server, tmp_path: Path) -> Path:
    """A file that says how to reach the `server` of the module, for programs."""
    path = tmp_path / "kubeconfig"
    path.write_text(server.kubeconfig())
    return path


@pytest.fixture(autouse=True)
def _new_enough(request: pytest.FixtureRequest) -> None:
    """Leave out what is marked `server_at_least("1.25")` where the server is older; the embedded one is new."""
    marker = request.node.get_closest_marker("server_at_least")
    if marker is None or chosen() is Mode.EMBEDDED:
        return
    needed: str = marker.args[0]
    found: str = request.getfixturevalue("server_version")
    if _numbers(found) < _numbers(needed):
        pytest.skip(f"the server is {found}, and this needs {needed}")


@pytest.fixture(autouse=True)
def _controlled(request: pytest.FixtureRequest) -> None:
    """Leave out what is marked `cluster` where there are no controllers; the embedded server has them."""
    if request.node.get_closest_marker("cluster") is None or chosen() is Mode.EMBEDDED:
        return
    if not request.getfixturevalue("has_controllers"):
        pytest.skip("this cluster has no controllers")


@pytest.fixture(autouse=True)
def _idle(request: pytest.FixtureRequest) -> None:
    """Leave out what is marked `idle` where workloads live; the embedded server does not simulate them."""
    if request.node.get_closest_marker("idle") is None or chosen() is Mode.EMBEDDED:
        return
    shared: Server = request.getfixturevalue("k8s_server")
    with Clientset(shared.config) as cs:
        made_by_managers = cs.core_v1.config_maps("kube-system").list(field_selector="metadata.name=kube-root-ca.crt")
        if cs.core_v1.nodes().list(limit=1).items or made_by_managers.items:
            pytest.skip("somebody works on the workloads of this cluster")


@pytest.fixture(scope="session")
def has_controllers(k8s_server: Server) -> bool:
    """Whether the server that all tests share belongs to a cluster: whether a namespace that is deleted goes."""
    if chosen() is Mode.ENVTEST:
        return False
    with Clientset(k8s_server.config) as cs:
        namespaces = cs.core_v1.namespaces()
        probe = namespaces.create({"metadata": {"generateName": leftovers.OWN_PREFIX}}).metadata.name
        namespaces.delete(probe)
        try:
            namespaces.wait(probe, "delete", timeout=30.0)
        except errors.WaitTimeout:
            leftovers.finish(cs, probe)
            return False
    return True


@pytest.fixture(scope="session")
def server_version(k8s_server: Server) -> str:
    """What the server that all tests share says of itself, such as "v1.33.2"."""
    with Clientset(k8s_server.config) as cs:
        return str(cs.discovery.server_version())


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(each) for each in re.findall(r"\d+", version)[:2])


@contextmanager
def _server(request: pytest.FixtureRequest, **options: Any) -> Iterator[Server]:
    if chosen() is Mode.EMBEDDED:
        with APIServer(**options) as server:
            yield server
        return
    shared: Server = request.getfixturevalue("k8s_server")
    controlled: bool = request.getfixturevalue("has_controllers")
    config = shared.config.copy()
    config.qps = -1.0
    with Clientset(config) as cs:
        before = leftovers.held(cs)
        yield shared
        leftovers.remove(cs, leftovers.held(cs) - before, controlled)


def _may_list(cs: Clientset) -> bool:
    try:
        cs.core_v1.secrets("default").list(limit=1)
    except errors.Forbidden:
        return False
    return True
