"""What is put around a transport: in which order, and what it sees."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from k8srt.errors import TransportError
from k8srt.rest import Config, ImpersonationConfig, RESTClient
from tests.unit.rest.fakes import FakeReply, FakeTransport


class Wrapped:
    """Notes when it was passed through, and what it saw."""

    def __init__(self, inner: Any, name: str, log: list[str]) -> None:
        self.inner, self.name, self.log = inner, name, log
        self.headers: list[Any] = []

    def send(self, method: str, target: str, **options: Any) -> Any:
        self.log.append(f"{self.name} asks")
        self.headers.append(options["headers"])
        reply = self.inner.send(method, target, **options)
        self.log.append(f"{self.name} answers {reply.status}")
        return reply

    def close(self) -> None:
        self.log.append(f"{self.name} closes")
        self.inner.close()


def wrapping(name: str, log: list[str], made: list[Wrapped] | None = None) -> Callable[[Any], Wrapped]:
    def wrap(inner: Any) -> Wrapped:
        wrapped = Wrapped(inner, name, log)
        if made is not None:
            made.append(wrapped)
        return wrapped

    return wrap


def test_rest_52_the_first_wrapper_is_the_innermost() -> None:
    log: list[str] = []
    transport = FakeTransport(FakeReply())
    config = Config(host="http://x", qps=-1, transport=transport, wrap_transport=wrapping("first", log))  # type: ignore[arg-type]
    assert config.wrap(wrapping("second", log), wrapping("third", log)) is config

    RESTClient(config).get().abs_path("/").do()

    asked = ["third asks", "second asks", "first asks"]
    assert log == [*asked, "first answers 200", "second answers 200", "third answers 200"]
    assert len(transport.sent) == 1


def test_rest_52_wrappers_see_the_request_as_it_is_sent() -> None:
    made: list[Wrapped] = []
    config = Config(
        host="http://x",
        qps=-1,
        bearer_token="t",
        user_agent="me",
        impersonate=ImpersonationConfig("boss"),
        transport=FakeTransport(FakeReply()),  # type: ignore[arg-type]
        wrap_transport=[wrapping("w", [], made)],
    )

    RESTClient(config).get().abs_path("/").do()

    headers = made[0].headers[0]
    assert headers["Authorization"] == "Bearer t"
    assert headers["User-Agent"] == "me"
    assert headers["Impersonate-User"] == "boss"


def test_a_wrapper_may_answer_or_fail_by_itself() -> None:
    class Never:
        def send(self, method: str, target: str, **_: Any) -> Any:
            raise TransportError(f"{method} {target}: not today")

    client = RESTClient(Config(host="http://x", qps=-1, wrap_transport=lambda inner: Never()))  # type: ignore[arg-type]

    with pytest.raises(TransportError, match="not today"):
        client.get().abs_path("/x").do()
    client.close()  # though this one has nothing to close


def test_wrappers_are_closed_with_the_client_and_a_transport_of_the_config_is_not() -> None:
    log: list[str] = []

    class Own(FakeTransport):
        def close(self) -> None:
            log.append("own closes")

    for transport in (None, Own(FakeReply())):
        client = RESTClient(Config(host="http://x", transport=transport, wrap_transport=wrapping("w", log)))  # type: ignore[arg-type]
        client.close()
        client.close()

    assert log == ["w closes", "w closes"]


def test_a_copy_has_its_own_list_and_the_anonymous_config_none() -> None:
    config = Config(host="http://x").wrap(wrapping("first", []))
    copy = config.copy()
    copy.wrap(wrapping("second", []))

    assert len(config.wrap_transport) == 1  # type: ignore[arg-type]
    assert len(copy.wrap_transport) == 2  # type: ignore[arg-type]
    assert config.anonymous().wrap_transport is None


def test_what_cannot_be_called_is_refused() -> None:
    with pytest.raises(TypeError, match="wrap_transport"):
        Config(host="http://x").wrap("no function")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="wrap_transport"):
        RESTClient(Config(host="http://x", wrap_transport=[1]))  # type: ignore[list-item]
