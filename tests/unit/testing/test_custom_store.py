"""The store whose operations are functions."""

from __future__ import annotations

from k8srt.testing import FakeCustomStore

OPERATIONS = {
    "add": (1,),
    "update": (1,),
    "delete": (1,),
    "list": (),
    "list_keys": (),
    "get": (1,),
    "get_by_key": ("k",),
    "replace": ([1], "7"),
    "resync": (),
}


def test_cache_70_without_functions_everything_succeeds_with_nothing():
    store = FakeCustomStore()

    assert [getattr(store, name)(*args) or None for name, args in OPERATIONS.items()] == [None] * 9


def test_cache_70_each_operation_calls_its_function():
    calls = []

    def hook(name):
        return lambda *args: calls.append((name, args)) or name

    store = FakeCustomStore(**{f"{name}_func": hook(name) for name in OPERATIONS})
    answers = {name: getattr(store, name)(*args) for name, args in OPERATIONS.items()}

    assert calls == list(OPERATIONS.items())
    assert {name for name, answer in answers.items() if answer == name} == {"list", "list_keys", "get", "get_by_key"}
