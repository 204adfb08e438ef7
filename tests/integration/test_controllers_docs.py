"""What docs/controllers.md shows is run as it stands."""

from __future__ import annotations

import importlib
import re
from pathlib import Path
from typing import Any

import pytest

from k8srt.api.core.v1 import ConfigMap
from k8srt.apimachinery.meta import ObjectMeta
from k8srt.kubernetes import Clientset
from k8srt.testing.choosing import Server

PAGE = Path(__file__).resolve().parents[2] / "docs" / "controllers.md"


def snippets_of(title: str) -> list[str]:
    """The code of a section."""
    section = PAGE.read_text().partition(f"\n## {title}\n")[2].partition("\n## ")[0]
    return re.findall(r"```python\n(.*?)```", section, re.DOTALL)


def test_the_controller_does_what_it_says_and_so_does_its_test(own_server: Server) -> None:
    (controller,) = snippets_of("A controller in one page")
    (test,) = snippets_of("Testing")
    with Clientset(own_server.config) as cs:
        names: dict[str, Any] = {"config": own_server.config}
        exec(compile(controller, str(PAGE), "exec"), names)
        with names["mgr"]:
            meta = ObjectMeta(name="a", labels={"copy": "wanted"})
            cs.core_v1.config_maps("default").create(ConfigMap(metadata=meta, data={"k": "v"}))
            secrets = cs.core_v1.secrets("default")
            assert secrets.wait("a", "create", timeout=20.0).data == {"k": b"v"}
            copies = secrets.list(field_selector="type=Opaque")
            assert [each.metadata.name for each in copies] == ["a"]
        exec(compile(test, str(PAGE), "exec"), names)


@pytest.mark.timeout(180)
def test_thr_06_the_process_of_a_controller_does_what_it_says(
    own_server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (program,) = snippets_of("Processes")
    (tmp_path / "digests_of_the_page.py").write_text(program)
    (tmp_path / "kubeconfig").write_text(own_server.kubeconfig())
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "kubeconfig"))
    monkeypatch.syspath_prepend(str(tmp_path))
    with Clientset(own_server.config) as cs, importlib.import_module("digests_of_the_page").mgr:
        maps = cs.core_v1.config_maps("default")
        maps.create(ConfigMap(metadata=ObjectMeta(name="d", labels={"digest": "wanted"}), data={"text": "some"}))
        done = maps.wait("d", lambda obj: obj is not None and "digest" in obj.data, timeout=120.0)

    assert len(done.data["digest"]) == 64
