"""`cs.apply` and `cs.delete` over real HTTP."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from k8srt import errors
from k8srt.api.apps.v1 import Deployment
from k8srt.apimachinery.unstructured import Unstructured
from k8srt.kubernetes import Clientset
from k8srt.testing.choosing import Server
from k8srt.util.threads import Stop

DEFINITION = """
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata:
  name: widgets.stock.example.com
spec:
  group: stock.example.com
  scope: Namespaced
  names: {plural: widgets, singular: widget, kind: Widget, listKind: ManyWidgets}
  versions:
  - name: v1
    served: true
    storage: true
    schema:
      openAPIV3Schema:
        type: object
        properties:
          spec:
            type: object
            properties: {size: {type: integer}}
"""
WIDGET = """
apiVersion: stock.example.com/v1
kind: Widget
metadata: {name: w1, namespace: shop}
spec: {size: 3}
"""
NAMESPACE = "\napiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n"
DEPLOYMENT = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - name: app
        image: nginx
        ports: [{containerPort: 80}]
"""
EVERYTHING = "---".join([WIDGET, DEPLOYMENT, DEFINITION, NAMESPACE])


def config_map(name: str = "cfg", namespace: str = "", **data: str) -> dict[str, Any]:
    metadata = {"name": name, **({"namespace": namespace} if namespace else {})}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}


@pytest.fixture
def server(own_server: Server) -> Server:
    return own_server


@pytest.fixture
def cs(server: Server) -> Iterator[Clientset]:
    with Clientset(server.config) as made:
        yield made


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "app.yaml").write_text(f"{WIDGET}---{DEPLOYMENT}")
    (tmp_path / "base.yml").write_text(f"{DEFINITION}---{NAMESPACE}")
    return tmp_path


def nothing_was_sent(cs: Clientset) -> bool:
    return "shop" not in [namespace.metadata.name for namespace in cs.core_v1.namespaces().list()]


# ---- applying -----------------------------------------------------------------------------------------------------


def test_usr_23_a_folder_is_applied_in_an_order_that_works(cs: Clientset, folder: Path) -> None:
    outcomes = cs.apply(folder)

    assert str(outcomes).splitlines() == [
        "namespace/shop created",
        "customresourcedefinition.apiextensions.k8s.io/widgets.stock.example.com created",
        "deployment.apps/web created",
        "widget.stock.example.com/w1 created",
    ]
    assert isinstance(outcomes.objects[2], Deployment)
    assert isinstance(outcomes.objects[3], Unstructured)
    assert cs.resource("widgets.stock.example.com", namespace="shop").get("w1")["spec"] == {"size": 3}
    entries = cs.apps_v1.deployments("shop").get("web").metadata.managed_fields
    assert [each.manager for each in entries if each.operation == "Apply"] == ["k8srt"]


def test_applying_again_changes_nothing_and_says_so(cs: Clientset) -> None:
    cs.apply(EVERYTHING)

    again = cs.apply(EVERYTHING)
    changed = cs.apply(EVERYTHING.replace("size: 3", "size: 4"))

    assert again.counts == {"unchanged": 4}
    assert not again.changed
    assert changed.counts == {"unchanged": 3, "configured": 1}
    assert changed[3].action == "configured"
    assert changed[3].object["spec"] == {"size": 4}


def test_a_definition_that_gains_a_version_serves_it_at_once(cs: Clientset) -> None:
    cs.apply(EVERYTHING)
    second = (
        "  - name: v2\n    served: true\n    storage: false\n"
        "    schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}\n"
    )
    newer = WIDGET.replace("stock.example.com/v1", "stock.example.com/v2").replace("w1", "w2")
    text = DEFINITION + second + "---" + newer

    outcomes = cs.apply(text)

    assert [outcome.action for outcome in outcomes] == ["configured", "created"]
    assert outcomes[1].object.api_version == "stock.example.com/v2"


def test_objects_without_a_namespace_go_into_the_one_asked_for(cs: Clientset) -> None:
    cs.apply(NAMESPACE)

    (there,) = cs.apply(config_map(), namespace="shop").objects
    (here,) = cs.apply(config_map()).objects
    role = (
        "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: r, namespace: shop}\nrules: []\n"
    )

    assert (there.metadata.namespace, here.metadata.namespace) == ("shop", "default")
    assert cs.apply(role)[0].action == "created"
    with pytest.raises(ValueError, match="its namespace is not 'shop', the one asked for"):
        cs.apply(config_map(namespace="default"), namespace="shop")


