"""Definitions read from a cluster; against servers that is in `tests/integration/test_generate.py`."""

from __future__ import annotations

from pathlib import Path

import pytest

from k8srt.codegen.cluster import Cluster
from k8srt.codegen.crd import DefinitionError
from k8srt.testing import FakeClientset

FOO = Path(__file__).with_name("crds") / "foo.yaml"


def test_what_is_served_and_not_described_yet_is_named():
    fake = FakeClientset(FOO)
    fake.prepend_reactor("get", "/openapi/v3", lambda action: {"paths": {}})

    with pytest.raises(
        DefinitionError, match=r"foos\.samplecontroller\.k8s\.io: the server has no OpenAPI v3 document for"
    ):
        Cluster(fake, "openapi").definitions(["foos.samplecontroller.k8s.io"])
