"""OpenStack's: a Keystone token, for what the environment says.

Settings are `token-id` and `expires-at` (RFC 3339), which are written back. A new token is had from the identity
service, version 3, at `OS_AUTH_URL`: with `OS_USERNAME` or `OS_USER_ID`, `OS_PASSWORD` and their domain and project, or
with `OS_APPLICATION_CREDENTIAL_ID` and `OS_APPLICATION_CREDENTIAL_SECRET`. Upstream has retired it. Contract: REST-62.
"""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from k8srt.errors import ConfigError, CredentialsError
from k8srt.plugin.auth.gotime import RFC3339, parse_time
from k8srt.plugin.auth.registry import LEEWAY, ProviderContext, Token
from k8srt.util.threads import Stop

RETIRED = """the openstack auth plugin has been removed.
Please use the "client-keystone-auth" kubectl/client-go credential plugin instead.
See https://github.com/kubernetes/cloud-provider-openstack/blob/master/docs/using-client-keystone-auth.md for further \
details"""

_ID, _SECRET = "OS_APPLICATION_CREDENTIAL_ID", "OS_APPLICATION_CREDENTIAL_SECRET"


class OpenStack:
    """The provider `openstack`."""

    def __init__(self, context: ProviderContext) -> None:
        self._context = context
        self._settings = dict(context.settings)
        if not self._settings.get("token-id") and not context.environ.get("OS_AUTH_URL"):
            raise ConfigError(f"there is no token-id, no OS_AUTH_URL, and {RETIRED}")

    def token(self, stop: Stop, *, rejected: bool) -> Token:
        """The token of the settings until it expires, or was refused; then a new one."""
        if rejected:
            self._settings.pop("token-id", None)
        current, expires = self._settings.get("token-id"), _moment(self._settings.get("expires-at"))
        if current and expires is not None and self._context.clock.time() + LEEWAY < expires:
            return Token(current, expires)
        if not self._context.environ.get("OS_AUTH_URL"):
            raise CredentialsError(f"the token-id has expired or was refused, there is no OS_AUTH_URL, and {RETIRED}")
        return self._authenticate(stop)

    def _authenticate(self, stop: Stop) -> Token:
        url = self._context.environ["OS_AUTH_URL"].rstrip("/").removesuffix("/v3") + "/v3/auth/tokens"
        answer = self._context.ask(
            "POST",
            url,
            headers={"Content-Type": "application/json"},
            body=json.dumps({"auth": _request(self._context.environ)}).encode(),
            stop=stop,
            ca_file=self._context.environ.get("OS_CACERT", ""),
        )
        value = answer.headers.get("x-subject-token", "")
        if answer.status != 201 or not value:
            raise CredentialsError(f"error getting openstack token: {url} answered {answer.status}")
        token = answer.json().get("token")
        text = token.get("expires_at") if isinstance(token, dict) else None
        expires = _moment(text)
        if expires is None:
            raise CredentialsError(f"error getting openstack token: {url} did not say when it expires")
        self._settings["token-id"] = value
        self._settings["expires-at"] = str(text)
        self._context.save(self._settings, stop=stop)
        return Token(value, expires)


def _request(environ: Any) -> dict[str, Any]:
    """Who asks, for which project, as Keystone wants to hear it. Raises CredentialsError for what is missing."""
    if environ.get(_ID):
        secret = {"id": environ[_ID], "secret": environ.get(_SECRET, "")}
        return {"identity": {"methods": ["application_credential"], "application_credential": secret}}
    named = environ.get("OS_USER_ID") or environ.get("OS_USERNAME")
    if not named or not environ.get("OS_PASSWORD"):
        raise CredentialsError(f"OS_USERNAME and OS_PASSWORD, or {_ID} and {_SECRET}, must be set")
    user: dict[str, Any] = {"password": environ["OS_PASSWORD"]}
    if environ.get("OS_USER_ID"):
        user["id"] = environ["OS_USER_ID"]
    else:
        user |= {"name": named, "domain": _domain(environ, "OS_USER_DOMAIN")}
    identity = {"identity": {"methods": ["password"], "password": {"user": user}}}
    if project := environ.get("OS_PROJECT_ID") or environ.get("OS_TENANT_ID"):
        return {**identity, "scope": {"project": {"id": project}}}
    if project := environ.get("OS_PROJECT_NAME") or environ.get("OS_TENANT_NAME"):
        return {**identity, "scope": {"project": {"name": project, "domain": _domain(environ, "OS_PROJECT_DOMAIN")}}}
    return identity


def _domain(environ: Any, prefix: str) -> dict[str, str]:
    if number := environ.get(f"{prefix}_ID") or environ.get("OS_DOMAIN_ID"):
        return {"id": number}
    return {"name": environ.get(f"{prefix}_NAME") or environ.get("OS_DOMAIN_NAME") or "Default"}


def _moment(text: Any) -> datetime | None:
    try:
        return parse_time(RFC3339, text)
    except (ValueError, AttributeError):
        return None
