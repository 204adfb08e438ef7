"""Where the programs of a control plane are: etcd, kube-apiserver, kubectl.

A program is looked for where `TEST_ASSET_ETCD` (`TEST_ASSET_KUBE_APISERVER`, `TEST_ASSET_KUBECTL`) says, in the folder
that `KUBEBUILDER_ASSETS` names, in the folder that was asked for, in `/usr/local/kubebuilder/bin`, and on `PATH`. A
variable that is set is the only place looked at. `setup-envtest use -p path` of controller-runtime fetches them and
prints the folder.

Contract: ETE-01.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Mapping
from pathlib import Path

from k8srt.errors import ConfigError

ASSETS = "KUBEBUILDER_ASSETS"
USUAL = Path("/usr/local/kubebuilder/bin")
_UNITS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "ns": 1e-9}
_PART = re.compile(r"(\d+(?:\.\d*)?|\.\d+)(h|ms|us|µs|ns|m|s)")


class BinaryNotFound(ConfigError):
    """A program of the control plane is nowhere; the message names every place that was looked at."""


def find_binary(
    name: str,
    bin_dir: str | os.PathLike[str] | None = None,
    environment: Mapping[str, str] | None = None,
    usual: Path = USUAL,
) -> Path:
    """The path of a program such as "kube-apiserver". Raises BinaryNotFound."""
    env = os.environ if environment is None else environment
    variable = f"TEST_ASSET_{name.upper().replace('-', '_')}"
    if env.get(variable):
        return _there(name, [(Path(env[variable]), f"${variable}")])
    if env.get(ASSETS):
        return _there(name, [(Path(env[ASSETS], name), f"${ASSETS}")])
    places = [(Path(bin_dir, name), "bin_dir")] if bin_dir is not None else []
    places.append((usual / name, ""))
    on_path = shutil.which(name, path=env.get("PATH", ""))
    if on_path is not None:
        places.append((Path(on_path), "$PATH"))
    return _there(name, places, "" if on_path is not None else "and not on $PATH")


def _there(name: str, places: list[tuple[Path, str]], more: str = "") -> Path:
    for path, _ in places:
        if path.is_file() and os.access(path, os.X_OK):
            return path.absolute()
    looked = [f"{path} ({why})" if why else str(path) for path, why in places]
    text = ", ".join([*looked, more] if more else looked)
    raise BinaryNotFound(
        f"{name} was not found: no program at {text}. `setup-envtest use -p path` fetches it; "
        f"set ${ASSETS} to the folder it prints"
    )


def duration(text: str) -> float:
    """Seconds of a Go duration such as "1m30s". Raises ValueError."""
    parts = _PART.findall(text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        raise ValueError(f"{text!r} is no duration; write it like 20s, 1m30s or 500ms")
    return sum(float(number) * _UNITS[unit] for number, unit in parts)
