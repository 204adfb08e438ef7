"""Azure's: a token that is in the settings, and new ones for the refresh token.

| setting | what it is |
| --- | --- |
| `access-token`, `refresh-token`, `expires-on`, `expires-in` | the token and its end (Unix seconds); written back |
| `client-id`, `tenant-id`, `apiserver-id` | who asks, where, and for what |
| `environment` | `AzurePublicCloud` (that of others), `AzureChinaCloud`, `AzureGermanCloud`, `AzureUSGovernmentCloud` |
| `config-mode` | `1` asks for `apiserver-id` itself, else for `spn:` and that |

Logging in by device is retired upstream, and told so. Contract: REST-62.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from k8srt.errors import ConfigError, CredentialsError
from k8srt.plugin.auth.oauth import refresh
from k8srt.plugin.auth.registry import LEEWAY, ProviderContext, Token
from k8srt.util.threads import Stop

RETIRED = """the azure auth plugin has been removed.
Please use the https://github.com/Azure/kubelogin kubectl/client-go credential plugin instead.
See https://kubernetes.io/docs/reference/access-authn-authz/authentication/#client-go-credential-plugins for further \
details"""

ENDPOINTS = {
    "AzurePublicCloud": "https://login.microsoftonline.com/",
    "AzureChinaCloud": "https://login.chinacloudapi.cn/",
    "AzureGermanCloud": "https://login.microsoftonline.de/",
    "AzureUSGovernmentCloud": "https://login.microsoftonline.us/",
}

_NEEDED = ("client-id", "tenant-id", "apiserver-id")


class Azure:
    """The provider `azure`."""

    def __init__(self, context: ProviderContext) -> None:
        self._context = context
        self._settings = dict(context.settings)
        for name in _NEEDED:
            if not self._settings.get(name):
                raise ConfigError(f"{name} is empty")
        mode = self._settings.get("config-mode", "")
        if mode not in ("", "0", "1"):
            raise ConfigError(f"config-mode: {mode!r} is not a valid mode")
        self._bare = mode == "1"
        if not self._settings.get("access-token") and not self._settings.get("refresh-token"):
            raise ConfigError(RETIRED)

    def token(self, stop: Stop, *, rejected: bool) -> Token:
        """The access token until it expires, or was refused; then a new one."""
        current = self._settings.get("access-token")
        expires = _moment(self._settings.get("expires-on"))
        if current and not rejected and expires is not None and self._context.clock.time() + LEEWAY < expires:
            return Token(current, expires)
        if not self._settings.get("refresh-token"):
            raise CredentialsError(
                f"the access-token has expired or was refused, there is no refresh-token, and {RETIRED}"
            )
        return self._refresh(stop)

    def _refresh(self, stop: Stop) -> Token:
        settings = self._settings
        endpoint = ENDPOINTS.get(settings.get("environment", ""), ENDPOINTS["AzurePublicCloud"])
        url = f"{endpoint}{settings['tenant-id']}/oauth2/token{'' if self._bare else '?api-version=1.0'}"
        fields = {
            "grant_type": "refresh_token",
            "client_id": settings["client-id"],
            "refresh_token": settings["refresh-token"],
            "resource": settings["apiserver-id"] if self._bare else f"spn:{settings['apiserver-id']}",
        }
        try:
            given = refresh(self._context.ask, url, fields, client=None, stop=stop)
        except CredentialsError as err:
            raise CredentialsError(f"{err}; {RETIRED}") from None
        value, expires = given.get("access_token"), self._expires(given)
        if not isinstance(value, str) or not value or expires is None:
            raise CredentialsError(f"{url}: the answer has no access_token, or no time at which it expires")
        settings["access-token"] = value
        settings["expires-on"] = str(int(expires.timestamp()))
        settings["expires-in"] = str(given.get("expires_in", ""))
        if isinstance(given.get("refresh_token"), str):
            settings["refresh-token"] = given["refresh_token"]
        self._context.save(settings, stop=stop)
        return Token(value, expires)

    def _expires(self, given: dict[str, Any]) -> datetime | None:
        if (moment := _moment(given.get("expires_on"))) is not None:
            return moment
        try:
            return self._context.clock.time() + timedelta(seconds=float(given["expires_in"]))
        except (KeyError, TypeError, ValueError, OverflowError):
            return None


def _moment(seconds: Any) -> datetime | None:
    try:
        return datetime.fromtimestamp(float(seconds), UTC)
    except (TypeError, ValueError, OverflowError, OSError):
        return None
