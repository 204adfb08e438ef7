"""The recorded texts of JSONPath templates are those that a kubectl prints. Contract: CLI-55, CLI-56."""

from __future__ import annotations

import json

import pytest

from k8srt.apimachinery.unstructured import Unstructured
from k8srt.testing.choosing import Server
from k8srt.util.jsonpath import JSONPath
from tests.integration.programs import Kubectl, binaries
from tests.jsonpaths import FAILING, MALFORMED, PRINTED, THING

pytestmark = [pytest.mark.kubectl, pytest.mark.timeout(120)]

BETWEEN = "\n----\n"
CRD = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": "things.example.com"},
    "spec": {
        "group": "example.com",
        "scope": "Namespaced",
        "names": {"plural": "things", "singular": "thing", "kind": "Thing"},
        "versions": [
            {
                "name": "v1",
                "served": True,
                "storage": True,
                "schema": {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}},
            }
        ],
    },
}


@pytest.fixture(scope="module")
def thing(tmp_path_factory, module_server: Server):
    """What asks the newest kubectl for a template of the thing, strictly or not."""
    if not binaries():
        pytest.skip("there is no kubectl on the PATH")
    folder = tmp_path_factory.mktemp("jsonpath")
    (folder / "kubeconfig").write_text(module_server.kubeconfig())
    kubectl = Kubectl(binaries()[-1], folder / "kubeconfig", folder, "default")
    kubectl("create", "--validate=false", "-f", "-", stdin=json.dumps(CRD))
    kubectl.wait("crd/things.example.com", "condition=Established")
    kubectl("create", "--validate=false", "-f", "-", stdin=json.dumps(THING))
    return kubectl


def ask(template: str, *, strict: bool) -> list[str]:
    return ["get", "thing", "one", f"--allow-missing-template-keys={not strict}".lower(), "-o", f"jsonpath={template}"]


def test_cli_55_kubectl_prints_the_recorded_texts(thing):
    printed = thing(*ask(BETWEEN.join(template for template, _ in PRINTED), strict=False))

    assert printed.split(BETWEEN) == [text for _, text in PRINTED]


def test_cli_55_whole_objects_are_printed_alike(thing):
    whole = Unstructured(json.loads(thing("get", "thing", "one", "-o", "json", "--show-managed-fields")))

    for template in ("{@}", "{}", "{.metadata}", "{range $}{.spec}{end}"):
        assert JSONPath(template).render(whole) == thing(*ask(template, strict=True))


@pytest.mark.parametrize(("template", "message"), FAILING)
def test_cli_56_kubectl_fails_for_the_recorded_reasons(thing, template, message):
    assert message in thing.refused(*ask(template, strict=True))


@pytest.mark.parametrize(("template", "message"), MALFORMED)
def test_cli_55_kubectl_refuses_what_is_refused(thing, template, message):
    assert message in thing.refused(*ask(template, strict=True))
