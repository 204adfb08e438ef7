"""YAML or JSON → `KubeConfig`, with errors that name the file, the entry and the field.

Scalars stay the text that was written: a token `1e5` or a name `yes` is no number and no boolean. Unknown fields are
left out. Contract: KCFG-03, KCFG-07, KCFG-09, KCFG-10.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import yaml

from k8srt.tools.clientcmd.errors import LoadError
from k8srt.tools.clientcmd.model import AuthInfo, AuthProvider, Cluster, Context, ExecConfig, KubeConfig

E = TypeVar("E")
_Base: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _Loader(_Base):  # type: ignore[misc]
    """The safe loader that knows null, true and false, and leaves every other scalar as text."""

    yaml_implicit_resolvers: dict[str, Any] = {}


_Loader.add_implicit_resolver("tag:yaml.org,2002:null", re.compile(r"^(~|null|Null|NULL|)$"), ["~", "n", "N", ""])
_Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile(r"^([tT]rue|TRUE|[fF]alse|FALSE)$"), list("tTfF"))


class _Problem(Exception):
    """What is wrong with one field; the place is added on the way up."""


def load(data: bytes | str, origin: str = "") -> KubeConfig:
    """Read one kubeconfig; `origin` is the file it came from. An empty one is fine. Raises LoadError."""
    try:
        document = yaml.load(data, Loader=_Loader)
        return from_dict(document or {}, origin)
    except (yaml.YAMLError, UnicodeDecodeError) as err:
        raise LoadError([f"error loading config {_place(origin)}: {_one_line(err)}"]) from err


def from_dict(document: Any, origin: str = "") -> KubeConfig:
    """Build from the plain form. Raises LoadError."""
    try:
        return _config(document, origin)
    except _Problem as err:
        raise LoadError([f"error loading config {_place(origin)}: {err}"]) from None


def load_from_file(path: str) -> KubeConfig:
    """Read a file. Raises FileNotFoundError when there is none, LoadError for everything else."""
    try:
        with open(path, "rb") as file:
            data = file.read()
    except FileNotFoundError:
        raise
    except OSError as err:
        raise LoadError([f'error loading config file "{path}": {err.strerror or err}']) from err
    return load(data, path)


def _place(origin: str) -> str:
    return f'file "{origin}"' if origin else "data"


def _one_line(err: Exception) -> str:
    return " ".join(str(err).split())


def _config(document: Any, origin: str) -> KubeConfig:
    top = _mapping(document, "the document")
    kind, version = _text(top, "kind") or "Config", _text(top, "apiVersion") or "v1"
    if (kind, version) != ("Config", "v1"):
        raise _Problem(f"expected kind Config of apiVersion v1, got {kind} of {version}")
    return KubeConfig(
        clusters=_entries(top, "clusters", "cluster", lambda raw: _cluster(raw, origin)),
        users=_entries(top, "users", "user", lambda raw: _user(raw, origin)),
        contexts=_entries(top, "contexts", "context", lambda raw: _context(raw, origin)),
        current_context=_text(top, "current-context"),
        preferences=_mapping(top.get("preferences"), "preferences"),
        extensions=_extensions(top),
    )


def _entries(top: Mapping[str, Any], plural: str, single: str, build: Callable[[Any], E]) -> dict[str, E]:
    found: dict[str, E] = {}
    for number, item in enumerate(_list(top.get(plural), plural)):
        place = f"{plural}[{number}]"
        entry = _mapping(item, place)
        name = _text(entry, "name", place)
        if name in found:
            raise _Problem(f'duplicate name "{name}" in list {plural}')
        try:
            found[name] = build(_mapping(entry.get(single), single))
        except _Problem as err:
            raise _Problem(f'{single} "{name}": {err}') from None
    return found


def _cluster(raw: Mapping[str, Any], origin: str) -> Cluster:
    return Cluster(
        server=_text(raw, "server"),
        tls_server_name=_text(raw, "tls-server-name"),
        insecure_skip_tls_verify=_flag(raw, "insecure-skip-tls-verify"),
        certificate_authority=_text(raw, "certificate-authority"),
        certificate_authority_data=_data(raw, "certificate-authority-data"),
        proxy_url=_text(raw, "proxy-url"),
        disable_compression=_flag(raw, "disable-compression"),
        extensions=_extensions(raw),
        location_of_origin=origin,
    )


def _user(raw: Mapping[str, Any], origin: str) -> AuthInfo:
    extra = _mapping(raw.get("as-user-extra"), "as-user-extra")
    return AuthInfo(
        client_certificate=_text(raw, "client-certificate"),
        client_certificate_data=_data(raw, "client-certificate-data"),
        client_key=_text(raw, "client-key"),
        client_key_data=_data(raw, "client-key-data"),
        token=_text(raw, "token"),
        token_file=_text(raw, "tokenFile"),
        impersonate=_text(raw, "as"),
        impersonate_uid=_text(raw, "as-uid"),
        impersonate_groups=_texts(raw, "as-groups"),
        impersonate_user_extra={key: _texts(extra, key) for key in extra},
        username=_text(raw, "username"),
        password=_text(raw, "password"),
        auth_provider=_auth_provider(raw.get("auth-provider")),
        exec=_exec(raw.get("exec")),
        extensions=_extensions(raw),
        location_of_origin=origin,
    )


def _context(raw: Mapping[str, Any], origin: str) -> Context:
    return Context(
        cluster=_text(raw, "cluster"),
        user=_text(raw, "user"),
        namespace=_text(raw, "namespace"),
        extensions=_extensions(raw),
        location_of_origin=origin,
    )


def _auth_provider(value: Any) -> AuthProvider | None:
    if value is None:
        return None
    raw = _mapping(value, "auth-provider")
    config = _mapping(raw.get("config"), "auth-provider.config")
    return AuthProvider(_text(raw, "name"), {key: _text(config, key) for key in config})


def _exec(value: Any) -> ExecConfig | None:
    if value is None:
        return None
    raw = _mapping(value, "exec")
    pairs = [_mapping(item, "exec.env") for item in _list(raw.get("env"), "exec.env")]
    version, mode = _text(raw, "apiVersion"), _text(raw, "interactiveMode")
    if not mode and version == "client.authentication.k8s.io/v1beta1":
        mode = "IfAvailable"
    return ExecConfig(
        command=_text(raw, "command"),
        args=_texts(raw, "args"),
        env=[(_text(pair, "name"), _text(pair, "value")) for pair in pairs],
        api_version=version,
        install_hint=_text(raw, "installHint"),
        provide_cluster_info=_flag(raw, "provideClusterInfo"),
        interactive_mode=mode,
    )


def _extensions(raw: Mapping[str, Any]) -> dict[str, Any]:
    items = [_mapping(item, "extensions") for item in _list(raw.get("extensions"), "extensions")]
    return {_text(item, "name"): item.get("extension") for item in items}


def _mapping(value: Any, place: str) -> Mapping[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise _Problem(f"{place}: expected a mapping, got {_kind(value)}")
    return value


def _list(value: Any, place: str) -> list[Any]:
    if value is None:
        return []
    if not isinstance(value, list):
        raise _Problem(f"{place}: expected a list, got {_kind(value)}")
    return value


def _text(raw: Mapping[str, Any], key: str, place: str = "") -> str:
    value = raw.get(key)
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (Mapping, list)):
        raise _Problem(f"{place + '.' if place else ''}{key}: expected a text, got {_kind(value)}")
    return str(value)


def _texts(raw: Mapping[str, Any], key: str) -> list[str]:
    return [_text({key: item}, key) for item in _list(raw.get(key), key)]


def _flag(raw: Mapping[str, Any], key: str) -> bool:
    value = raw.get(key)
    if value is None or isinstance(value, bool):
        return bool(value)
    raise _Problem(f"{key}: expected true or false, got {_kind(value)}")


def _data(raw: Mapping[str, Any], key: str) -> bytes:
    text = _text(raw, key)
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError) as err:
        raise _Problem(f"{key}: malformed base64: {err}") from None


def _kind(value: Any) -> str:
    """What a value is, without showing it: it may be a secret in the wrong place."""
    kinds = {bool: "a boolean", str: "a text", list: "a list", dict: "a mapping", int: "a number", float: "a number"}
    return kinds.get(type(value), type(value).__name__)
