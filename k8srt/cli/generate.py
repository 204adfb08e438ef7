"""`k8srt generate`: Python from API schemas.

    k8srt generate foo-crd.yaml --output src --package foo      models, client, informer and lister for custom resources
    k8srt generate --from-cluster foos.example.com …            the same, with the definition read from a cluster
    k8srt generate swagger.json --output k8srt/api              the library's own models, and its clients beside them

An input is an OpenAPI v2 document of a cluster (JSON) or files of CustomResourceDefinitions (YAML or JSON, any number
of documents each); with --from-cluster it's the name of a definition there (none: all).
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from k8srt.codegen.files import write_files
from k8srt.errors import DecodeError, K8srtError


class InputError(K8srtError):
    """An input that can't be read or isn't what is expected; the text says which and why."""


def add_parser(subparsers: Any) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "generate",
        help="write typed models and clients from custom resource definitions, or from an OpenAPI document",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("inputs", nargs="*", metavar="INPUT", help="files to read; - for standard input")
    parser.add_argument("--output", required=True, metavar="DIR", help="the folder to write into")
    parser.add_argument("--package", metavar="NAME", help="the package to make in it (for custom resources)")
    parser.add_argument("--from-cluster", action="store_true", help="read the definitions from a cluster")
    parser.add_argument("--kubeconfig", default="", metavar="FILE", help="which configuration (for --from-cluster)")
    parser.add_argument("--context", default="", metavar="NAME", help="which context of it (for --from-cluster)")
    parser.set_defaults(run=run)
    return parser


def run(args: argparse.Namespace) -> int:
    """Write the files and say what changed. Raises InputError, OSError, and what a cluster's refusal raises."""
    for root, files in _generated(args).items():
        changed = write_files(root, files)
        print(f"{len(files)} files in {root}, {len(changed)} changed")
        for path in changed:
            print(f"  {path}")
    return 0


def _generated(args: argparse.Namespace) -> dict[Path, dict[str, str]]:
    """The folders to write into, and the files of each."""
    output = Path(args.output)
    texts = {} if args.from_cluster else {name: _read(name) for name in args.inputs}
    if any(map(_is_openapi, texts.values())):
        return _library(texts, output)
    if not args.package:
        raise InputError("--package is needed: the name of the package to make")
    if not all(part.isidentifier() for part in args.package.split(".")):
        raise InputError(f"--package {args.package}: not a name that Python can import")
    if not args.from_cluster and not texts:
        raise InputError("nothing to read: name a file, or give --from-cluster")
    documents = _from_cluster(args) if args.from_cluster else _from_files(texts)
    return {output.joinpath(*args.package.split(".")): _custom(documents, args.package)}


def _library(texts: Mapping[str, str], output: Path) -> dict[Path, dict[str, str]]:
    """The models into `output`; in a folder named "api", also the typed clients into their places beside it."""
    from k8srt.codegen import library

    if len(texts) != 1:
        raise InputError("an OpenAPI document must be the only input")
    [(name, text)] = texts.items()
    try:
        packages = library.library_files(json.loads(text))
    except ValueError as err:
        raise InputError(f"{name}: {err}") from err
    places = {output.parent.joinpath(*package.split(".")[1:]): files for package, files in packages.items()}
    return places if output.name == "api" else {output: places[output.parent / "api"]}


def _custom(documents: Iterable[Any], package: str) -> dict[str, str]:
    from k8srt.codegen.crd import DefinitionError
    from k8srt.codegen.package import package_files

    try:
        return package_files(documents, package)
    except DefinitionError as err:
        raise InputError(str(err)) from err


def _from_files(texts: Mapping[str, str]) -> list[Any]:
    """All documents of all files. Raises InputError naming the file that can't be understood."""
    from k8srt.apimachinery import yamlio

    documents: list[Any] = []
    for name, text in texts.items():
        try:
            documents += yamlio.load_all(text)
        except DecodeError as err:
            raise InputError(f"{name}: {err}") from err
    return documents


def _from_cluster(args: argparse.Namespace) -> list[Any]:
    """The definitions on a cluster, all or those named."""
    from k8srt.kubernetes.connect import connect

    with connect(context=args.context, kubeconfig=args.kubeconfig) as cs:
        client = cs.apiextensions_v1.custom_resource_definitions()
        found = [client.get(name) for name in args.inputs] if args.inputs else list(client.list())
    return [definition.to_dict() for definition in found]


def _is_openapi(text: str) -> bool:
    return text.lstrip().startswith("{") and '"swagger"' in text[:200]


def _read(name: str) -> str:
    try:
        return sys.stdin.read() if name == "-" else Path(name).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as err:
        raise InputError(f"{name}: {err}") from err
