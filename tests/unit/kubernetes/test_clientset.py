"""The clientset front."""

from __future__ import annotations

import subprocess
import sys
import threading

import pytest

from k8srt.api.core.v1 import Pod
from k8srt.apimachinery import scheme
from k8srt.apimachinery.schema import GroupVersionKind
from k8srt.errors import ConfigError, DecodeError
from k8srt.kubernetes import Clientset
from k8srt.kubernetes.typed._index import GROUPS
from k8srt.rest import Config
from k8srt.util.flowcontrol import TokenBucket


def test_cli_01_groups_and_resources() -> None:
    cs = Clientset(Config(host="http://fake"))

    assert repr(cs.core_v1.pods("default")) == "<PodClient of pods v1 in default>"
    assert cs.apps_v1.deployments("d").info.gvk.group == "apps"
    assert cs.core_v1 is cs.core_v1
    assert cs.core_v1.nodes().info.resource == "nodes"


def test_cli_01_one_rate_limiter_and_one_transport_for_all() -> None:
    cs = Clientset(Config(host="http://fake"))

    clients = [cs.rest_client, cs.core_v1.rest_client, cs.apps_v1.rest_client]

    assert len({id(client.rate_limiter) for client in clients}) == 1
    assert len({id(client.transport) for client in clients}) == 1
    assert isinstance(cs.rest_client.rate_limiter, TokenBucket)
    with pytest.raises(ConfigError, match="burst"):
        Clientset(Config(qps=5.0))


def test_every_group_loads_and_every_line_of_it_works() -> None:
    cs = Clientset(Config(host="http://fake"))

    for name in GROUPS:
        group = getattr(cs, name)
        for method in vars(type(group)):
            if not method.startswith("_"):
                assert getattr(group, method)().info.resource


def test_tab_completion_and_unknown_names() -> None:
    cs = Clientset(Config())

    assert set(GROUPS) <= set(dir(cs))
    assert "close" in dir(cs)
    with pytest.raises(AttributeError, match="core_v2"):
        cs.core_v2  # type: ignore[attr-defined]
    assert not hasattr(cs, "__deepcopy__")


def test_tab_completion_of_a_group_and_of_its_clients() -> None:
    cs = Clientset(Config(host="http://fake"))

    assert {name for name in dir(cs.apps_v1) if not name.startswith("_")} == {
        *("controller_revisions", "daemon_sets", "deployments", "replica_sets", "rest_client", "stateful_sets"),
    }
    assert {"get", "logs", "evict", "wait", "update_status"} <= set(dir(cs.core_v1.pods()))
    assert not {"get_scale", "create_token", "finalize"} & set(dir(cs.core_v1.pods()))
    assert not hasattr(cs.core_v1.bindings("x"), "get")


def test_cli_12_kinds_and_classes_are_found_by_each_other_and_nothing_is_defaulted() -> None:
    assert scheme.default.lookup(Pod.__info__.gvk) is Pod
    assert scheme.default.lookup(GroupVersionKind("example.com", "v1", "Unknown")) is None
    with pytest.raises(DecodeError, match=r"expected v1 Pod, got example\.com/v1 Unknown"):
        Pod.decode(b'{"apiVersion":"example.com/v1","kind":"Unknown"}')
    bare = b'{"apiVersion":"v1","kind":"Pod","metadata":{"name":"x"},"spec":{"containers":[{"name":"c"}]}}'
    pod = Pod.decode(bare)
    assert (pod.spec.restart_policy, pod.encode()) == (None, bare)


def test_a_client_by_class() -> None:
    cs = Clientset(Config(host="http://fake"))

    assert repr(cs.resource(Pod, namespace="d")) == "<ResourceClient of pods v1 in d>"
    with pytest.raises(TypeError, match="takes a class, text"):
        cs.resource(3)  # type: ignore[call-overload]


def test_usr_14_a_thousand_clientsets_start_nothing() -> None:
    before = threading.active_count()

    made = [Clientset(Config(host="http://fake")) for _ in range(1000)]

    assert threading.active_count() == before
    assert len(made) == 1000


def test_usr_10_no_group_is_loaded_before_it_is_touched() -> None:
    code = (
        "import sys; from k8srt.kubernetes import Clientset; from k8srt.rest import Config\n"
        "cs = Clientset(Config()); dir(cs)\n"
        "loaded = lambda: sorted(m for m in sys.modules if m.startswith('k8srt.api.') and m.count('.') == 3)\n"
        "assert loaded() == [], loaded()\n"
        "cs.core_v1\n"
        "assert 'k8srt.api.core.v1' in loaded() and 'k8srt.api.apps.v1' not in loaded(), loaded()\n"
        "assert 'yaml' not in sys.modules\n"
    )

    subprocess.run([sys.executable, "-c", code], check=True, timeout=50)


def test_a_config_is_copied() -> None:
    config = Config(host="http://fake")
    cs = Clientset(config)
    config.host = "http://other"

    assert cs.config.host == "http://fake"
