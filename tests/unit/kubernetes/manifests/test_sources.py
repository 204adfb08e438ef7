"""What counts as a source of manifests, and what is said of one that is wrong."""

from __future__ import annotations

import io
import re
from pathlib import Path
from typing import Any

import pytest

from k8srt.api.core.v1 import ConfigMap, ConfigMapList
from k8srt.apimachinery import scheme
from k8srt.apimachinery.meta import ObjectMeta
from k8srt.apimachinery.unstructured import Unstructured
from k8srt.errors import DecodeError
from k8srt.kubernetes.manifests.checks import check_types
from k8srt.kubernetes.manifests.sources import read

TEXT = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n"
DOCUMENT = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}}


def names(source: Any, **options: Any) -> list[str]:
    return [manifest.name for manifest in read(source, **options)]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "b.yaml").write_text(
        TEXT.replace("name: a", "name: b1") + "---\n" + TEXT.replace("name: a", "name: b2")
    )
    (tmp_path / "a.yml").write_text(TEXT)
    (tmp_path / "c.json").write_text('{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}}')
    (tmp_path / "notes.txt").write_text("no manifest")
    (tmp_path / "deeper").mkdir()
    (tmp_path / "deeper" / "d.yaml").write_text(TEXT.replace("name: a", "name: d"))
    return tmp_path


@pytest.mark.parametrize(
    "source",
    [
        TEXT,
        TEXT.encode(),
        "{apiVersion: v1, kind: ConfigMap, metadata: {name: a}}",
        '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a"}}',
        DOCUMENT,
        [DOCUMENT],
        (each for each in [[DOCUMENT]]),
        ConfigMap(metadata=ObjectMeta(name="a")),
        Unstructured(DOCUMENT),
        ConfigMapList([ConfigMap(metadata=ObjectMeta(name="a"))]),
        io.StringIO(TEXT),
        io.BytesIO(TEXT.encode()),
        {"apiVersion": "v1", "kind": "List", "items": [DOCUMENT]},
        {"apiVersion": "v1", "kind": "ConfigMapList", "items": [{"metadata": {"name": "a"}}]},
    ],
    ids=lambda source: type(source).__name__,
)
def test_usr_23_manifests_come_in_many_ways(source: Any):
    (manifest,) = read(source)

    assert (manifest.gvk.api_version, manifest.gvk.kind, manifest.name) == ("v1", "ConfigMap", "a")
    assert manifest.label == "configmap/a"


def test_lists_in_lists_are_taken_apart():
    inner = {"apiVersion": "v1", "kind": "List", "items": [DOCUMENT, DOCUMENT]}

    found = read({"apiVersion": "v1", "kind": "List", "items": [inner, DOCUMENT]})

    assert [str(manifest.place) for manifest in found] == [
        "object 1, item 1, item 1",
        "object 1, item 1, item 2",
        "object 1, item 2",
    ]


def test_files_and_folders(folder: Path):
    assert names(folder) == ["a", "b1", "b2", "c"]
    assert names(str(folder)) == ["a", "b1", "b2", "c"]
    assert names(folder, recursive=True) == ["a", "b1", "b2", "c", "d"]
    assert names([folder / "c.json", str(folder / "a.yml"), TEXT]) == ["c", "a", "a"]
    assert names(folder / "b.yaml") == ["b1", "b2"]
    with (folder / "a.yml").open() as file:
        (manifest,) = read(file)
    assert str(manifest.place) == f"{folder / 'a.yml'}, document 1, line 1"


def test_a_path_that_looks_like_text_is_a_path_when_it_is_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "odd: name.yaml").write_text(TEXT)
    monkeypatch.chdir(tmp_path)

    assert names("odd: name.yaml") == ["a"]


@pytest.mark.parametrize(
    ("source", "error", "said"),
    [
        ("manifets/", FileNotFoundError, "no such file or folder: 'manifets/'"),
        (Path("nowhere.yaml"), FileNotFoundError, "'nowhere.yaml'"),
        ("https://example.com/a.yaml", ValueError, "https://example.com/a.yaml: manifests are not downloaded"),
        ("", ValueError, "no objects in an empty str"),
        ([], ValueError, "no objects in an empty list"),
        ("# nothing\n", ValueError, "no objects in what was given"),
        (42, TypeError, "not int: 42"),
        ([DOCUMENT, None], TypeError, "not NoneType"),
    ],
)
def test_what_is_no_source_says_so(source: Any, error: type[Exception], said: str):
    with pytest.raises(error, match=re.escape(said)):
        read(source)


