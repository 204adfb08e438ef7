"""CustomResourceDefinitions → the files of a package: models, client, informers, listers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from k8srt.codegen import clients, crd, naming, render
from k8srt.codegen.tree import Module


def package_files(documents: Iterable[Any], package: str) -> dict[str, str]:
    """The files of `package` (path below its folder → text).

    Raises crd.DefinitionError when a definition can't be used, or there is none.
    """
    found = crd.definitions(documents)
    if not found:
        raise crd.DefinitionError(f"no {crd.KIND} in the input")
    modules = crd.modules(found, package)
    names = crd.group_names(definition.group for definition in found)
    groups = [_group(module, package, names) for module in modules]
    return {
        **{_path(module.name, package): render.module(module) for module in modules},
        "client.py": clients.package_module(groups),
    }


def _group(module: Module, package: str, names: Mapping[str, str]) -> clients.Group:
    group, _, version = module.api_version.partition("/")
    return clients.Group(module, f"{names[group]}_{naming.module_name(version)}", f"{package}.client")


def _path(module: str, package: str) -> str:
    return module.removeprefix(f"{package}.").replace(".", "/") + ".py"
