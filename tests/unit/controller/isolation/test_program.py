"""What other processes can be told, and what is said of the rest."""

from __future__ import annotations

import functools
import pickle
import sys
import threading
import types
from typing import Any

import pytest

from k8srt.api.core.v1 import ConfigMap
from k8srt.controller import Manager, with_finalizer
from k8srt.controller.isolation.program import Program, check, main_module, pack
from k8srt.controller.reconciling.adapting import as_reconcile
from k8srt.rest.config import Config
from k8srt.testing import FakeClientset
from k8srt.util.flowcontrol import TokenBucket

CONFIG = Config(host="http://localhost:1")


def by_request(request: Any, ctx: Any) -> None: ...


def by_object(obj: ConfigMap, ctx: Any) -> None: ...


@with_finalizer("example.com/held", cleanup=by_object)
def held(obj: ConfigMap, ctx: Any) -> None: ...


class Worker:
    """Has a reconciler."""

    def __init__(self, size: int) -> None:
        self.size = size

    def reconcile(self, request: Any, ctx: Any) -> None: ...


def program(reconcile: Any, **more: Any) -> Program:
    return Program("foo", reconcile, ConfigMap, more.pop("config", CONFIG), **more)


@pytest.mark.parametrize(
    "reconcile",
    [
        by_request,
        as_reconcile(by_object, ConfigMap),
        held,
        with_finalizer("example.com/held", cleanup=by_object)(by_object),
        Worker(3).reconcile,
        functools.partial(by_request),
    ],
    ids=["of a request", "of an object", "decorated", "wrapped", "a method", "a part"],
)
def test_thr_06_what_has_a_name_can_be_told(reconcile: Any) -> None:
    check(program(reconcile))

    told = pickle.loads(pack(program(reconcile)))

    assert told.kind is ConfigMap
    assert told.config == CONFIG
    assert callable(told.reconcile)


def test_thr_06_a_decorated_function_is_found_by_its_name() -> None:
    assert pickle.loads(pickle.dumps(held)) is held


def test_thr_06_what_has_no_name_of_its_own_is_refused_where_it_is_defined() -> None:
    def inner(request: Any, ctx: Any) -> None: ...

    with pytest.raises(ValueError, match=r'controller foo: run_in="process": .*inner.* within another function'):
        check(program(inner))
    with pytest.raises(ValueError, match=r"is a lambda, which has no name"):
        check(program(lambda request, ctx: None))
    with pytest.raises(ValueError, match=r"inner.* within another function.* a `def` of its own in a module"):
        check(program(as_reconcile(inner, ConfigMap)))
    with pytest.raises(ValueError, match=r"inner.* within another function"):
        check(program(functools.partial(inner)))


def test_thr_06_what_was_typed_into_a_session_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "__main__", types.ModuleType("__main__"))
    monkeypatch.setattr(by_request, "__module__", "__main__")

    with pytest.raises(ValueError, match=r"by_request.* was defined in an interactive session"):
        check(program(by_request))


def test_thr_06_what_is_not_what_its_name_says_is_refused_at_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    function = by_request
    monkeypatch.setattr(sys.modules[__name__], "by_request", None)

    check(program(function))
    with pytest.raises(ValueError, match=r"reconcile cannot be handed to another process: .*; define it by a `def`"):
        pack(program(function))


def test_thr_06_a_state_that_cannot_be_copied_is_refused() -> None:
    with pytest.raises(ValueError, match=r'controller foo: run_in="process": state cannot be handed to another'):
        check(program(by_request, state=threading.Lock()))

    assert pickle.loads(pack(program(by_request, state={"a": 1}))).state == {"a": 1}


def test_thr_06_what_belongs_to_this_process_stays_here() -> None:
    config = CONFIG.copy()
    config.rate_limiter, config.warning_handler = TokenBucket(1.0, 1), lambda *_: None

    assert pickle.loads(pack(program(by_request, config=config))).config == CONFIG


def test_thr_06_a_fake_cannot_be_reached_from_other_processes() -> None:
    manager = Manager(FakeClientset())

    with pytest.raises(ValueError, match=r"controller foo: .* a transport of its own \(a fake\?\)"):
        manager.controller(ConfigMap, name="foo", run_in="process")(by_object)
    with pytest.raises(ValueError, match=r"run_in: expected 'thread' or 'process', not 'thraed'"):
        manager.controller(ConfigMap, name="foo", run_in="thraed")(by_object)

    manager.stop()


def test_thr_06_the_main_module_is_imported_only_where_it_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    assert main_module(pickle.dumps(by_request)) == {}

    main = types.ModuleType("__main__")
    main.__file__ = "/app/main.py"
    monkeypatch.setitem(sys.modules, "__main__", main)
    assert main_module(b"...__main__...") == {"init_main_from_path": "/app/main.py"}

    main.__spec__ = types.SimpleNamespace(name="app.main")  # type: ignore[assignment]
    assert main_module(b"...__main__...") == {"init_main_from_name": "app.main"}
