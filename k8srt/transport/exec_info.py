"""What a credential program is told, and what it answers: the two halves of an `ExecCredential`.

Contract: REST-55, REST-56, REST-58.
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple

from k8srt.errors import CredentialsError
from k8srt.transport.headers import MASK, check_header, mask_url
from k8srt.transport.tls import ClientCertificate

GROUP = "client.authentication.k8s.io"
VERSIONS = (f"{GROUP}/v1", f"{GROUP}/v1beta1")
VARIABLE = "KUBERNETES_EXEC_INFO"

_KIND = "ExecCredential"


@dataclass(frozen=True, slots=True, repr=False)
class ExecCluster:
    """The cluster that credentials are for, as a program is told. `config` is JSON text: the cluster's extension."""

    server: str
    tls_server_name: str = ""
    insecure: bool = False
    ca_data: bytes = b""
    proxy_url: str = ""
    disable_compression: bool = False
    config: str = "null"

    def to_dict(self) -> dict[str, Any]:
        """What is set, in the names that JSON has; `config` always."""
        given = {
            "server": self.server,
            "tls-server-name": self.tls_server_name,
            "insecure-skip-tls-verify": self.insecure,
            "certificate-authority-data": base64.b64encode(self.ca_data).decode("ascii"),
            "proxy-url": self.proxy_url,
            "disable-compression": self.disable_compression,
        }
        shown = {name: value for name, value in given.items() if value or name == "server"}
        return {**shown, "config": json.loads(self.config)}

    def __repr__(self) -> str:
        return f"ExecCluster({mask_url(self.server)!r})"


class Credentials(NamedTuple):
    """What a program gave: a token, a certificate, or both, and until when they are good (None: for ever)."""

    token: str
    certificate: ClientCertificate | None
    expires: datetime | None

    def __repr__(self) -> str:
        certificate = None if self.certificate is None else MASK
        return f"Credentials(token={MASK!r}, certificate={certificate!r}, expires={self.expires})"


def request_json(version: str, *, interactive: bool, cluster: ExecCluster | None) -> str:
    """The value of the variable that tells a program what is wanted."""
    spec: dict[str, Any] = {} if cluster is None else {"cluster": cluster.to_dict()}
    asked = {"kind": _KIND, "apiVersion": version, "spec": {**spec, "interactive": interactive}}
    return json.dumps(asked, separators=(",", ":")) + "\n"


def parse_answer(output: bytes, version: str) -> Credentials:
    """Read what a program wrote. Raises CredentialsError, which shows nothing of it: it may be a secret."""
    answer = _decoded(output)
    if not isinstance(answer, dict):
        raise CredentialsError(f"decoding stdout: expected an object of kind {_KIND}, got {_named(answer)}")
    kind, found = answer.get("kind"), answer.get("apiVersion")
    if not isinstance(kind, str) or not isinstance(found, str) or not kind or not found:
        raise CredentialsError(f"decoding stdout: there is no kind or no apiVersion; expected {_KIND} of {version}")
    if kind != _KIND:
        raise CredentialsError(f"decoding stdout: expected kind {_KIND}, got {kind[:80]!r}")
    if found != version:
        raise CredentialsError(f"is configured to use API version {version}, but returned version {found[:80]!r}")
    status = answer.get("status")
    if status is None:
        raise CredentialsError("didn't return a status field")
    if not isinstance(status, dict):
        raise CredentialsError(f"decoding stdout: status: expected an object, got {_named(status)}")
    token = _text(status, "token")
    pair = _text(status, "clientCertificateData"), _text(status, "clientKeyData")
    if not token and not any(pair):
        raise CredentialsError("didn't return a token or cert/key pair")
    if any(pair) and not all(pair):
        raise CredentialsError("returned only certificate or key, not both")
    if token:
        check_header("Authorization", token)
    certificate = ClientCertificate(pair[0].encode(), pair[1].encode()) if all(pair) else None
    return Credentials(token, certificate, _moment(status))


def _text(status: dict[str, Any], name: str) -> str:
    value = status.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise CredentialsError(f"decoding stdout: status.{name}: expected a text, got {_named(value)}")
    return value


def _moment(status: dict[str, Any]) -> datetime | None:
    text = _text(status, "expirationTimestamp")
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise CredentialsError("decoding stdout: status.expirationTimestamp: expected a moment as RFC 3339 has it")
    return moment.astimezone(UTC)


def _decoded(output: bytes) -> Any:
    """The value that is printed: JSON, or YAML, which kubectl reads as well."""
    if not output.strip():
        raise CredentialsError("decoding stdout: it is empty")
    try:
        text = output.decode("utf-8")
    except ValueError:
        raise CredentialsError("decoding stdout: it is no UTF-8") from None
    try:
        return json.loads(text)
    except RecursionError:
        raise CredentialsError("decoding stdout: it is nested too deeply") from None
    except ValueError as err:
        place = f"line {err.lineno}, column {err.colno}" if isinstance(err, json.JSONDecodeError) else "somewhere"
    from k8srt.apimachinery.yamlio import load  # with the parser, for the few who need it

    try:
        answer = load(text)
    except (ValueError, RecursionError):
        answer = None
    if not isinstance(answer, dict):
        raise CredentialsError(f"decoding stdout: neither JSON ({place}) nor a YAML object")
    return answer


def _named(value: Any) -> str:
    kinds = {bool: "a boolean", str: "a text", list: "a list", dict: "an object", int: "a number", float: "a number"}
    return kinds.get(type(value), "nothing")
