"""Handlers of single changes: whom an object concerns, given what was handled last. Contract: DEC-03."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from k8srt.api.core.v1 import ConfigMap, Pod
from k8srt.controller.changes.essence import Change, Difference, essence, value_at
from k8srt.controller.changes.handlers import Handler, Handlers
from k8srt.controller.changes.keeping import InAnnotation, InMemory
from k8srt.controller.filters import labels_match
from k8srt.controller.request import Result, TerminalError
from k8srt.errors import NotFound


class Client:
    """Keeps one object, and applies merge patches of its metadata."""

    def __init__(self) -> None:
        self.patches: list[Any] = []
        self.obj: Any = None
        self.fails: Exception | None = None

    def patch(self, obj: Any, patch: Any, *, patch_type: str) -> Any:
        if self.fails is not None:
            raise self.fails
        self.patches.append(patch)
        self.obj = obj.copy()
        if patch_type == "json":
            self.obj.metadata.finalizers = []
        else:
            said = patch["metadata"]
            annotations = {**(obj.metadata.annotations or {}), **said.get("annotations", {})}
            self.obj.metadata.annotations = annotations
            self.obj.metadata.finalizers = said.get("finalizers", obj.metadata.finalizers)
        return self.obj


class Ctx:
    def __init__(self) -> None:
        self.memo: dict[Any, Any] = {}
        self.client = Client()
        self.log = logging.getLogger("test")


class Heard:
    """Functions that note what they are told; `fails` is raised by those that are named."""

    def __init__(self) -> None:
        self.told: list[tuple[Any, ...]] = []
        self.fails: dict[str, Exception] = {}
        self.answers: dict[str, Result] = {}

    def __getitem__(self, name: str) -> Any:
        def function(obj: Any, ctx: Any, change: Change) -> Result | None:
            self.told.append((name, *((str(each) for each in change.diff) if change.old else ())))
            if name in self.fails:
                raise self.fails[name]
            return self.answers.get(name)

        return function

    def take(self) -> list[tuple[Any, ...]]:
        told, self.told = self.told, []
        return told


def cm(data: dict[str, str] | None = None, **metadata: Any) -> ConfigMap:
    return ConfigMap.from_dict({"metadata": {"name": "a", "uid": "u", **metadata}, "data": data or {"k": "1"}})


@pytest.fixture
def heard() -> Heard:
    return Heard()


@pytest.fixture
def ctx() -> Ctx:
    return Ctx()


def make(heard: Heard, *whats: Any, keeping: Any = None, finalizer: str = "") -> Handlers:
    handlers = Handlers(keeping or InMemory(), finalizer)
    for what in whats:
        kind, _, name = what.partition(" ")
        handlers.add(Handler(kind, heard[name or kind], [], field="data.k" if kind == "field" else ""))
    return handlers


def test_dec_03_each_is_called_for_what_it_is_for(heard: Heard, ctx: Any) -> None:
    handlers = make(heard, "create", "update", "field")

    handlers(cm(), ctx)
    assert heard.take() == [("create",), ("field",)]

    handlers(cm(), ctx)
    assert heard.take() == []

    handlers(cm({"k": "1", "l": "2"}, resourceVersion="7"), ctx)
    assert heard.take() == [("update", "data.l: None -> '2'")]

    handlers(cm({"k": "2", "l": "2"}), ctx)
    assert heard.take() == [("update", "data.k: '1' -> '2'"), ("field", ": '1' -> '2'")]


def test_dec_03_what_was_handled_is_kept_in_an_annotation_that_is_no_change_itself(heard: Heard, ctx: Any) -> None:
    keeping = InAnnotation("example.com/last-handled")

    make(heard, "create", "update", keeping=keeping)(cm(), ctx)
    written = ctx.client.obj
    again = Ctx()
    make(heard, "create", "update", keeping=keeping)(written, again)

    assert heard.take() == [("create",)]
    assert written.metadata.annotations == {"example.com/last-handled": '{"data":{"k":"1"}}'}
    assert again.client.patches == []

    written.data["k"] = "2"
    make(heard, "create", "update", keeping=keeping)(written, again)
    assert heard.take() == [("update", "data.k: '1' -> '2'")]


def test_dec_03_an_annotation_that_nobody_can_read_is_none(heard: Heard, ctx: Any) -> None:
    handlers = make(heard, "create", "update", keeping=InAnnotation("example.com/last"))

    handlers(cm(annotations={"example.com/last": "{"}), ctx)
    handlers(cm(annotations={"example.com/last": "3"}), Ctx())  # type: ignore[arg-type]

    assert heard.take() == [("create",), ("create",)]


def test_dec_03_one_that_fails_is_called_again_and_the_others_are_not(heard: Heard, ctx: Any) -> None:
    handlers = make(heard, "create one", "create two", "create three", "update")
    heard.fails["two"] = RuntimeError("not yet")

    for _ in range(2):
        with pytest.raises(RuntimeError, match="not yet") as caught:
            handlers(cm(), ctx)
    assert heard.take() == [("one",), ("two",), ("three",), ("two",)]
    assert "on create" in caught.value.__notes__[0]

    heard.fails.clear()
    handlers(cm({"k": "2"}), ctx)
    assert heard.take() == [("two",), ("update", "data.k: '1' -> '2'")]

    handlers(cm({"k": "2"}), ctx)
    assert heard.take() == []


def test_dec_03_what_goes_back_before_all_have_succeeded_goes_back_for_those_that_have(heard: Heard, ctx: Any) -> None:
    handlers = make(heard, "update one", "update two")
    handlers(cm(), ctx)
    heard.fails["two"] = RuntimeError("not yet")
    with pytest.raises(RuntimeError):
        handlers(cm({"k": "2"}), ctx)
    heard.take()

    handlers(cm(), ctx)

    assert heard.take() == [("one", "data.k: '2' -> '1'")]


def test_dec_03_a_result_is_no_end_and_a_terminal_error_is_one(heard: Heard, ctx: Any) -> None:
    handlers = make(heard, "create one", "create two", "create three")
    heard.answers |= {"one": Result(requeue_after=9.0), "two": Result(requeue_after=5.0)}
    heard.fails["three"] = TerminalError("never")

    assert handlers(cm(), ctx) == Result(requeue_after=5.0)
    assert handlers(cm(), ctx) == Result(requeue_after=5.0)
    assert heard.take() == [("one",), ("two",), ("three",), ("one",), ("two",)]

    heard.answers.clear()
    handlers(cm(), ctx)
    assert heard.take() == [("one",), ("two",)]

    alone = make(heard, "update three")
    fresh: Any = Ctx()
    alone(cm(), fresh)
    with pytest.raises(TerminalError):
        alone(cm({"k": "2"}), fresh)
    assert alone(cm({"k": "2"}), fresh) is None
    assert len(heard.take()) == 1


def test_dec_03_an_object_goes_when_all_who_want_to_know_have_succeeded(heard: Heard, ctx: Any) -> None:
    handlers = make(heard, "create", "delete one", "delete two", finalizer="example.com/mine")
    handlers(cm(), ctx)
    assert ctx.client.obj.metadata.finalizers == ["example.com/mine"]
    going = cm(finalizers=["example.com/mine"], deletionTimestamp="2026-01-01T00:00:00Z")
    heard.take()

    heard.fails["one"] = RuntimeError("busy")
    with pytest.raises(RuntimeError):
        handlers(going, ctx)
    heard.fails.clear()
    assert going.metadata.finalizers == ["example.com/mine"]
    handlers(going, ctx)

    assert [told[0] for told in heard.take()] == ["one", "two", "one"]
    assert ctx.client.obj.metadata.finalizers == []
    handlers(cm(deletionTimestamp="2026-01-01T00:00:00Z", finalizers=["others.com/x"]), ctx)
    assert heard.take() == []


def test_dec_03_whom_an_object_does_not_concern_is_not_called_and_it_is_left_alone(heard: Heard, ctx: Any) -> None:
    handlers = Handlers(InAnnotation("example.com/last"), "example.com/mine")
    handlers.add(Handler("create", heard["create"], [labels_match({"x": "y"})]))
    handlers.add(Handler("delete", heard["delete"], [labels_match({"x": "z"})]))

    handlers(cm(), ctx)
    assert (heard.take(), ctx.client.patches) == ([], [])

    handlers(cm(labels={"x": "y"}), ctx)
    assert heard.take() == [("create",)]
    assert len(ctx.client.patches) == 1  # no finalizer: nobody wants to hear of the end


def test_dec_03_an_object_that_is_gone_meanwhile_is_fine(heard: Heard, ctx: Any) -> None:
    from k8srt.apimachinery.meta import Status

    ctx.client.fails = NotFound(Status(code=404, message="gone"))

    assert make(heard, "create", keeping=InAnnotation("example.com/last"))(cm(), ctx) is None


def test_dec_03_the_essence_is_what_people_want_and_of_the_status_what_is_asked_for() -> None:
    pod = Pod.from_dict(
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": "a", "resourceVersion": "3", "labels": {"l": "m"}, "annotations": {"mine": "x"}},
            "spec": {"nodeName": "n"},
            "status": {"phase": "Running", "podIP": "1.2.3.4"},
        }
    )

    assert essence(pod, leave_out="mine") == {"spec": {"nodeName": "n"}, "metadata": {"labels": {"l": "m"}}}
    assert essence(pod, fields=["status.phase", "status.reason", "spec.nodeName"])["status"] == {"phase": "Running"}
    assert value_at({"a": {"b": 1}}, "a.b.c") is None
    assert Change({"a": 1, "b": {"c": [1]}}, {"b": {"c": [2]}}).diff == [
        Difference("a", 1, None),
        Difference("b.c", [1], [2]),
    ]
    assert Change(None, {"a": 1}).diff == [Difference("", None, {"a": 1})]


def test_dec_03_what_changes_in_the_status_is_told_of_that_field_only(heard: Heard, ctx: Any) -> None:
    handlers = Handlers(InMemory())
    handlers.add(Handler("update", heard["update"], []))
    handlers.add(Handler("field", heard["phase"], [], field="status.phase"))
    pod = Pod.from_dict({"metadata": {"name": "a", "uid": "u"}, "status": {"phase": "Pending"}})
    handlers(pod, ctx)
    heard.take()

    handlers(Pod.from_dict({"metadata": {"name": "a", "uid": "u"}, "status": {"phase": "Running"}}), ctx)

    assert heard.take() == [("phase", ": 'Pending' -> 'Running'")]


async def later(obj: Any, ctx: Any) -> None: ...


@pytest.mark.parametrize("function", [3, later, lambda obj: None, lambda a, b, c, d: None])
def test_dec_03_what_cannot_be_called_is_refused(function: Any) -> None:
    with pytest.raises(TypeError):
        Handler("create", function, [])


def test_dec_03_handlers_may_take_two_arguments(ctx: Any) -> None:
    names: list[str] = []
    handlers = Handlers(InMemory())
    handlers.add(Handler("create", lambda obj, ctx: names.append(obj.metadata.name), []))

    handlers(cm(), ctx)

    assert names == ["a"]
    assert "on create" in repr(handlers)
