"""A fake that every test here closes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from k8srt.testing import FakeClientset


@pytest.fixture
def fake() -> Iterator[FakeClientset]:
    made = FakeClientset(seed=1)
    yield made
    made.close()
