"""Credentials, as type checkers see them; never run."""

from __future__ import annotations

from datetime import datetime
from typing import assert_type

from k8srt.errors import ConfigError, CredentialsError
from k8srt.plugin import auth
from k8srt.rest import Config
from k8srt.transport.auth_config import AuthProviderConfig, ExecConfig
from k8srt.transport.exec_policy import PluginPolicy
from k8srt.util.threads import Stop


class Own:
    def __init__(self, context: auth.ProviderContext) -> None:
        self.context = context

    def token(self, stop: Stop, *, rejected: bool) -> auth.Token:
        context = self.context
        assert_type(context.settings["a"], str)
        assert_type(context.ask("GET", "https://x", stop=stop).status, int)
        assert_type(context.run(["x"], stop=stop).output, bytes)
        context.save({"a": "b"}, stop=stop)
        return auth.Token("t", expires=context.clock.time())


def credentials() -> None:
    auth.register("own", Own)
    auth.register("wrong", str)  # type: ignore[arg-type]
    assert_type(auth.registered(), list[str])
    assert_type(auth.Token("t").expires, datetime | None)
    Config(auth_provider=AuthProviderConfig("own", {"a": "b"}))
    program = ExecConfig("aws", ["eks"], env=[("A", "b")], timeout=3.0, policy=PluginPolicy.only("aws"))
    Config(exec_provider=program)


def failed(err: CredentialsError) -> ConfigError:
    assert_type(err.exit_code, int | None)
    return err
