"""An informer whose proxy drops everything again and again misses nothing."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from k8srt.api.core.v1 import ConfigMap
from k8srt.apimachinery.meta import ObjectMeta
from k8srt.informers import SharedInformerFactory
from k8srt.kubernetes import Clientset
from k8srt.testing.apiserver.server import APIServer
from k8srt.util.wait import Backoff
from tests.integration.proxies import HTTPProxy, SocksProxy

pytestmark = pytest.mark.embedded

pytest.importorskip("cryptography", reason="certificates are made with cryptography")

QUICK = Backoff(initial=0.005, factor=1.5, cap=0.05)
ROUNDS = 5


class Names:
    """What was added, in order."""

    def __init__(self) -> None:
        self.cond = threading.Condition()
        self.names: list[str] = []

    def on_add(self, obj: ConfigMap, is_in_initial_list: bool) -> None:
        with self.cond:
            self.names.append(obj.metadata.name)
            self.cond.notify_all()

    def on_update(self, old: ConfigMap, new: ConfigMap) -> None:
        raise AssertionError("nothing was changed")

    def on_delete(self, obj: ConfigMap) -> None:
        raise AssertionError("nothing was deleted")


@pytest.mark.parametrize("kind", [HTTPProxy, SocksProxy])
def test_usr_36_an_informer_recovers_from_a_proxy_that_drops_its_connections(kind: Any) -> None:
    if kind is SocksProxy:
        pytest.importorskip("socks")
    seen = Names()
    expected = [f"c{number}" for number in range(ROUNDS)]

    with APIServer(tls=True) as server, kind() as proxy, Clientset(server.config) as direct:
        config = server.config
        config.proxy_url = proxy.url
        with Clientset(config) as cs:
            factory = SharedInformerFactory(cs, namespace="default", backoff=QUICK)
            factory.core_v1.config_maps.informer.add_event_handler(seen)
            with factory:
                for name in expected:
                    made = ConfigMap(metadata=ObjectMeta(name=name))
                    direct.core_v1.config_maps("default").create(made)
                    with seen.cond:
                        assert seen.cond.wait_for(lambda name=name: name in seen.names, 20.0), seen.names
                    proxy.hang_up()

        assert [name for name in seen.names if name.startswith("c")] == expected
        assert set(proxy.asked) == {f"127.0.0.1:{server.port}"}
        assert ROUNDS <= len(proxy.asked) <= 4 * ROUNDS
