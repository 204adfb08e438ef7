"""The server of tests that do not care which one it is: `$K8SRT_TEST_SERVER` says. See docs/testing.md."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from k8srt import errors
from k8srt.kubernetes import Clientset
from k8srt.testing import APIServer, eventually
from k8srt.testing.choosing import Mode, Server, chosen

CRDS = "customresourcedefinitions.apiextensions.k8s.io"
Held = set[tuple[str, str, str]]


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


@pytest.fixture(scope="module")
def embedded_server() -> Iterator[APIServer]:
    """The embedded server, whatever is chosen: for tests of its own, or of programs that know it by URL and token."""
    with APIServer() as server:
        yield server


@pytest.fixture
def cs(server: Server) -> Iterator[Clientset]:
    """A client of the `server` of the module."""
    with Clientset(server.config) as cs:
        yield cs


@pytest.fixture
def namespace(cs: Clientset, request: pytest.FixtureRequest) -> str:
    """A namespace of the test's own."""
    name = f"t-{abs(hash(request.node.name)) % 10**8}"
    cs.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    return name


@contextmanager
def _server(request: pytest.FixtureRequest) -> Iterator[Server]:
    if chosen() is Mode.EMBEDDED:
        with APIServer() as server:
            yield server
        return
    if chosen() is Mode.ENVTEST and request.node.get_closest_marker("cluster") is not None:
        pytest.skip("a control plane alone removes no namespaces and makes no service accounts")
    shared: Server = request.getfixturevalue("k8s_server")
    config = shared.config.copy()
    config.qps = -1.0
    with Clientset(config) as cs:
        before = _held(cs)
        yield shared
        _remove(cs, _held(cs) - before)


def _held(cs: Clientset) -> Held:
    """Resource, namespace and name of what tests may have made: definitions, namespaces, what is in `default`."""
    found = {(which, "", each.metadata.name) for which in (CRDS, "namespaces") for each in cs.resource(which).list()}
    cs.discovery.invalidate()
    for row in cs.api_resources(namespaced=True):
        if {"list", "delete"} <= set(row.verbs) and row.kind != "Event":
            name = f"{row.resource}.{row.gvk.group}" if row.gvk.group else row.resource
            listed = cs.resource(name, "default").list()
            found |= {(name, "default", each.metadata.name) for each in listed}
    return found


def _remove(cs: Clientset, made: Held) -> None:
    """Delete what was made, what is in a namespace first, and wait until definitions are gone."""
    for which, namespace, name in sorted(made, key=lambda each: (not each[1], each)):
        client = cs.resource(which, namespace)
        try:
            if namespace:
                client.patch(name, {"metadata": {"finalizers": None}}, patch_type="merge")
            client.delete(name, **({"grace_period_seconds": 0} if namespace else {}))
        except errors.NotFound:
            continue
    cs.core_v1.events("default").delete_collection()
    gone = {name for which, _, name in made if which == CRDS}
    eventually(lambda: not gone & {each.metadata.name for each in cs.resource(CRDS).list()})
    cs.mapper.reset()
