"""YAML, JSON or plain dicts ↔ `KubeConfig`, with errors that name the file, the entry and the field.

Each stanza has one table of its fields, which both directions go by. What a table does not name is kept and written
again. Scalars stay the text that was written: a token `1e5` or a name `yes` is no number and no boolean.

Contract: KCFG-03, KCFG-07, KCFG-09, KCFG-10, KCFG-41.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import yaml

from k8srt.tools.clientcmd.errors import ConfigFileNotFound, LoadError
from k8srt.tools.clientcmd.forms import (
    DATA,
    EXTENSIONS,
    FLAG,
    TEXT,
    TEXTS,
    VARIABLES,
    Form,
    Named,
    Problem,
    key_of,
    mapping,
    sequence,
)
from k8srt.tools.clientcmd.model import AuthInfo, Cluster, Context, KubeConfig, Preferences
from k8srt.tools.clientcmd.scalars import dump, parse, settled
from k8srt.transport.auth_config import AuthProviderConfig, ExecConfig

T = TypeVar("T")
E = TypeVar("E", Cluster, AuthInfo, Context)

KIND, VERSION = "Config", "v1"
_BETA = "client.authentication.k8s.io/v1beta1"


class _Stanza(Form[T]):
    """A mapping that is a dataclass: a table from its keys to attributes and their forms."""

    def __init__(self, cls: Callable[..., T], fields: Mapping[str, tuple[str, Form[Any]]]) -> None:
        self._cls = cls
        self._fields = fields

    def read(self, value: Any, place: str) -> T:
        return self.build(mapping(value, place), f"{place}.")

    def build(self, raw: Mapping[str, Any], prefix: str = "", **more: Any) -> T:
        """From the mapping, and from `more` attributes."""
        found = {attr: form.read(raw.get(key), f"{prefix}{key}") for key, (attr, form) in self._fields.items()}
        unknown = {str(key): settled(each) for key, each in raw.items() if key not in self._fields}
        return self._cls(**found, **more, unknown=unknown)

    def write(self, value: T, place: str = "") -> dict[str, Any]:
        prefix = f"{place}." if place else ""
        plain = {}
        for key, (attr, form) in self._fields.items():
            each = getattr(value, attr)
            if each or (each is not None and form in (_EXEC, _PROVIDER)):
                plain[key] = form.write(each, f"{prefix}{key}")
        return {**plain, **value.unknown}  # type: ignore[attr-defined]


class _Optional(Form[Any]):
    """A stanza whose absence is None."""

    def __init__(self, form: Form[Any]) -> None:
        self._form = form

    def read(self, value: Any, place: str) -> Any:
        return None if value is None else self._form.read(value, place)

    def write(self, value: Any, place: str) -> Any:
        return self._form.write(value, place)


class _ExecStanza(_Stanza[ExecConfig]):
    """The older version need not say when it may ask; the newer must. Contract: KCFG-10."""

    def build(self, raw: Mapping[str, Any], prefix: str = "", **more: Any) -> ExecConfig:
        program = super().build(raw, prefix, **more)
        if not program.interactive_mode and program.api_version == _BETA:
            program.interactive_mode = "IfAvailable"
        return program


_EXEC = _Optional(
    _ExecStanza(
        ExecConfig,
        {
            "command": ("command", TEXT),
            "args": ("args", TEXTS),
            "env": ("env", VARIABLES),
            "apiVersion": ("api_version", TEXT),
            "installHint": ("install_hint", TEXT),
            "provideClusterInfo": ("provide_cluster_info", FLAG),
            "interactiveMode": ("interactive_mode", TEXT),
        },
    )
)
_PROVIDER = _Optional(_Stanza(AuthProviderConfig, {"name": ("name", TEXT), "config": ("config", Named(TEXT))}))
_EXTENSIONS = {"extensions": ("extensions", EXTENSIONS)}
_CLUSTER = _Stanza(
    Cluster,
    {
        "server": ("server", TEXT),
        "tls-server-name": ("tls_server_name", TEXT),
        "insecure-skip-tls-verify": ("insecure_skip_tls_verify", FLAG),
        "certificate-authority": ("certificate_authority", TEXT),
        "certificate-authority-data": ("certificate_authority_data", DATA),
        "proxy-url": ("proxy_url", TEXT),
        "disable-compression": ("disable_compression", FLAG),
        **_EXTENSIONS,
    },
)
_USER = _Stanza(
    AuthInfo,
    {
        "client-certificate": ("client_certificate", TEXT),
        "client-certificate-data": ("client_certificate_data", DATA),
        "client-key": ("client_key", TEXT),
        "client-key-data": ("client_key_data", DATA),
        "token": ("token", TEXT),
        "tokenFile": ("token_file", TEXT),
        "as": ("impersonate", TEXT),
        "as-uid": ("impersonate_uid", TEXT),
        "as-groups": ("impersonate_groups", TEXTS),
        "as-user-extra": ("impersonate_user_extra", Named(TEXTS)),
        "username": ("username", TEXT),
        "password": ("password", TEXT),
        "auth-provider": ("auth_provider", _PROVIDER),
        "exec": ("exec", _EXEC),
        **_EXTENSIONS,
    },
)
_CONTEXT = _Stanza(
    Context,
    {"cluster": ("cluster", TEXT), "user": ("user", TEXT), "namespace": ("namespace", TEXT), **_EXTENSIONS},
)
_PREFERENCES = _Stanza(Preferences, {"colors": ("colors", FLAG), **_EXTENSIONS})
_LISTS: dict[str, tuple[str, _Stanza[Any]]] = {
    "clusters": ("cluster", _CLUSTER),
    "users": ("user", _USER),
    "contexts": ("context", _CONTEXT),
}
_TOP = frozenset({"apiVersion", "kind", "preferences", "current-context", "extensions", *_LISTS})


def load(data: bytes | str, origin: str = "") -> KubeConfig:
    """Read one kubeconfig; `origin` is the file it came from. An empty one is fine. Raises LoadError."""
    return from_dict(documents(data, origin)[0], origin)


def documents(data: bytes | str, origin: str = "") -> list[Any]:
    """What YAML or JSON hold, scalars as they were written: a kubeconfig first, {} when there is none.

    Raises LoadError.
    """
    try:
        return [{} if each is None or each == "" else each for each in parse(data)] or [{}]
    except (yaml.YAMLError, ValueError) as err:
        raise LoadError([f"error loading config {_place(origin)}: {_one_line(err)}"]) from err


def from_dict(document: Any, origin: str = "") -> KubeConfig:
    """Build from the plain form. Raises LoadError."""
    try:
        return _config({} if document is None else document, origin)
    except Problem as err:
        raise LoadError([f"error loading config {_place(origin)}: {err}"]) from None
    except RecursionError:
        raise LoadError([f"error loading config {_place(origin)}: nested too deeply"]) from None


def load_from_file(path: str) -> KubeConfig:
    """Read a file. Raises ConfigFileNotFound when there is none, LoadError for everything else."""
    return load(read_bytes(path), path)


def read_bytes(path: str) -> bytes:
    """The content of a kubeconfig file. Raises as `load_from_file`."""
    try:
        with open(path, "rb") as file:
            return file.read()
    except FileNotFoundError as err:
        raise ConfigFileNotFound(path) from err
    except (OSError, ValueError) as err:
        reason = (err.strerror if isinstance(err, OSError) else None) or err
        raise LoadError([f'error loading config file "{path}": {reason}']) from err


def to_dict(config: KubeConfig) -> dict[str, Any]:
    """The plain form, without what is empty. Raises ValueError naming the field that no file can hold."""
    try:
        plain: dict[str, Any] = {"apiVersion": VERSION, "kind": KIND}
        for plural, (single, stanza) in _LISTS.items():
            if entries := getattr(config, plural):
                plain[plural] = [_item(single, name, entry, stanza) for name, entry in entries.items()]
        if config.current_context:
            plain["current-context"] = TEXT.write(config.current_context, "current-context")
        if preferences := _PREFERENCES.write(config.preferences, "preferences"):
            plain["preferences"] = preferences
        if config.extensions:
            plain["extensions"] = EXTENSIONS.write(config.extensions, "extensions")
    except Problem as err:
        raise ValueError(f"this kubeconfig cannot be written: {err}") from None
    return {**plain, **config.unknown}


def write(config: KubeConfig) -> bytes:
    """The YAML of a kubeconfig. Raises ValueError as `to_dict`."""
    return dump(to_dict(config)).encode()


def _place(origin: str) -> str:
    return f'file "{origin}"' if origin else "data"


def _one_line(err: Exception) -> str:
    """What is wrong, and where, without the text that stands there: it may be a secret."""
    if isinstance(err, yaml.MarkedYAMLError) and err.problem_mark is not None:
        mark = err.problem_mark
        said = ", ".join(each for each in (err.context, err.problem) if each)
        return f"line {mark.line + 1}, column {mark.column + 1}: {said}"
    return " ".join(str(err).split())


def _config(document: Any, origin: str) -> KubeConfig:
    top = mapping(document, "the document")
    kind, version = (
        TEXT.read(top.get("kind"), "kind") or KIND,
        TEXT.read(top.get("apiVersion"), "apiVersion") or VERSION,
    )
    if (kind, version) != (KIND, VERSION):
        raise Problem(f"expected kind {KIND} of apiVersion {VERSION}, got {kind} of {version}")
    return KubeConfig(
        **{plural: _entries(top, plural, single, stanza, origin) for plural, (single, stanza) in _LISTS.items()},
        current_context=TEXT.read(top.get("current-context"), "current-context"),
        preferences=_PREFERENCES.read(top.get("preferences"), "preferences"),
        extensions=EXTENSIONS.read(top.get("extensions"), "extensions"),
        unknown={str(key): settled(value) for key, value in top.items() if key not in _TOP},
    )


def _entries(top: Mapping[str, Any], plural: str, single: str, stanza: _Stanza[E], origin: str) -> dict[str, E]:
    found: dict[str, E] = {}
    for number, item in enumerate(sequence(top.get(plural), plural)):
        place = f"{plural}[{number}]"
        entry = mapping(item, place)
        name = TEXT.read(entry.get("name"), f"{place}.name")
        if name in found:
            raise Problem(f'duplicate name "{name}" in list {plural}')
        beside = {str(key): settled(value) for key, value in entry.items() if key not in ("name", single)}
        try:
            raw = mapping(entry.get(single), single)
            found[name] = stanza.build(raw, location_of_origin=origin, beside=beside)
        except Problem as err:
            raise Problem(f'{single} "{name}": {err}') from None
    return found


def _item(single: str, name: str, entry: E, stanza: _Stanza[E]) -> dict[str, Any]:
    try:
        return {"name": key_of(name, "name"), single: stanza.write(entry), **entry.beside}
    except Problem as err:
        raise Problem(f'{single} "{name}": {err}') from None
    except AttributeError:
        raise Problem(f'{single} "{name}": expected a {single}, got {type(entry).__name__}') from None
