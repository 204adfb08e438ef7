"""CustomResourceDefinitions → the files of a package: models, client, informers, listers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from k8srt.codegen import crd, naming, render, tables
from k8srt.codegen.tree import Module


def package_files(documents: Iterable[Any], package: str) -> dict[str, str]:
    """The files of `package` (path below its folder → text) for the definitions among `documents`.

    Raises crd.DefinitionError when a definition can't be used, or there is none.
    """
    found = crd.definitions(documents)
    if not found:
        raise crd.DefinitionError(f"no {crd.KIND} in the input")
    return files_of(found, package)


def files_of(found: Sequence[crd.Definition], package: str) -> dict[str, str]:
    """The files of `package` for definitions that were read already.

    Raises crd.DefinitionError when there's nothing in them, or two want the same name.
    """
    found = crd.in_order(found)
    modules = crd.modules(found, package)
    if not modules:
        raise crd.DefinitionError("none of the definitions has a version that is served")
    names = crd.group_names(definition.group for definition in found)
    groups = [tables.Group(module, _attribute(module, names)) for module in modules]
    files = {_path(module, package): render.module(module) for module in modules}
    files["client.py"] = tables.package_module(tables.CLIENTS, groups)
    watched = [group for group in groups if tables.INFORMERS.resources(group)]
    for group in watched:
        files[_path(group.models, package).replace("api/", "listers/", 1)] = tables.lister_module(group)
    if watched:
        files["informers.py"] = tables.package_module(tables.INFORMERS, watched)
    return files


def _attribute(module: Module, names: Mapping[str, str]) -> str:
    group, _, version = module.api_version.partition("/")
    return f"{names[group]}_{naming.module_name(version)}"


def _path(module: Module, package: str) -> str:
    return module.name.removeprefix(f"{package}.").replace(".", "/") + ".py"
