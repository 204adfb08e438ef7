"""Bodies that cannot be sent are refused before anything is."""

from __future__ import annotations

import pytest

from tests.unit.rest.fakes import fake_client


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"spec": {"a": [1, object()]}}, r"body: spec.a\[1\]: expected something that JSON can hold, got an object"),
        (object(), "body: a object cannot be sent"),
        ("/none/such", "body: .*No such file"),
    ],
)
def test_a_body_that_cannot_be_sent_is_named(body, message):
    client, transport, _ = fake_client()

    with pytest.raises(ValueError, match=message):
        client.post().body(body).do()

    assert not transport.sent
