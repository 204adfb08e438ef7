"""Defaulters, validators, and several handlers as one."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from k8srt.api.core.v1 import Pod
from k8srt.controller.webhook import (
    AdmissionError,
    AdmissionRequest,
    AdmissionResponse,
    AdmissionWebhook,
    allowed,
    denied,
    multi_mutating,
    multi_validating,
    patched,
)
from k8srt.controller.webhook.handlers import DefaulterHandler, ValidatorHandler
from tests.unit.controller.webhook.reviews import pod, request_of


class NodeName:
    """Sets a field that is not set."""

    def __init__(self) -> None:
        self.calls = 0

    def default(self, obj: Pod) -> None:
        self.calls += 1
        if not obj.spec.node_name:
            obj.spec.node_name = "n1"


# ---- ADM-04


def test_adm_04_what_a_defaulter_changes_becomes_the_patch() -> None:
    found = DefaulterHandler(Pod, NodeName()).handle(request_of(obj=pod(spec={"containers": []})))

    assert found.allowed
    assert found.patches == ({"op": "add", "path": "/spec/nodeName", "value": "n1"},)


def test_adm_04_what_is_not_changed_has_no_patch() -> None:
    found = DefaulterHandler(Pod, NodeName()).handle(request_of(obj=pod(spec={"nodeName": "n2", "containers": None})))

    assert found == allowed()


def test_adm_04_a_defaulter_may_return_another_object() -> None:
    class Replaces:
        def default(self, obj: Pod) -> Pod:
            made = obj.copy()
            made.metadata.labels = {"a": "b"}
            return made

    class Wrong:
        def default(self, obj: Pod) -> bool:
            return True

    found = DefaulterHandler(Pod, Replaces()).handle(request_of(obj=pod()))

    assert found.patches == ({"op": "add", "path": "/metadata/labels", "value": {"a": "b"}},)
    with pytest.raises(TypeError, match="returns one: not True"):
        DefaulterHandler(Pod, Wrong()).handle(request_of(obj=pod()))
    with pytest.raises(TypeError, match="must have default"):
        DefaulterHandler(Pod, object())


def test_adm_04_deletions_are_allowed_without_a_call() -> None:
    defaulter = NodeName()

    assert DefaulterHandler(Pod, defaulter).handle(request_of("DELETE", None, pod())) == allowed()
    assert defaulter.calls == 0


@pytest.mark.parametrize("obj", [None, {"apiVersion": "v2", "kind": "Pod"}, pod(spec={"nodeName": ["n"]}), pod(spec=7)])
def test_adm_04_what_cannot_be_decoded_is_400(obj: Any) -> None:
    defaulter = NodeName()

    found = DefaulterHandler(Pod, defaulter).handle(request_of(obj=obj))

    assert (found.allowed, found.code, defaulter.calls) == (False, 400, 0)


def test_adm_04_unknown_fields_stay() -> None:
    strange = pod(spec={"containers": [{"name": "a", "news": 1}], "future": {"x": 1}}, extra={"deep": True})

    found = DefaulterHandler(Pod, NodeName()).handle(request_of(obj=strange))

    assert found.patches == ({"op": "add", "path": "/spec/nodeName", "value": "n1"},)


def test_adm_04_unknown_fields_go_if_that_is_wanted() -> None:
    strange = pod(spec={"containers": [{"name": "a", "news": 1}], "nodeName": "n", "future": 1}, extra={"deep": True})

    found = DefaulterHandler(Pod, NodeName(), remove_unknown=True).handle(request_of(obj=strange))

    assert {(each["op"], each["path"]) for each in found.patches} == {
        ("remove", "/spec/containers/0/news"),
        ("remove", "/spec/future"),
        ("remove", "/extra"),
    }


def test_adm_04_what_is_nested_too_deeply_is_400() -> None:
    deep = b'{"apiVersion": "v1", "kind": "Pod", "spec": ' + b'{"a": ' * 50_000 + b"1" + b"}" * 50_000 + b"}"
    request = replace(request_of(obj=pod()), object=deep)

    assert DefaulterHandler(Pod, NodeName()).handle(request).code == 400


# ---- ADM-05


class Rules:
    """Notes what it is asked."""

    def __init__(self, answer: Any = None) -> None:
        self.asked: list[tuple[str, ...]] = []
        self.answer = answer

    def validate_create(self, obj: Pod) -> Any:
        return self._note("create", obj)

    def validate_update(self, old: Pod, new: Pod) -> Any:
        return self._note("update", old, new)

    def validate_delete(self, obj: Pod) -> Any:
        return self._note("delete", obj)

    def _note(self, what: str, *objects: Pod) -> Any:
        self.asked.append((what, *(str(obj.metadata.name) for obj in objects)))
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def test_adm_05_each_operation_has_its_method() -> None:
    rules = Rules()
    handler = ValidatorHandler(Pod, rules)

    answers = [
        handler.handle(request_of("CREATE", pod("a"))),
        handler.handle(request_of("UPDATE", pod("new"), pod("old"))),
        handler.handle(request_of("DELETE", None, pod("gone"))),
        handler.handle(request_of("CONNECT", {"kind": "PodExecOptions"})),
    ]

    assert answers == [allowed()] * 4
    assert rules.asked == [("create", "a"), ("update", "old", "new"), ("delete", "gone")]


def test_adm_05_unknown_operations_and_unreadable_objects_are_400() -> None:
    handler = ValidatorHandler(Pod, Rules())

    assert handler.handle(request_of("PONDER", pod())).status == {
        "code": 400,
        "message": "unknown operation 'PONDER'",
    }
    assert handler.handle(request_of("CREATE", None)).code == 400
    assert handler.handle(request_of("UPDATE", pod(), None)).code == 400
    assert handler.handle(request_of("DELETE", pod(), None)).code == 400


@pytest.mark.parametrize(
    ("returned", "warnings"), [(None, ()), ("careful", ("careful",)), (["a", "b"], ("a", "b")), ([], ())]
)
def test_adm_05_warnings_are_returned(returned: Any, warnings: tuple[str, ...]) -> None:
    found = ValidatorHandler(Pod, Rules(returned)).handle(request_of(obj=pod()))

    assert found == allowed().with_warnings(*warnings)


def test_adm_05_raising_denies() -> None:
    webhook = AdmissionWebhook(ValidatorHandler(Pod, Rules(AdmissionError("too small"))))

    found = webhook.review(request_of(obj=pod()))

    assert found == denied("too small")


def test_adm_05_what_a_validator_lacks_is_allowed_and_one_that_lacks_all_is_none() -> None:
    class OnlyDelete:
        def validate_delete(self, obj: Pod) -> None:
            raise AdmissionError("it stays")

    handler = ValidatorHandler(Pod, OnlyDelete())

    assert handler.handle(request_of("CREATE", pod())) == allowed()
    with pytest.raises(AdmissionError, match="it stays"):
        handler.handle(request_of("DELETE", None, pod()))
    with pytest.raises(TypeError, match="validate_create, validate_update, validate_delete"):
        ValidatorHandler(Pod, object())
    with pytest.raises(TypeError, match="raises AdmissionError to deny"):
        ValidatorHandler(Pod, Rules([False])).handle(request_of(obj=pod()))


# ---- ADM-08


def label(name: str) -> Any:
    return {"op": "add", "path": f"/metadata/labels/{name}", "value": "x"}


def test_adm_08_patches_and_warnings_of_several_are_joined() -> None:
    seen: list[bytes] = []

    def one(request: AdmissionRequest) -> AdmissionResponse:
        seen.append(request.object)
        return patched("", label("a")).with_warnings("first")

    def other(request: AdmissionRequest) -> AdmissionResponse:
        seen.append(request.object)
        return patched("", label("b"), label("c")).with_warnings("second")

    found = multi_mutating(one, lambda request: allowed(), other)(request_of(obj=pod()))

    assert found.patches == (label("a"), label("b"), label("c"))
    assert found.warnings == ("first", "second")
    assert seen[0] == seen[1]


def test_adm_08_the_first_denial_counts() -> None:
    def never(request: AdmissionRequest) -> AdmissionResponse:
        raise AssertionError("called")

    refused = denied("no")

    assert multi_mutating(lambda request: allowed(), lambda request: refused, never)(request_of()) == refused
    assert multi_validating(lambda request: allowed(), lambda request: refused, never)(request_of()) == refused


def test_adm_08_other_patches_are_an_error() -> None:
    merge = AdmissionResponse(True, patches=({"a": 1},), patch_type="MergePatch")

    found = multi_mutating(lambda request: merge)(request_of())

    assert (found.allowed, found.code) == (False, 500)
    assert found.message == "unexpected patch type returned by the handler: MergePatch, only allow: JSONPatch"


def test_adm_08_validators_are_all_asked_and_their_warnings_joined() -> None:
    one, other = (lambda request: allowed().with_warnings("a")), (lambda request: allowed().with_warnings("b"))

    assert multi_validating(one, other)(request_of()).warnings == ("a", "b")
