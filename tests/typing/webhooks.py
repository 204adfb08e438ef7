"""Webhooks as users write them. Checked by mypy, never run."""

from __future__ import annotations

from typing import assert_type

from k8srt.api.core.v1 import Pod
from k8srt.controller import Manager
from k8srt.controller.webhook import (
    AdmissionError,
    AdmissionRequest,
    AdmissionResponse,
    AdmissionWebhook,
    HTTPRequest,
    HTTPResponse,
    Install,
    SelfSigned,
    Target,
    TokenAnswer,
    TokenQuestion,
    TokenWebhook,
    WebhookServer,
    admission_request,
    allowed,
    authenticated,
    denied,
    multi_validating,
    new_webhook_managed_by,
    patch_response,
    unauthenticated,
)
from k8srt.kubernetes import Clientset


class Rules:
    def default(self, obj: Pod) -> None:
        obj.metadata.labels = {"a": "b"}

    def validate_create(self, obj: Pod) -> list[str]:
        return []


def webhooks(cs: Clientset) -> None:
    signed = SelfSigned("system/cert", service="system/hooks", crds=["foos.example.com"])
    install = Install("hooks", Target(service="system/hooks"))
    mgr = Manager(cs, webhook_server=WebhookServer(self_signed=signed, install=install))

    @mgr.validate(Pod, timeout=5, operations=["CREATE"])
    def check(pod: Pod, old: Pod | None) -> str | None:
        request = admission_request()
        assert_type(request, AdmissionRequest | None)
        if old is None:
            raise AdmissionError("no", code=422)
        return None

    @mgr.mutate(Pod)
    def default(pod: Pod) -> Pod:
        return pod

    @mgr.convert(Pod)
    def convert(src: Pod, dst: Pod) -> None:
        dst.spec = src.spec

    assert_type(check(Pod(), None), str | None)
    new_webhook_managed_by(mgr, Pod).with_defaulter(Rules()).with_validator(Rules()).complete()

    def handle(request: AdmissionRequest) -> AdmissionResponse:
        pod = request.decode(Pod)
        assert_type(pod, Pod)
        if request.user.username == "mallory":
            return denied("not you").with_warnings("careful")
        return patch_response(request.object, pod)

    def who(question: TokenQuestion) -> TokenAnswer:
        return authenticated("jane", groups=["devs"]) if question.token == "t" else unauthenticated()

    def echo(request: HTTPRequest) -> HTTPResponse:
        return HTTPResponse(200, request.body)

    server = mgr.webhook_server
    server.register("/admit", AdmissionWebhook(handle))
    server.register("/both", AdmissionWebhook(multi_validating(handle, lambda request: allowed())))
    server.register("/token", TokenWebhook(who))
    server.register("/echo", echo)
    for configuration in server.webhook_configurations("hooks", url="https://x"):
        cs.apply(configuration)
