"""What docs/controllers.md shows of objects is run as it stands."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from k8srt.api.core.v1 import ConfigMap
from k8srt.apimachinery.meta import ObjectMeta
from k8srt.kubernetes import Clientset
from k8srt.testing.choosing import Server

PAGE = Path(__file__).resolve().parents[2] / "docs" / "controllers.md"
SECTION = PAGE.read_text().partition("\n## What is done to objects\n")[2].partition("\n## ")[0]
(SNIPPET,) = re.findall(r"```python\n(.*?)```", SECTION, re.DOTALL)


def test_the_snippet_does_what_it_says(own_server: Server, capsys: pytest.CaptureFixture[str]) -> None:
    with Clientset(own_server.config) as cs:
        cs.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}})
        names: dict[str, Any] = {"config": own_server.config}
        exec(compile(SNIPPET, str(PAGE), "exec"), names)
        sites, keys = cs.core_v1.config_maps("shop"), cs.core_v1.secrets("shop")
        with names["mgr"]:
            site = ConfigMap(metadata=ObjectMeta(name="a", labels={"kind": "site"}), data={"color": "red"})
            sites.create(site)
            sites.wait("a", lambda obj: obj.data.get("seen") == "red", timeout=20.0)
            sites.patch("a", {"data": {"color": "blue"}}, patch_type="merge")
            sites.wait("a", lambda obj: obj.data["seen"] == "blue", timeout=20.0)
            assert keys.get("a").data == {"color": b"blue"}
            assert keys.get("a").metadata.owner_references[0].name == "a"
            sites.delete("a")
            sites.wait("a", "delete", timeout=20.0)

    said = capsys.readouterr().out.splitlines()
    assert (said[0], said[-1]) == ("created", "closed a")
    assert said.count("updated") == 1
