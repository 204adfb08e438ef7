"""What unit tests share."""

from __future__ import annotations

import pytest

from k8srt.util.workqueue import metrics


@pytest.fixture(autouse=True)
def _queues_report_to_nobody(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """A manager with metrics has the queues of its process report from then on, also those of later tests."""
    if "controller" not in request.path.parts:
        monkeypatch.setattr(metrics._told, "provider", None)
