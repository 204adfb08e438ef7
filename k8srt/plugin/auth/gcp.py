"""Google's: a token that is in the settings, or that a command prints.

| setting | what it is |
| --- | --- |
| `access-token`, `expiry` | a token, and when it expires (RFC 3339); written back |
| `cmd-path`, `cmd-args` | a command that prints JSON or YAML; without `cmd-args`, `cmd-path` has its arguments too |
| `token-key`, `expiry-key` | where both are in it, as JSONPath: `{.access_token}` and `{.token_expiry}` |
| `time-fmt` | how the time is written, as Go has it; RFC 3339 without |

What else it once did is retired upstream, and told so. Contract: REST-62.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from k8srt.errors import ConfigError, CredentialsError
from k8srt.plugin.auth.gotime import RFC3339, parse_time
from k8srt.plugin.auth.registry import LEEWAY, ProviderContext, Token
from k8srt.util.jsonpath import JSONPath, JSONPathError
from k8srt.util.threads import Stop

RETIRED = """the gcp auth plugin has been removed.
Please use the "gke-gcloud-auth-plugin" kubectl/client-go credential plugin instead.
See https://cloud.google.com/blog/products/containers-kubernetes/kubectl-auth-changes-in-gke for further details"""


class GCP:
    """The provider `gcp`."""

    def __init__(self, context: ProviderContext) -> None:
        self._context = context
        self._settings = settings = dict(context.settings)
        self._command: list[str] = []
        if "cmd-path" in settings:
            if not settings["cmd-path"].split():
                raise ConfigError("missing access token cmd")
            if settings.get("scopes"):
                raise ConfigError("scopes can only be used with a gcp service account key")
            if "cmd-args" in settings:
                self._command = [settings["cmd-path"], *settings["cmd-args"].split()]
            else:
                self._command = settings["cmd-path"].split()
        elif not settings.get("access-token"):
            raise ConfigError(RETIRED)
        self._token_path = _path("token-key", settings.get("token-key") or "{.access_token}")
        self._expiry_path = _path("expiry-key", settings.get("expiry-key") or "{.token_expiry}")

    def token(self, stop: Stop, *, rejected: bool) -> Token:
        """The token of the settings until it expires, or was refused; then what the command prints."""
        if rejected:
            self._settings.pop("access-token", None)
            self._settings.pop("expiry", None)
        now = self._context.clock.time()
        current, expires = self._settings.get("access-token"), self._expires()
        if current and expires is not None and now + LEEWAY < expires:
            return Token(current, expires)
        if not self._command:
            raise CredentialsError(f"the access-token has expired, was refused, or has no expiry, and {RETIRED}")
        value, expires = self._run(stop)
        self._settings["access-token"] = value
        self._settings["expiry"] = (expires or now).astimezone(UTC).isoformat().replace("+00:00", "Z")
        self._context.save(self._settings, stop=stop)
        return Token(value, expires or now)  # of unknown life: used once

    def _expires(self) -> datetime | None:
        try:
            return parse_time(RFC3339, self._settings.get("expiry", ""))
        except ValueError:
            return None

    def _run(self, stop: Stop) -> tuple[str, datetime | None]:
        name = self._command[0]
        try:
            done = self._context.run(self._command, stop=stop)
        except OSError as err:
            raise CredentialsError(f"cannot run access token command {name!r}: {err.strerror or err}") from None
        if done.code:
            said = f": {done.complaint}" if done.complaint else ""
            raise CredentialsError(f"access token command {name!r} failed with exit code {done.code}{said}")
        try:
            printed = _printed(done.output.decode("utf-8"))
        except (ValueError, RecursionError):
            raise CredentialsError(f"access token command {name!r} printed neither JSON nor YAML") from None
        value = _find(self._token_path, "token-key", printed)
        if not value:
            raise CredentialsError(f"access token command {name!r} printed no token")
        try:
            moment = parse_time(
                self._settings.get("time-fmt") or RFC3339, _find(self._expiry_path, "expiry-key", printed)
            )
        except ValueError:
            return value, None
        return value, moment


def _printed(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        from k8srt.apimachinery.yamlio import load  # with the parser, for the few who need it

        return load(text)


def _path(name: str, template: str) -> JSONPath:
    try:
        return JSONPath(template)
    except JSONPathError as err:
        raise ConfigError(f"{name}: {err}") from None


def _find(path: JSONPath, name: str, printed: Any) -> str:
    try:
        return path.render(printed)
    except JSONPathError:  # its text may show what was printed
        raise CredentialsError(f"{name}: nothing was found at {path.template!r} in what the command printed") from None
