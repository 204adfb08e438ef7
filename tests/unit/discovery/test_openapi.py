"""OpenAPI documents and their index."""

from __future__ import annotations

import pytest

from k8srt import errors
from k8srt.discovery import DiscoveryClient
from tests.unit.discovery.answers import Answers

INDEX = {
    "paths": {
        "api/v1": {"serverRelativeURL": "/openapi/v3/api/v1?hash=AB%2B1"},
        "apis/apps/v1": {"serverRelativeURL": "/openapi/v3/apis/apps/v1"},
    }
}


def test_cli_24_the_v2_document() -> None:
    server = Answers({"/openapi/v2": {"swagger": "2.0"}})

    assert DiscoveryClient(server.config()).openapi_v2() == {"swagger": "2.0"}
    assert server.requests[0].header("accept") == "application/json"


def test_cli_24_the_v3_index_has_hashes_and_its_documents_are_fetched_once() -> None:
    server = Answers({"/openapi/v3": INDEX, "/openapi/v3/api/v1": {"openapi": "3.0.0"}})

    index = DiscoveryClient(server.config()).openapi_v3()

    assert list(index) == ["api/v1", "apis/apps/v1"]
    assert (index.paths["api/v1"].hash, index.paths["apis/apps/v1"].hash) == ("AB+1", "")
    assert index.schema("api/v1") is index.schema("v1")
    assert server.asked == ["/openapi/v3", "/openapi/v3/api/v1"]
    assert server.requests[1].param("hash") == "AB+1"
    assert (len(index), "api/v1" in index, repr(index)) == (2, True, "<OpenAPIV3 with 2 documents>")


def test_cli_24_a_path_that_is_not_in_the_index() -> None:
    index = DiscoveryClient(Answers({"/openapi/v3": INDEX}).config()).openapi_v3()

    with pytest.raises(KeyError, match=r"no OpenAPI v3 document for 'nope\.io/v1'; it has api/v1, apis/apps/v1"):
        index.schema("nope.io/v1")


@pytest.mark.parametrize("index", [{}, {"paths": 3}, {"paths": {"api/v1": {}}}])
def test_an_index_that_is_none(index: dict[str, object]) -> None:
    with pytest.raises(errors.DecodeError, match="openapi/v3"):
        DiscoveryClient(Answers({"/openapi/v3": index}).config()).openapi_v3()
