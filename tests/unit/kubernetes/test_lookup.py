"""Resources by name, without a network."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from k8srt import errors
from k8srt.api.core.v1 import Pod
from k8srt.apimachinery.schema import GroupVersion
from k8srt.kubernetes import Clientset
from k8srt.kubernetes.lookup import ResourceTable
from k8srt.rest import Config
from tests.unit.discovery.answers import at_once


def test_a_class_asks_the_server_nothing() -> None:
    server = at_once()
    cs = Clientset(server.config())

    assert repr(cs.resource(Pod, "d")) == "<ResourceClient of pods v1 in d>"

    assert server.asked == []


def test_text_is_looked_up_once() -> None:
    server = at_once()
    cs = Clientset(server.config())

    clients = [cs.resource(text, "d") for text in ("po", "deploy", "Deployment.v1.apps")]

    assert [client.info.resource for client in clients] == ["pods", "deployments", "deployments"]
    assert clients[1].namespace("e").info == clients[1].info
    assert server.asked == ["/api", "/apis"]


@pytest.mark.parametrize("wrong", [3, None, int, object(), ("apps", "v1")])
def test_anything_else_is_a_type_error(wrong: object) -> None:
    with pytest.raises(TypeError, match=r"takes a class, text, a GroupVersionResource or a GroupVersionKind"):
        Clientset(at_once().config()).resource(wrong)  # type: ignore[call-overload]


def test_an_empty_table_and_one_with_failures() -> None:
    failed = ResourceTable(failed={GroupVersion("x.io", "v1"): errors.StaleGroupVersion("x.io/<v1>")})

    assert repr(ResourceTable()) == "NAME   SHORTNAMES   APIVERSION   NAMESPACED   KIND"
    assert "APIs: x.io/v1: stale GroupVersion discovery: x.io/<v1>" in repr(failed)
    assert "x.io/&lt;v1&gt;" in failed._repr_html_()


def test_usr_10_who_never_asks_loads_no_discovery() -> None:
    code = (
        "import sys; from k8srt.kubernetes import Clientset; from k8srt.rest import Config\n"
        "Clientset(Config()).core_v1.pods('d')\n"
        "print([name for name in sys.modules if name.startswith(('k8srt.discovery', 'k8srt.restmapper'))])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
        cwd=Path(__file__).resolve().parents[3],
    )

    assert done.stdout.strip() == "[]"


def test_making_a_clientset_asks_nothing() -> None:
    cs = Clientset(Config(host="http://fake"))

    assert not cs.discovery.fresh()
    assert repr(cs.mapper) == "<RESTMapper over <MemCacheClient over <DiscoveryClient of http://fake>>>"
