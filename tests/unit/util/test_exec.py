"""How a command ended. Contract: CLI-57."""

from __future__ import annotations

import pickle

import pytest

from k8srt.errors import K8srtError
from k8srt.util.exec import CodeExitError


def test_cli_57_a_command_that_failed_says_with_which_code():
    cause = OSError("broken")

    with pytest.raises(K8srtError) as caught:
        raise CodeExitError(3, cause)

    assert (caught.value.code, str(caught.value), caught.value.__cause__) == (3, "broken", cause)
    assert str(CodeExitError(137)) == "command terminated with exit code 137"
    assert pickle.loads(pickle.dumps(CodeExitError(2, "no"))).code == 2
