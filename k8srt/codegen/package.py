"""CustomResourceDefinitions → the files of a package: models, client, informers, listers."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from k8srt.codegen import crd, render


def package_files(documents: Iterable[Any], package: str) -> dict[str, str]:
    """The files of `package` (path below its folder → text).

    Raises crd.DefinitionError when a definition can't be used, or there is none.
    """
    found = crd.definitions(documents)
    if not found:
        raise crd.DefinitionError(f"no {crd.KIND} in the input")
    modules = crd.modules(found, package)
    return {_path(module.name, package): render.module(module) for module in modules}


def _path(module: str, package: str) -> str:
    return module.removeprefix(f"{package}.").replace(".", "/") + ".py"
