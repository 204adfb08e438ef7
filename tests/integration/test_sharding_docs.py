"""What docs/controllers.md shows of sharding is run as it stands."""

from __future__ import annotations

import logging
import re
from pathlib import Path
from typing import Any

import pytest

from k8srt.api.core.v1 import ConfigMap
from k8srt.apimachinery.meta import ObjectMeta
from k8srt.kubernetes import Clientset
from k8srt.testing import eventually
from k8srt.testing.choosing import Server

PAGE = Path(__file__).resolve().parents[2] / "docs" / "controllers.md"


def test_shd_01_the_page_does_what_it_says(own_server: Server, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    section = PAGE.read_text().partition("\n## Replicas that share the work\n")[2].partition("\n## ")[0]
    (program,) = re.findall(r"```python\n(.*?)```", section, re.DOTALL)
    names: dict[str, Any] = {"config": own_server.config}

    exec(compile(program, str(PAGE), "exec"), names)
    with Clientset(own_server.config) as cs, names["mgr"] as mgr:
        cs.core_v1.config_maps("default").create(ConfigMap(metadata=ObjectMeta(name="a")))
        eventually(lambda: "configmap default/a: one of mine" in caplog.text, timeout=30.0)
        [lease] = cs.coordination_v1.leases("default").list(label_selector="k8srt.io/ring=foo-controller")

        assert mgr.lease == ("default", lease.metadata.name)
        assert list(mgr.shard.view.states) == [lease.metadata.name]
