"""Fixtures for pytest, which come with the package: `k8s_server`, `k8s_config`, `k8s_clientset`, `k8s_namespace`.

    def test_scaling(k8s_clientset, k8s_namespace):
        k8s_clientset.apps_v1.deployments(k8s_namespace).create(web)

`$K8SRT_TEST_SERVER` says which server they are about: see `k8srt.testing.choosing`. pytest imports this module in every
project of the environment, so it loads nothing before a fixture is asked for. `-p no:k8srt` leaves it out.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from k8srt.kubernetes import Clientset
    from k8srt.rest import Config
    from k8srt.testing.choosing import Server

_VARIABLE = "K8SRT_TEST_SERVER"


def pytest_report_header(config: pytest.Config) -> str | None:
    """Say which server it is, where that was chosen."""
    text = os.environ.get(_VARIABLE, "")
    return f"k8srt: tests talk to the server that {_VARIABLE}={text} names" if text else None


@pytest.fixture(scope="session")
def k8s_server_options() -> dict[str, Any]:
    """Keywords for the embedded `APIServer`; override it in a conftest.py to have others than the usual ones."""
    return {}


@pytest.fixture(scope="session")
def k8s_server(k8s_server_options: dict[str, Any]) -> Iterator[Server]:
    """One server for all tests: an `APIServer`, or what `$K8SRT_TEST_SERVER` says."""
    from k8srt.testing.choosing import open_server

    with open_server(**k8s_server_options) as server:
        yield server


@pytest.fixture
def k8s_config(k8s_server: Server) -> Config:
    """How to reach it as an administrator; one's own, so it may be changed."""
    return k8s_server.config.copy()


@pytest.fixture
def k8s_clientset(k8s_config: Config) -> Iterator[Clientset]:
    """A clientset, closed after the test."""
    from k8srt.kubernetes import Clientset

    with Clientset(k8s_config) as clientset:
        yield clientset


@pytest.fixture
def k8s_namespace(k8s_server: Server, request: pytest.FixtureRequest) -> Iterator[str]:
    """The name of a namespace of the test's own, deleted after it; what waits for finalizers then is not waited for."""
    from k8srt.kubernetes import Clientset

    prefix = re.sub(r"[^a-z0-9]+", "-", request.node.name.lower()).strip("-")[:40].strip("-") or "test"
    with Clientset(k8s_server.config) as clientset:
        namespaces = clientset.core_v1.namespaces()
        made = namespaces.create({"metadata": {"generateName": f"{prefix}-"}})
        name = str(made.metadata.name)
        try:
            yield name
        finally:
            _forget(namespaces, name)


def _forget(namespaces: Any, name: str) -> None:
    from k8srt.errors import NotFound

    try:
        namespaces.delete(name)
    except NotFound:
        pass
