"""Signed tokens: the form, the key, and nothing about what they say.

A key signs with ES256 where the package `cryptography` is installed; otherwise with HS256, which needs the standard
library only and which nobody but this server can verify. Tokens of either kind are accepted by the key that made them
and by no other: the algorithm a token names is compared, never followed.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import importlib.util
import secrets
import threading
from typing import Any, Protocol

import msgspec

JSON = dict[str, Any]
_SHARED = b"hs256:"


class BadToken(Exception):
    """The text is no token, or none that this key has signed."""


class _Algorithm(Protocol):
    name: str

    def sign(self, data: bytes) -> bytes: ...
    def verifies(self, signature: bytes, data: bytes) -> bool: ...
    def public(self) -> JSON: ...


class SigningKey:
    """A key made when it is first used, or the one that `stored` holds. Thread-safe."""

    def __init__(self, stored: bytes = b"") -> None:
        self._stored = stored
        self._lock = threading.Lock()  # guards the two below
        self._made: _Algorithm | None = None

    def _algorithm(self) -> _Algorithm:
        with self._lock:
            if self._made is None:
                self._stored = self._stored or new_key()
                self._made = _algorithm_of(self._stored)
            return self._made

    def stored(self) -> bytes:
        """The key as bytes, from which another `SigningKey` makes the same; to be kept secret."""
        self._algorithm()
        return self._stored

    def sign(self, claims: JSON) -> str:
        """A token that says `claims`."""
        algorithm = self._algorithm()
        head: JSON = {"alg": algorithm.name, "kid": _key_id(algorithm)}
        signed = b".".join((_text(msgspec.json.encode(head)), _text(msgspec.json.encode(claims))))
        return b".".join((signed, _text(algorithm.sign(signed)))).decode()

    def claims(self, token: str) -> JSON:
        """What a token says. Raises BadToken when this key has not signed it."""
        signed, _, signature = token.encode(errors="replace").rpartition(b".")
        algorithm = self._algorithm()
        head = _decoded(signed.partition(b".")[0])
        if head.get("alg") != algorithm.name or not algorithm.verifies(_bytes(signature), signed):
            raise BadToken("the signature is not this server's")
        return _decoded(signed.partition(b".")[2])

    def public(self) -> list[JSON]:
        """The keys with which others verify tokens, in the form of a JSON web key set; a shared secret is not told."""
        algorithm = self._algorithm()
        told = algorithm.public()
        return [{**told, "use": "sig", "kid": _key_id(algorithm), "alg": algorithm.name}] if told else []


def unverified(token: str) -> JSON:
    """What a text says that looks like a token, whoever signed it; empty for other texts."""
    parts = token.encode(errors="replace").split(b".")
    if len(parts) != 3:
        return {}
    try:
        return _decoded(parts[1])
    except BadToken:
        return {}


def new_key() -> bytes:
    """A new key, as `SigningKey` takes it."""
    if importlib.util.find_spec("cryptography") is None:
        return _SHARED + secrets.token_hex(32).encode()
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    return ec.generate_private_key(ec.SECP256R1()).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _algorithm_of(stored: bytes) -> _Algorithm:
    if stored.startswith(_SHARED):
        return _HS256(stored[len(_SHARED) :])
    return _ES256(stored)


def _key_id(algorithm: _Algorithm) -> str:
    about = msgspec.json.encode(algorithm.public() or {"alg": algorithm.name}, order="deterministic")
    return _text(hashlib.sha256(about).digest()).decode()


class _HS256:
    name = "HS256"

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    def sign(self, data: bytes) -> bytes:
        return hmac.digest(self._secret, data, "sha256")

    def verifies(self, signature: bytes, data: bytes) -> bool:
        return hmac.compare_digest(signature, self.sign(data))

    def public(self) -> JSON:
        return {}


class _ES256:
    name = "ES256"

    def __init__(self, pem: bytes) -> None:
        from cryptography.hazmat.primitives.asymmetric import ec
        from cryptography.hazmat.primitives.serialization import load_pem_private_key

        key = load_pem_private_key(pem, None)
        assert isinstance(key, ec.EllipticCurvePrivateKey)
        self._key = key

    def sign(self, data: bytes) -> bytes:
        from cryptography.hazmat.primitives import hashes
        from cryptography.hazmat.primitives.asymmetric import ec
        from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

        r, s = decode_dss_signature(self._key.sign(data, ec.ECDSA(hashes.SHA256())))
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")

    def verifies(self, signature: bytes, data: bytes) -> bool:
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives import hashes
        from cryptography.hazmat.primitives.asymmetric import ec
        from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

        if len(signature) != 64:
            return False
        parts = encode_dss_signature(int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big"))
        try:
            self._key.public_key().verify(parts, data, ec.ECDSA(hashes.SHA256()))
        except InvalidSignature:
            return False
        return True

    def public(self) -> JSON:
        numbers = self._key.public_key().public_numbers()
        x, y = (_text(number.to_bytes(32, "big")).decode() for number in (numbers.x, numbers.y))
        return {"kty": "EC", "crv": "P-256", "x": x, "y": y}


def _text(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")


def _bytes(text: bytes) -> bytes:
    try:
        return base64.b64decode(text + b"=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise BadToken("a part is not base64") from None


def _decoded(text: bytes) -> JSON:
    try:
        found = msgspec.json.decode(_bytes(text))
    except (ValueError, RecursionError):  # what is no JSON, or no text
        raise BadToken("a part is not JSON") from None
    if not isinstance(found, dict):
        raise BadToken("a part is no object")
    return found
