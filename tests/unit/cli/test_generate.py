"""`k8srt generate` as it's called, with good and bad input."""

from __future__ import annotations

from pathlib import Path

import pytest

from k8srt.cli.main import main

FOO = Path(__file__).parents[1] / "codegen/crds/foo.yaml"


@pytest.fixture
def call():
    """Run the command with these words."""
    return lambda *words: main(["generate", *map(str, words)])


def test_a_package_is_made_and_the_second_run_changes_nothing(call, tmp_path, capsys):
    assert call(FOO, "--output", tmp_path, "--package", "foo") == 0
    assert (tmp_path / "foo/__init__.py").exists()
    assert "class Foo(" in (tmp_path / "foo/api/v1alpha1.py").read_text()
    capsys.readouterr()

    assert call(FOO, "--output", tmp_path, "--package", "foo") == 0
    assert ", 0 changed" in capsys.readouterr().out


def test_an_openapi_document_gives_the_models_of_the_library(call, tmp_path, shared):
    assert call(shared / "openapi/swagger-v1.36.json", "--output", tmp_path) == 0
    assert "class Pod(" in (tmp_path / "core/v1.py").read_text()


@pytest.mark.parametrize(
    ("text", "words", "reason"),
    [
        ("kind: Pod", ("--package", "foo"), "no CustomResourceDefinition in the input"),
        ("a: [", ("--package", "foo"), "crd.yaml: malformed YAML"),
        ("kind: Pod", (), "--package is needed"),
        ("kind: Pod", ("--package", "foo", "--from-cluster", "--kubeconfig", "/none"), "/none"),
        ("kind: Pod", ("--package", "a-b"), "--package a-b: not a name that Python can import"),
        (None, ("--package", "foo"), "crd.yaml: [Errno 2] No such file or directory"),
        ('{"swagger": "2.0"', (), "crd.yaml: Expecting ',' delimiter"),
    ],
)
def test_bad_input_is_told_in_one_line_that_names_it(call, tmp_path, capsys, text, words, reason):
    source = tmp_path / "crd.yaml"
    if text is not None:
        source.write_text(text)

    assert call(source, "--output", tmp_path / "out", *words) == 1

    assert reason in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