def test_usr_23_a_conflict_names_the_manager_and_the_field_and_can_be_forced(cs: Clientset) -> None:
    cs.apply(config_map(a="1"), field_manager="first")

    with pytest.raises(errors.Conflict, match=re.escape('conflict with "first": .data.a')) as caught:
        cs.apply([config_map("other"), config_map(a="2")], field_manager="second")

    assert str(caught.value).startswith("object 2: v1 ConfigMap default/cfg: ")
    assert caught.value.causes[0].field == ".data.a"
    assert caught.value.__notes__ == ["done before: configmap/other created; 1 of 2 not applied"]
    assert cs.apply(config_map(a="2"), field_manager="second", force=True)[0].action == "configured"


def test_a_dry_run_keeps_nothing(cs: Clientset) -> None:
    fresh = cs.apply(EVERYTHING, dry_run=True)

    assert fresh.counts == {"created": 2, "not checked": 2}
    assert nothing_was_sent(cs)
    cs.apply(EVERYTHING)
    assert cs.apply(EVERYTHING, dry_run=True).counts == {"unchanged": 4}
    changed = cs.apply(WIDGET.replace("3", "4"), dry_run=True)
    assert str(changed) == "widget.stock.example.com/w1 configured (server dry run)"


@pytest.mark.parametrize(
    ("bad", "error", "said"),
    [
        ("---\nkind: [\n", errors.DecodeError, "web.yaml, document 5, line 45, column 1"),
        (
            "---\n" + DEPLOYMENT.replace("80", "eighty").replace("web", "x"),
            errors.DecodeError,
            "expected int, got 'eighty'",
        ),
        (
            "---\napiVersion: v1\nkind: Foo\nmetadata: {name: a}\n",
            errors.NoMatch,
            "web.yaml, document 5, line 44: v1 Foo a",
        ),
        ("---\napiVersion: no.such/v1\nkind: Foo\nmetadata: {name: a}\n", errors.NoMatch, "no.such/v1"),
        (f"---{WIDGET.replace('v1', 'v9').replace('w1', 'w9')}", ValueError, "serves v1"),
        (f"---{WIDGET}", ValueError, "it is there already: "),
        ("---\napiVersion: v1\nkind: Binding\nmetadata: {name: a}\n", ValueError, "cannot be applied, only created"),
    ],
    ids=["broken", "wrong type", "unknown kind", "unknown group", "unknown version", "twice", "no patch"],
)
def test_a_bad_manifest_is_found_before_anything_is_sent(
    cs: Clientset, tmp_path: Path, bad: str, error: type[Exception], said: str
) -> None:
    file = tmp_path / "web.yaml"
    file.write_text(EVERYTHING + bad)

    with pytest.raises(error, match=re.escape(said)) as caught:
        cs.apply(tmp_path)

    assert str(file) in str(caught.value)
    assert nothing_was_sent(cs)


def test_what_was_read_from_a_server_is_not_applied_whole(cs: Clientset) -> None:
    cs.apply(config_map(a="1"))
    found = cs.core_v1.config_maps("default").get("cfg")

    with pytest.raises(ValueError, match="managedFields must not be set"):
        cs.apply(found)


def test_what_the_server_refuses_is_told_with_its_place(cs: Clientset) -> None:
    with pytest.raises(errors.NotFound, match=re.escape('document 1, line 2: v1 ConfigMap gone/a: namespaces "gone"')):
        cs.apply("\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, namespace: gone}\n")
    with pytest.raises(errors.StatusError, match="datta"):
        cs.apply({**config_map(), "datta": {"a": "1"}})


def test_a_definition_whose_names_are_taken_is_not_waited_for(cs: Clientset) -> None:
    cs.apply(DEFINITION)
    twin = DEFINITION.replace("name: widgets.", "name: gadgets.").replace("plural: widgets", "plural: gadgets")

    with pytest.raises(ValueError, match=r"names of gadgets.stock.example.com are not accepted: NamesAccepted=False"):
        cs.apply(twin)


