"""What the README shows is run as it stands."""

from __future__ import annotations

import re
import threading
from pathlib import Path

import pytest

from k8srt.api.apps.v1 import Deployment
from k8srt.api.core.v1 import ConfigMap, Pod
from k8srt.apimachinery.meta import ObjectMeta
from k8srt.kubernetes import Clientset

README = Path(__file__).resolve().parents[2] / "README.md"
SNIPPETS = re.findall(r"```python\n(.*?)```", README.read_text(), re.DOTALL)


@pytest.fixture
def cs(own_server):
    return Clientset(own_server.config)  # closed by what is shown


def snippet(containing: str) -> str:
    found = [text for text in SNIPPETS if containing in text]
    assert len(found) == 1
    return found[0]


def run(code: str, **names: object) -> dict[str, object]:
    exec(compile(code, str(README), "exec"), names)
    return names


def pod(name: str) -> Pod:
    spec = {"containers": [{"name": "main", "image": "example.com/app:1"}]}
    return Pod.from_dict({"metadata": {"name": name, "labels": {"app": "web"}}, "spec": spec})


def test_the_typed_client(cs, monkeypatch, capsys):
    monkeypatch.setattr("k8srt.kubernetes.connect.connect", lambda: cs)
    monkeypatch.setattr("k8srt.connect", lambda: cs, raising=False)
    labels = {"app": "web"}
    template = {"metadata": {"labels": labels}, "spec": pod("x").to_dict()["spec"]}
    spec = {"selector": {"matchLabels": labels}, "template": template}
    cs.apps_v1.deployments("default").create(Deployment.from_dict({"metadata": {"name": "web"}, "spec": spec}))
    cs.core_v1.pods("default").create(pod("web-0"))
    # the watch of the snippet goes on until somebody ends it
    code, _, watch = snippet("k8srt.connect()").partition("with cs.core_v1.pods")

    names = run(code, __name__="readme")
    end = '        if event.object.metadata.name == "web-0":\n            events.close()\n'
    run(f"with cs.core_v1.pods{watch}{end}", cs=names["cs"])

    said = capsys.readouterr().out
    assert re.search(r"^web-0 example.com/app:1 (Pending|Running)$", said, re.MULTILINE)
    assert 'pods "nope" not found' in said
    assert "ADDED <Pod default/web-0" in said
    assert cs.core_v1.config_maps("default").get("cfg").data == {"a": "2"}
    assert cs.apps_v1.deployments("default").get("web").spec.replicas == 3


WIDGETS = """
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: widgets.example.com}
spec:
  group: example.com
  scope: Namespaced
  names: {plural: widgets, kind: Widget}
  versions:
  - name: v1
    served: true
    storage: true
    schema:
      openAPIV3Schema: {type: object, properties: {spec: {type: object, properties: {size: {type: integer}}}}}
---
apiVersion: example.com/v1
kind: Widget
metadata: {name: one, namespace: default}
spec: {size: 7}
"""


def test_names_files_and_waiting(cs, monkeypatch, tmp_path, capsys):
    (tmp_path / "manifests").mkdir()
    (tmp_path / "manifests" / "widgets.yaml").write_text(WIDGETS)
    monkeypatch.chdir(tmp_path)
    ready = pod("web-0")
    ready.status.conditions = [{"type": "Ready", "status": "True"}]
    cs.core_v1.pods("default").create(ready)
    cs.core_v1.pods("default").update_status(ready)
    labels = {"app": "web"}
    template = {"metadata": {"labels": labels}, "spec": pod("x").to_dict()["spec"]}
    spec = {"replicas": 1, "selector": {"matchLabels": labels}, "template": template}
    cs.apps_v1.deployments("default").create(Deployment.from_dict({"metadata": {"name": "web"}, "spec": spec}))

    run(snippet("cs.apply("), cs=cs)

    said = capsys.readouterr().out
    assert "widget.example.com/one created\n" in said
    assert "\n7\n" in said
    assert "widgets" in said
    assert cs.apps_v1.deployments("default").get("web").spec.replicas == 2


def test_informers_listers_and_queues(cs):
    cs.core_v1.pods("default").create(pod("web-0"))
    seen: list[str] = []
    names: dict[str, object] = {"cs": cs}

    def reconcile(key: str) -> None:
        if key != "default/web-0":  # somebody else's
            return
        seen.append(key)
        if len(seen) == 1:
            raise RuntimeError("the first try fails")
        names["queue"].shut_down()  # type: ignore[attr-defined]

    names["reconcile"] = reconcile
    worker = threading.Thread(
        target=exec, args=(compile(snippet("RateLimitingQueue"), str(README), "exec"), names), daemon=True
    )
    worker.start()
    worker.join(timeout=30)

    assert not worker.is_alive()
    assert seen == ["default/web-0", "default/web-0"]


def test_a_controller_in_one_page(cs):
    cs.core_v1.config_maps("default").create(ConfigMap(metadata=ObjectMeta(name="mine")))
    code, run_it, rest = snippet("mgr.run()").partition("mgr.run()")
    names = run(code, cs=cs)
    manager = names["mgr"]

    def seen() -> list[str]:
        events = cs.events_v1.events("default").list()
        return [event.regarding.name for event in events if event.reason == "Seen"]

    runner = threading.Thread(target=exec, args=(run_it + rest, names), daemon=True)
    runner.start()
    assert manager.elected.wait(timeout=30)
    with cs.events_v1.events("default").watch(timeout_seconds=30) as events:
        for event in events:
            if event.object.regarding.name == "mine":
                break
    manager.stop()
    runner.join(timeout=30)

    assert not runner.is_alive()
    assert "mine" in seen()


@pytest.mark.embedded
def test_the_cluster_in_the_process():
    names = run(snippet("with APIServer() as server"))

    assert isinstance(names["cs"], Clientset)


@pytest.mark.embedded
def test_the_commands_of_the_readme_are_those_that_are_checked():
    text = README.read_text()
    checked = (README.parent / ".ci" / "run").read_text()

    command = re.search(r"The tests:\n\n```\n(.*?)\n```", text, re.DOTALL)
    assert command is not None
    assert command[1] in checked
    assert "pip install . && k8srt demo" in text
