"""Which server tests talk to."""

from __future__ import annotations

import pytest

from k8srt.errors import ConfigError
from k8srt.testing.choosing import Mode, chosen


@pytest.mark.parametrize(
    ("text", "mode"),
    [
        ("", Mode.EMBEDDED),
        ("embedded", Mode.EMBEDDED),
        ("envtest", Mode.ENVTEST),
        (" Kubeconfig ", Mode.KUBECONFIG),
    ],
)
def test_the_environment_says_which_server_it_is(text: str, mode: Mode) -> None:
    assert chosen({"K8SRT_TEST_SERVER": text}) is mode


def test_what_cannot_be_chosen_is_named() -> None:
    with pytest.raises(ConfigError, match="one of embedded, envtest, kubeconfig"):
        chosen({"K8SRT_TEST_SERVER": "kind"})
