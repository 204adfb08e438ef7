"""One stage for each test, cleared at its end."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.unit.tools.leaderelection.stage import Stage


@pytest.fixture
def stage(pool) -> Iterator[Stage]:
    stage = Stage(pool)
    yield stage
    stage.close()
