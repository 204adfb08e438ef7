"""What docs/dependents.md shows is run as it stands."""

from __future__ import annotations

import re
import threading
from pathlib import Path
from typing import Any

import pytest

from k8srt import errors
from k8srt.api.core.v1 import ConfigMap
from k8srt.apimachinery.meta import ObjectMeta
from k8srt.kubernetes import Clientset
from k8srt.testing.choosing import Server

PAGE = Path(__file__).resolve().parents[2] / "docs" / "dependents.md"
INSIDE, OUTSIDE = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
LONG = 30.0


@pytest.fixture(scope="module")
def server(module_server: Server) -> Server:
    return module_server


class Storage(dict[str, str]):
    """Somebody's storage, that tells when something comes."""

    def __init__(self) -> None:
        super().__init__()
        self.came = threading.Event()

    def __setitem__(self, name: str, value: str) -> None:
        super().__setitem__(name, value)
        self.came.set()


def test_the_snippets_do_what_they_say(cs: Clientset, namespace: str, server: Server) -> None:
    names: dict[str, Any] = {"config": server.config}
    for snippet in (INSIDE.replace('"shop")', f"{namespace!r})"), OUTSIDE):
        exec(compile(snippet, str(PAGE), "exec"), names)
    buckets = names["BUCKETS"] = Storage()
    maps, secrets = cs.core_v1.config_maps(namespace), cs.core_v1.secrets(namespace)

    def made(name: str, kind: str, **data: str) -> None:
        maps.create(ConfigMap(metadata=ObjectMeta(name=name, labels={"kind": kind}), data=data))

    with names["mgr"]:
        made("a", "site", color="red", users="ann bob")
        maps.wait("a", lambda obj: obj.data.get("state") == "ready, 2 keys", timeout=LONG)
        assert maps.get("a-settings").data == {"color": "red"}
        maps.patch("a", {"data": {"users": "bob"}}, patch_type="merge")
        maps.wait("a", lambda obj: obj.data.get("state") == "ready, 1 keys", timeout=LONG)
        secrets.wait("a-ann", "delete", timeout=LONG)
        assert secrets.get("a-bob").metadata.owner_references[0].name == "a"

        made("b", "shop", region="north")
        assert buckets.came.wait(LONG)
        assert buckets == {"b": "north"}
        maps.delete("b")
        maps.wait("b", "delete", timeout=LONG)

    assert buckets == {}
    with pytest.raises(errors.NotFound):
        maps.get("b")
