"""YAML in and out for kubeconfigs, such that no scalar changes under way.

YAML readers differ in what a plain `yes`, `010` or `1e5` is. Here such a scalar is read as `Written`: the text as it
stands in the file, which also knows what kubectl takes it for. Written again it looks as before. So a user name `010`
stays a name, and a file keeps its meaning for everybody.

Contract: KCFG-07, KCFG-41; trap 10 of the kubeconfig contract.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

import yaml

_Base: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

_TRUE = frozenset({"y", "yes", "true", "on"})
_BOOL = re.compile(r"[yY]|yes|Yes|YES|[tT]rue|TRUE|on|On|ON|[nN]|no|No|NO|[fF]alse|FALSE|off|Off|OFF")
_INT = re.compile(r"[-+]?(?:0[bB][01_]+|0[oO]?[0-7_]+|0[xX][0-9a-fA-F_]+|[1-9][0-9_]*|0)")
_FLOAT = re.compile(
    r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)"
)
_CERTAIN = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?|[tT]rue|TRUE|[fF]alse|FALSE")
_KINDS = {"bool": (_BOOL, "yYnNtTfFoO"), "int": (_INT, "-+0123456789"), "float": (_FLOAT, "-+0123456789.")}

_MOST_VALUES = 200_000
"""More than any kubeconfig has: what goes beyond is a few aliases that multiply one another."""


class Written(str):
    """A plain scalar that some take for a number or a boolean: the text as it was written."""

    __slots__ = ()

    @property
    def certain(self) -> bool:
        """Whether every reader takes it for a number or a boolean."""
        return _CERTAIN.fullmatch(self) is not None

    @property
    def value(self) -> bool | int | float:
        """What kubectl takes it for."""
        if _BOOL.fullmatch(self):
            return self.lower() in _TRUE
        if not _INT.fullmatch(self):
            return float(self.replace(".inf", "inf").replace(".nan", "nan")) if self[-1].islower() else float(self)
        digits = self.replace("_", "").lower()
        sign, digits = (-1, digits[1:]) if digits[0] == "-" else (1, digits.lstrip("+"))
        octal = len(digits) > 1 and digits[0] == "0" and digits[1].isdigit()
        return sign * (int(digits, 8) if octal else int(digits, 0))


class _Loader(_Base):  # type: ignore[misc]
    """The safe loader that leaves numbers and booleans as they are written."""

    yaml_implicit_resolvers: dict[str, Any] = {}


class _Dumper(yaml.SafeDumper):
    """The safe dumper that quotes every text which any reader takes for something else."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _written(loader: Any, node: yaml.ScalarNode) -> str:
    text = loader.construct_scalar(node)
    return Written(text) if any(pattern.fullmatch(text) for pattern, _ in _KINDS.values()) else str(text)


def _plain(dumper: yaml.SafeDumper, value: Written) -> yaml.ScalarNode:
    tag: str = dumper.resolve(yaml.ScalarNode, str(value), (True, False))  # type: ignore[no-untyped-call]
    return dumper.represent_scalar(tag, str(value))


def _text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style="|" if "\n" in value else None)


for _kind, (_pattern, _first) in _KINDS.items():
    _tag = f"tag:yaml.org,2002:{_kind}"
    for _class in (_Loader, _Dumper):
        _class.add_implicit_resolver(_tag, re.compile(rf"^(?:{_pattern.pattern})$"), list(_first))
    _Loader.add_constructor(_tag, _written)
_Loader.add_implicit_resolver("tag:yaml.org,2002:null", re.compile(r"^(?:~|null|Null|NULL|)$"), ["~", "n", "N", ""])
_Loader.add_implicit_resolver("tag:yaml.org,2002:merge", re.compile(r"^(?:<<)$"), ["<"])
_Loader.add_constructor("tag:yaml.org,2002:merge", _written)  # where it is no key
_Dumper.add_representer(str, _text)
_Dumper.add_representer(Written, _plain)


def parse(data: bytes | str) -> list[Any]:
    """The documents, with `Written` scalars in them. Raises yaml.YAMLError, UnicodeDecodeError or ValueError."""
    try:
        documents = _json(data) or list(yaml.load_all(data, Loader=_Loader))
    except RecursionError:
        raise ValueError("nested too deeply") from None
    left: list[Any] = [documents]
    seen = 0
    while left:
        value = left.pop()
        seen += 1
        if seen > _MOST_VALUES:
            raise ValueError("too many values: the document contains excessive aliasing")
        left.extend(value.values() if isinstance(value, dict) else value if isinstance(value, list) else ())
    return documents


def _json(data: bytes | str) -> list[Any]:
    """The one document, if it is JSON: nearly all of that is YAML, but escaped surrogates are not."""
    if data.lstrip()[:1] not in ("{", b"{"):
        return []
    try:
        return [json.loads(data)]
    except ValueError:
        return []


def settled(value: Any) -> Any:
    """A copy with every `Written` scalar as what kubectl takes it for."""
    if isinstance(value, Written):
        return value.value
    if isinstance(value, Mapping):
        return {str(key): settled(each) for key, each in value.items()}
    if isinstance(value, list):
        return [settled(each) for each in value]
    return value


def dump(*documents: Any) -> str:
    """Block-style YAML in the order of the documents. Raises ValueError for values that YAML has no form for."""
    try:
        return yaml.dump_all(
            documents,
            Dumper=_Dumper,
            sort_keys=False,
            default_flow_style=False,
            allow_unicode=True,
            explicit_start=len(documents) > 1,
        )
    except yaml.representer.RepresenterError as err:
        raise ValueError(f"this kubeconfig cannot be written: it holds a {type(err.args[-1]).__name__}") from None