def test_an_empty_folder_is_named(tmp_path: Path):
    with pytest.raises(ValueError, match=re.escape(f"no objects in {str(tmp_path)!r}")):
        read(tmp_path)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (f"{TEXT}---\nkind: [\n", "document 2, line 6, column 1: while parsing a flow node"),
        (f"{TEXT}---\njust text\n", "document 2, line 5: expected a mapping with apiVersion and kind, got 'just text'"),
        ("a: 1\n", "document 1, line 1: apiVersion: is missing"),
        ("apiVersion: v1\n", "document 1, line 1: kind: is missing"),
        ("apiVersion: v1\nkind: 3\n", "document 1, line 2: kind: expected str, got 3"),
        (
            "apiVersion: a/b/c\nkind: X\nmetadata: {name: a}\n",
            "document 1, line 1: apiVersion: unexpected GroupVersion",
        ),
        ("apiVersion: v1\nkind: Pod\n", "document 1, line 1: Pod: metadata: expected a mapping, got nothing"),
        ("apiVersion: v1\nkind: Pod\nmetadata:\n  labels: {}\n", "document 1, line 3: Pod: metadata.name: is missing"),
        (
            "apiVersion: v1\nkind: Pod\nmetadata:\n  name: 3\n",
            "document 1, line 4: Pod: metadata.name: expected str, got 3",
        ),
        ("apiVersion: v1\nkind: Pod\nmetadata:\n  generateName: a-\n", "a generateName is for create"),
        (
            "apiVersion: v1\nkind: Pod\nmetadata:\n  name: a\n  namespace: 3\n",
            "line 5: Pod a: metadata.namespace: expected str",
        ),
        ("apiVersion: v1\nkind: List\nitems:\n- 3\n", "document 1, line 4, item 1: expected a mapping"),
        (f"{TEXT}data:\n  a: 1\n  a: 2\n", "document 1, line 6, column 3: key 'a' is there twice"),
    ],
)
def test_a_broken_manifest_is_named_with_file_document_line_and_path(tmp_path: Path, text: str, said: str):
    file = tmp_path / "web.yaml"
    file.write_text(text)

    with pytest.raises(DecodeError) as caught:
        read(file)
    assert str(caught.value).startswith(f"{file}, document")
    assert said in str(caught.value)


POD = """
apiVersion: v1
kind: Pod
metadata:
  name: web
  labels:
    app: web
    example.com/version: 1.0
spec:
  containers:
  - name: app
    ports:
    - containerPort: 80
"""


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("1.0", "x", None),
        ("80", "eighty", "line 13: v1 Pod web: spec.containers[0].ports[0].containerPort: expected int, got 'eighty'"),
        ("name: app", "name: {}", "line 11: v1 Pod web: spec.containers[0].name: expected str, got a dict"),
        ("x", "x", "line 8: v1 Pod web: metadata.labels[example.com/version]: expected str, got 1.0"),
        (
            "ports:\n    - containerPort: 80",
            "ports: 3",
            "line 12: v1 Pod web: spec.containers[0].ports: expected list of ContainerPort, got 3",
        ),
    ],
)
def test_a_value_of_the_wrong_type_is_named_with_its_line_and_path(old: str, new: str, said: str | None):
    text = POD.replace(old, new) if old in ("1.0", "x") else POD.replace("1.0", "x").replace(old, new)
    (manifest,) = read(text)
    cls = scheme.default.lookup(manifest.gvk)
    if said is None:
        check_types(manifest, cls)
        return

    with pytest.raises(DecodeError) as caught:
        check_types(manifest, cls)

    assert str(caught.value) == f"document 1, {said}"


def test_the_metadata_of_any_kind_is_looked_at():
    (manifest,) = read("apiVersion: x.y/v1\nkind: Z\nmetadata:\n  name: a\n  labels: {a: yes}\nspec: {any: thing}\n")

    with pytest.raises(DecodeError, match=re.escape("line 5: x.y/v1 Z a: metadata.labels[a]: expected str, got True")):
        check_types(manifest, None)
