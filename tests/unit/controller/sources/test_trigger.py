"""Requests that come over HTTP, without a network."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from k8srt.controller.predicate import from_function
from k8srt.controller.serving.messages import HTTPRequest
from k8srt.controller.sources.trigger import HTTPTrigger
from k8srt.controller.webhook.server import PathTaken, WebhookServer
from k8srt.util.threads import Stop
from tests.unit.controller.test_source import Added


def pushed(request: HTTPRequest) -> list[str]:
    found = json.loads(request.body)
    if found == "break":
        raise RuntimeError("a secret that is nobody's business")
    return [f"shop/{found['repository']}"]


def test_src_07_a_post_leads_to_requests(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    server = WebhookServer(port=0, cert_dir=tmp_path)
    trigger = HTTPTrigger(server, "/pushed", pushed, from_function(lambda obj: obj.metadata.name != "hidden"))
    queue = Added()

    def call(body: Any, method: str = "POST") -> tuple[int, str]:
        handler = server.handler("/pushed")
        assert handler is not None
        answer = handler.handle(HTTPRequest(method, "/pushed", body=json.dumps(body).encode()))
        return answer.code, answer.body.decode().strip()

    assert call({"repository": "a"}) == (503, "the controller does not run here at present")
    trigger.start(queue)
    trigger.wait_for_sync(0.0, Stop())

    assert call({"repository": "a"}) == (202, "1 requests")
    assert call({"repository": "hidden"})[0] == 202
    assert call({}) == (400, "KeyError: 'repository'")
    assert call({"repository": "a/b"})[0] == 400
    assert call("break") == (500, "RuntimeError")
    assert call({}, "GET")[0] == 405
    assert queue.keys == ["shop/a"]
    assert "nobody's business" in caplog.text

    trigger.stop()
    assert call({"repository": "a"})[0] == 503
    with pytest.raises(PathTaken):
        HTTPTrigger(server, "/pushed", pushed)
