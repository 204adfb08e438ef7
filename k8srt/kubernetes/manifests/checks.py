"""What can be told of a manifest before it is sent: whether its values have the types of its kind.

Fields that the model does not know are left to the server, which may be newer.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import msgspec

from k8srt.apimachinery import wire
from k8srt.apimachinery.meta import ObjectMeta
from k8srt.apimachinery.object import Object, parts_of
from k8srt.errors import DecodeError
from k8srt.kubernetes.manifests.sources import Manifest, shown

_STEP = re.compile(r"\.([^.\[]+)|\[(\d+)\]|(\[\.\.\.\])")
_EXPECTED = re.compile(r"Expected `([^`]+)`, got `[^`]+`")
_CLASSES = {"str": str, "int": int, "bool": bool, "array": list, "object": dict}


def check_types(manifest: Manifest, cls: type[Object] | None) -> None:
    """Raise DecodeError for a value of the wrong type, naming file, document, line and path."""
    types = {part.wire: part.type for part in parts_of(cls).values()} if cls is not None else {"metadata": ObjectMeta}
    for key, value in manifest.document.items():
        if key not in types or value is None:
            continue
        try:
            wire.decoder(types[key]).decode(msgspec.json.encode(value))
        except msgspec.MsgspecError as err:
            raise _error(manifest, key, str(err)) from err
        except TypeError as err:
            raise DecodeError(f"{manifest.place.at(key)}: {manifest}: {key}: {err}") from err


def _error(manifest: Manifest, part: str, message: str) -> DecodeError:
    what, _, path = message.partition(" - at `")
    steps: list[str | int] = [part]
    value: Any = manifest.document[part]
    expected = _EXPECTED.match(what)
    for name, index, anything in _STEP.findall(path.rstrip("`")):
        step = _culprit(value, expected) if anything else int(index) if index else name
        if step is None:
            break
        steps.append(step)
        value = _inside(value, step)
    said = f"expected {_type(expected[1])}" if expected else f"{what[:1].lower()}{what[1:]}".replace("`", "")
    where = manifest.place.at(*steps)
    return DecodeError(f"{where}: {manifest}: {_path(steps)}: {said}, got {shown(value)}")


def _culprit(value: Any, expected: re.Match[str] | None) -> str | None:
    """The key whose value is of the wrong type, where only its mapping is named."""
    wanted = _CLASSES.get(_type(expected[1])) if expected else None
    if wanted is None or not isinstance(value, Mapping):
        return None
    return next((key for key, each in value.items() if type(each) is not wanted), None)


def _inside(value: Any, step: str | int) -> Any:
    try:
        return value[step]
    except (KeyError, IndexError, TypeError):
        return None


def _type(text: str) -> str:
    return text.replace(" | null", "")


def _path(steps: list[str | int]) -> str:
    """`spec.containers[0].name`; a key that is no plain word stands in brackets: `metadata.labels['a.b/c']`."""
    text = ""
    for step in steps:
        if isinstance(step, int):
            text += f"[{step}]"
        elif re.fullmatch(r"[A-Za-z_][\w-]*", step):
            text += f".{step}" if text else step
        else:
            text += f"[{step!r}]"
    return text
