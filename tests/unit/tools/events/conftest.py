"""What the tests of recorders share."""

from __future__ import annotations

import pytest

from k8srt.api.core.v1 import Pod
from k8srt.apimachinery.meta import ObjectMeta
from k8srt.testing import FakeClock


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def pod() -> Pod:
    return Pod(metadata=ObjectMeta(name="web-0", namespace="shop", uid="u1", resource_version="7"))