def test_without_the_right_to_read_the_outcome_is_what_kubectl_says(rbac_server: Server) -> None:
    with Clientset(rbac_server.config) as admin:
        rule = {"apiGroups": [""], "resources": ["configmaps"], "verbs": ["create", "patch"]}
        subject = {"kind": "User", "name": "writer", "apiGroup": "rbac.authorization.k8s.io"}
        rbac = {"apiVersion": "rbac.authorization.k8s.io/v1", "metadata": {"name": "writer"}}
        reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "writer"}
        admin.apply(
            [
                {**rbac, "kind": "ClusterRoleBinding", "roleRef": reference, "subjects": [subject]},
                {**rbac, "kind": "ClusterRole", "rules": [rule]},
            ]
        )
    with Clientset(rbac_server.config_for("writer")) as cs:
        outcomes = cs.apply(config_map())

    assert str(outcomes) == "configmap/cfg serverside-applied"


def test_a_stop_ends_it(cs: Clientset) -> None:
    stop = Stop()
    stop.set()

    with pytest.raises(errors.Stopped):
        cs.apply(EVERYTHING, stop=stop)


def test_progress_and_the_table_of_a_notebook(cs: Clientset, capsys: pytest.CaptureFixture[str]) -> None:
    outcomes = cs.apply([config_map("<a>"[1:2]), config_map("b")], progress=True)

    assert "applying" in capsys.readouterr().err
    assert outcomes._repr_html_().count("<tr>") == 3
    assert "<td>ConfigMap</td><td>default</td><td>a</td><td>created</td><td>object 1</td>" in outcomes._repr_html_()
    assert repr(outcomes) == "<Outcomes: 2 created>\n  configmap/a created\n  configmap/b created"
    assert outcomes[:1].counts == {"created": 1}


# ---- deleting -----------------------------------------------------------------------------------------------------


@pytest.mark.cluster
def test_deletion_goes_the_other_way_and_what_is_gone_is_fine(cs: Clientset, folder: Path) -> None:
    cs.apply(folder)

    first = cs.delete(folder, wait=True)
    second = cs.delete(folder)

    assert [outcome.manifest.gvk.kind for outcome in first] == [
        *("Widget", "Deployment", "CustomResourceDefinition", "Namespace"),
    ]
    assert first.counts == {"deleted": 4}
    assert second.counts == {"not found": 4}
    assert nothing_was_sent(cs)
    with pytest.raises(errors.NotFound, match="v1 Namespace shop"):
        cs.delete(NAMESPACE, ignore_not_found=False)


class Telling:
    """A transport that tells when a deletion was answered."""

    def __init__(self, inner: Any, deleted: threading.Event) -> None:
        self._inner, self._deleted = inner, deleted

    def send(self, method: str, target: str, **options: Any) -> Any:
        answer = self._inner.send(method, target, **options)
        if method == "DELETE":
            self._deleted.set()
        return answer

    def close(self) -> None:
        self._inner.close()


def test_waiting_for_a_deletion_tells_what_holds_it_back(server: Server, cs: Clientset) -> None:
    held = config_map()
    held["metadata"]["finalizers"] = ["example.com/hold"]
    cs.apply(held)

    with pytest.raises(errors.WaitTimeout, match=r"with finalizers example\.com/hold"):
        cs.delete(held, wait=True, timeout=0.2)

    deleted = threading.Event()

    def let_go() -> None:
        assert deleted.wait(30.0)
        cs.core_v1.config_maps("default").patch("cfg", {"metadata": {"finalizers": None}}, patch_type="merge")

    release = threading.Thread(target=let_go)
    release.start()
    with Clientset(server.config.wrap(lambda inner: Telling(inner, deleted))) as telling:
        assert telling.delete(held, wait=True).counts == {"deleted": 1}
    release.join()
    assert not list(cs.core_v1.config_maps("default").list(field_selector="metadata.name=cfg"))


def test_what_is_deleted_can_no_longer_be_found_by_name(cs: Clientset) -> None:
    cs.apply(DEFINITION)
    assert cs.resource("widgets.stock.example.com")

    cs.delete(DEFINITION, wait=True)

    with pytest.raises(errors.NoMatch):
        cs.resource("widgets.stock.example.com")


def test_a_broken_document_deletes_nothing(cs: Clientset) -> None:
    cs.apply(config_map())

    with pytest.raises(errors.DecodeError, match="document 2"):
        cs.delete("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: cfg}\n---\n[")

    assert cs.core_v1.config_maps("default").get("cfg")
