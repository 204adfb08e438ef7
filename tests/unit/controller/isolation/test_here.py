"""Managers in processes that only reconcile for another one."""

from __future__ import annotations

import pytest

from k8srt.controller import Manager
from k8srt.controller.failures import ForkedProcessError
from k8srt.controller.isolation import here
from k8srt.testing import FakeClientset


@pytest.fixture(autouse=True)
def _in_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(here, "_worker", True)


def test_thr_06_a_manager_that_is_only_imported_listens_on_nothing() -> None:
    manager = Manager(FakeClientset(), health_address="127.0.0.1:1", profiling_address="127.0.0.1:1")

    assert manager.health_url == manager.profiling_url == ""
    manager.stop()


def test_thr_06_a_manager_that_is_only_imported_does_not_start() -> None:
    manager = Manager(FakeClientset())

    with pytest.raises(ForkedProcessError, match='start it under `if __name__ == "__main__":`'):
        manager.run()
