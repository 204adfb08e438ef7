"""What limits the cache and what limits a controller is told where people look."""

from __future__ import annotations

import pytest

from k8srt.controller import predicate
from k8srt.controller.builder import Builder
from k8srt.controller.cache import scopes


@pytest.mark.parametrize("text", [Builder.owns.__doc__, Builder.watches.__doc__, predicate.__doc__, scopes.__doc__])
def test_cch_13_predicates_do_not_limit_the_cache_and_selectors_do(text: str) -> None:
    assert "the cache keep" in " ".join(text.split())
