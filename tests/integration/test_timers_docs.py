"""What docs/controllers.md shows of timers and daemons is run as it stands."""

from __future__ import annotations

from typing import Any

from k8srt.api.core.v1 import ConfigMap
from k8srt.apimachinery.meta import ObjectMeta
from k8srt.kubernetes import Clientset
from k8srt.testing import eventually
from k8srt.testing.choosing import Server
from tests.integration.test_controllers_docs import PAGE, snippets_of

LONG = 30.0


def test_the_timer_and_the_daemon_do_what_is_said_of_them(own_server: Server) -> None:
    (code,) = snippets_of("Timers and daemons")
    with Clientset(own_server.config) as cs:
        names: dict[str, Any] = {"config": own_server.config}
        exec(compile(code, str(PAGE), "exec"), names)
        seen = names["seen"]
        with names["mgr"]:
            config_maps = cs.core_v1.config_maps("default")
            meta = ObjectMeta(name="a", labels={"probe": "yes", "stream": "yes"})
            config_maps.create(ConfigMap(metadata=meta, data={"host": "one", "every": "0.01"}))
            eventually(lambda: seen.count("probed one") > 2 and "streaming from one" in seen, timeout=LONG)
            config_maps.patch("a", {"data": {"host": "two"}}, patch_type="merge")
            eventually(lambda: "probed two" in seen and "streaming from two" in seen, timeout=LONG)
            config_maps.delete("a")
            eventually(
                lambda: "closed" in seen and not config_maps.list(label_selector="probe=yes").items, timeout=LONG
            )
