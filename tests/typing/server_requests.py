"""What a server was asked, as tests ask for it. Type-checked only."""

from __future__ import annotations

from typing import assert_type

from k8srt.api.core.v1 import Pod
from k8srt.testing import APIServer
from k8srt.testing.apiserver.request_log import RecordedRequest, RecordedRequests, RequestLog


def what_was_asked(server: APIServer) -> None:
    assert_type(server.requests, RequestLog)
    assert_type(server.requests[0], RecordedRequest)
    assert_type(server.requests.where("list", Pod, status=200)[-1].took, float | None)
    assert_type(server.requests.wait_for(["get", "list"], "pods", count=2, status=range(400, 600)), RecordedRequests)
    assert_type([row.user for row in server.requests], list[str])
    assert_type(server.requests.writes().lines(), list[str])
    assert_type(server.faults.bookmark(Pod), int)
