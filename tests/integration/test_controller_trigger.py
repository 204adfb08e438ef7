"""A controller that is called over HTTPS."""

from __future__ import annotations

import json
from pathlib import Path

from k8srt.controller import Builder, Context, HTTPTrigger, Manager, Request
from k8srt.controller.webhook import HTTPRequest, WebhookServer
from k8srt.kubernetes import Clientset
from k8srt.testing.choosing import Server
from tests.integration.test_controller_objects import Told
from tests.integration.test_webhook_server import LONG, Authority, client, post, put


def test_src_07_a_call_is_reconciled(module_server: Server, tmp_path: Path) -> None:
    authority, told = Authority(), Told()
    put(tmp_path, authority.issue("127.0.0.1"))
    server = WebhookServer(port=0, cert_dir=tmp_path)

    def pushed(request: HTTPRequest) -> list[Request]:
        return [Request("shop", json.loads(request.body)["repository"])]

    def reconcile(request: Request, ctx: Context) -> None:
        told.add(f"{request} {ctx.reasons[0].event}")

    with Clientset(module_server.config) as cs:
        manager = Manager(cs, webhook_server=server)
        trigger = HTTPTrigger(manager.webhook_server, "/pushed", pushed)
        Builder(manager).named("pushes").watches_raw_source(trigger).complete(reconcile)
        with manager:
            assert server.ready.wait(LONG)
            with client(authority, tmp_path) as pool:
                assert post(pool, server, "/pushed", {"repository": "site"}).status == 202
                assert post(pool, server, "/pushed", {}).status == 400
            told.wait_for("shop/site generic")
