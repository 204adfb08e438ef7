"""OpenID Connect: an id token until it expires, then a new one for the refresh token.

| setting | what it is |
| --- | --- |
| `idp-issuer-url` | the issuer; its discovery document says where tokens are given |
| `client-id`, `client-secret` | of the client that the refresh token was given to |
| `refresh-token`, `id-token` | written back whenever there are new ones |
| `idp-certificate-authority`, `idp-certificate-authority-data` | a CA, as a file or as base64 of PEM |

Logging in, which gives the first refresh token, is the business of others. Contract: REST-62.
"""

from __future__ import annotations

import base64
import binascii
import json
from datetime import UTC, datetime

from k8srt.errors import ConfigError, CredentialsError
from k8srt.plugin.auth.oauth import refresh
from k8srt.plugin.auth.registry import LEEWAY, ProviderContext, Token
from k8srt.util.threads import Stop


class OIDC:
    """The provider `oidc`."""

    def __init__(self, context: ProviderContext) -> None:
        self._context = context
        self._settings = dict(context.settings)
        for name in ("idp-issuer-url", "client-id"):
            if not self._settings.get(name):
                raise ConfigError(f"must provide {name}")
        self._ca_file = self._settings.get("idp-certificate-authority", "")
        self._ca_data = _decoded(self._settings.get("idp-certificate-authority-data", ""))

    def token(self, stop: Stop, *, rejected: bool) -> Token:
        """The id token, or a new one. One that was refused is refused for what it says, and stays."""
        if current := self._settings.get("id-token"):
            expires = expiry(current)
            if self._context.clock.time() + LEEWAY < expires:
                return Token(current, expires)
        return self._refresh(stop)

    def _refresh(self, stop: Stop) -> Token:
        used = self._settings.get("refresh-token")
        if not used:
            raise CredentialsError("no valid id-token, and cannot refresh without refresh-token")
        given = refresh(
            self._context.ask,
            self._token_endpoint(stop),
            {"grant_type": "refresh_token", "refresh_token": used},
            client=(self._settings["client-id"], self._settings.get("client-secret", "")),
            stop=stop,
            ca_file=self._ca_file,
            ca_data=self._ca_data,
        )
        fresh = given.get("id_token")
        if not isinstance(fresh, str) or not fresh:
            raise CredentialsError(
                'token response did not contain an id_token: either the scope "openid" was not requested upon login, '
                "or the provider does not support id_tokens as part of the refresh response"
            )
        token = Token(fresh, expiry(fresh))
        another = given.get("refresh_token")
        if isinstance(another, str) and another:
            self._settings["refresh-token"] = another
        self._settings["id-token"] = fresh
        self._context.save(self._settings, stop=stop)
        return token

    def _token_endpoint(self, stop: Stop) -> str:
        url = self._settings["idp-issuer-url"].removesuffix("/") + "/.well-known/openid-configuration"
        answer = self._context.ask("GET", url, stop=stop, ca_file=self._ca_file, ca_data=self._ca_data)
        if answer.status != 200:
            raise CredentialsError(f"failed to query metadata endpoint {url}: it answered {answer.status}")
        endpoint = answer.json().get("token_endpoint")
        if not isinstance(endpoint, str) or not endpoint:
            raise CredentialsError(f"the discovery document {url} has no token_endpoint")
        return endpoint


def expiry(id_token: str) -> datetime:
    """When a JWT expires. Raises CredentialsError for what is none. Its signature is the server's business."""
    parts = id_token.split(".")
    try:
        if len(parts) != 3:
            raise ValueError
        payload = base64.b64decode(parts[1] + "=" * (-len(parts[1]) % 4), altchars=b"-_", validate=True)
        claims = json.loads(payload)
        return datetime.fromtimestamp(float(claims["exp"]), UTC)
    except (ValueError, TypeError, KeyError, OverflowError, OSError):
        raise CredentialsError("the id-token is not a valid JWT with a time of expiry") from None


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as err:
        raise ConfigError(f"idp-certificate-authority-data: malformed base64: {err}") from None
