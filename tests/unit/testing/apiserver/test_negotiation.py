"""Which form an answer takes."""

from __future__ import annotations

import gzip

import pytest

from k8srt.testing.apiserver.failures import Failure
from k8srt.testing.apiserver.messages import Request
from k8srt.testing.apiserver.negotiation import Form, answer, form_of

TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io"


def form(accept: str, **headers: str) -> Form:
    return form_of(Request("GET", "/", {"accept": accept, **headers}))


@pytest.mark.parametrize(
    ("accept", "media", "kind"),
    [
        ("", "application/json", ""),
        ("*/*", "application/json", ""),
        ("application/yaml", "application/yaml", ""),
        ("application/vnd.kubernetes.protobuf,application/json", "application/json", ""),
        ("application/json;q=0.5,application/yaml", "application/yaml", ""),
        (TABLE, "application/json", "Table"),
        ("application/json;as=Odd;v=v1;g=meta.k8s.io,application/json", "application/json", ""),
    ],
)
def test_the_accept_header_chooses(accept, media, kind):
    chosen = form(accept)

    assert (chosen.media, chosen.kind) == (media, kind)


@pytest.mark.parametrize("accept", ["application/*", "text/html", "application/vnd.kubernetes.protobuf"])
def test_nothing_acceptable_is_a_failure(accept):
    with pytest.raises(Failure) as caught:
        form(accept)

    assert caught.value.code == 406


def test_people_get_indented_answers():
    assert form("", **{"user-agent": "curl/8"}).pretty
    assert not form("", **{"user-agent": "kubectl/1"}).pretty


def test_large_answers_are_compressed_on_request():
    request = Request("GET", "/", {"accept-encoding": "gzip"})

    large = answer(request, Form(), {"k": "x" * 200_000})
    small = answer(request, Form(), {"k": "x"})

    assert ("Content-Encoding", "gzip") in large.headers
    assert gzip.decompress(large.body).startswith(b'{"k":"xxx')
    assert small.body == b'{"k":"x"}\n'
