"""Signed tokens: what a key has signed it reads again, and nothing else."""

from __future__ import annotations

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from k8srt.testing.apiserver.jwt import BadToken, SigningKey, unverified

KEYS = {
    "ES256": SigningKey(),
    "HS256": SigningKey(b"hs256:0123456789abcdef"),
}
CLAIMS = {"iss": "i", "sub": "s", "exp": 7}


@pytest.fixture(params=KEYS)
def key(request: pytest.FixtureRequest) -> SigningKey:
    if request.param == "ES256":
        pytest.importorskip("cryptography")
    return KEYS[request.param]


def test_a_token_says_what_was_signed(key: SigningKey) -> None:
    token = key.sign(CLAIMS)

    assert key.claims(token) == unverified(token) == CLAIMS


def test_a_key_can_be_kept(key: SigningKey) -> None:
    again = SigningKey(key.stored())

    assert again.claims(key.sign(CLAIMS)) == CLAIMS
    assert again.public() == key.public()


def test_no_key_takes_the_tokens_of_another() -> None:
    pytest.importorskip("cryptography")
    one, other = KEYS.values()

    for signer, reader in ((one, other), (other, one), (SigningKey(), one)):
        with pytest.raises(BadToken):
            reader.claims(signer.sign(CLAIMS))


def test_a_token_does_not_choose_how_it_is_verified(key: SigningKey) -> None:
    _, body, signature = key.sign(CLAIMS).split(".")
    for algorithm in ("none", "HS256", "ES256", "RS256"):
        head = base64.urlsafe_b64encode(json.dumps({"alg": algorithm}).encode()).rstrip(b"=").decode()
        for each in ("", signature):
            with pytest.raises(BadToken):
                key.claims(f"{head}.{body}.{each}")


@given(st.one_of(st.text(), st.lists(st.binary(max_size=9), min_size=3, max_size=3)))
def test_any_other_text_is_none(text: str | list[bytes]) -> None:
    if isinstance(text, list):
        text = ".".join(base64.urlsafe_b64encode(part).decode() for part in text)

    assert isinstance(unverified(text), dict)
    for key in KEYS.values():
        with pytest.raises(BadToken):
            key.claims(text)


@given(st.integers(0, 400), st.integers(1, 255))
def test_a_token_with_one_other_byte_is_none(place: int, change: int) -> None:
    key = KEYS["HS256"]
    token = bytearray(key.sign(CLAIMS).encode())
    place %= len(token)
    token[place] ^= change
    text = token.decode("latin-1")

    if base64_equal(text, key.sign(CLAIMS)):
        return  # the unused bits of the last letter
    with pytest.raises(BadToken):
        key.claims(text)


def base64_equal(one: str, other: str) -> bool:
    try:
        return [base64.urlsafe_b64decode(part + "==") for part in one.split(".")] == [
            base64.urlsafe_b64decode(part + "==") for part in other.split(".")
        ]
    except ValueError:
        return False
