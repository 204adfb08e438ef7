"""`k8srt generate`: Python from API schemas.

    k8srt generate foo-crd.yaml --output src --package foo      models, client, informer and lister for custom resources
    k8srt generate --from-cluster foos.example.com …            the same, read from a cluster
    k8srt generate … --check                                    write nothing; exit 1 if something would change
    k8srt generate swagger.json --output k8srt/api              the library's own models, and its clients beside them

An input is an OpenAPI v2 document of a cluster (JSON) or files of CustomResourceDefinitions (YAML or JSON, any number
of documents each). With --from-cluster it's a resource or a group there (none: all that aren't built in): its
CustomResourceDefinition is read, and where there's none, or it may not be read, the cluster's OpenAPI v3 document.
"""

from __future__ import annotations

import argparse
import json
import keyword
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from k8srt.codegen.crd import Definition, DefinitionError, definitions
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
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if something would change")
    parser.add_argument(
        "--from-cluster", action="store_true", help="read from a cluster: INPUT is plural.group, or group"
    )
    parser.add_argument(
        "--source",
        choices=("auto", "crd", "openapi"),
        default="auto",
        help="what to read of the cluster (auto: definitions, and OpenAPI v3 documents for what has none)",
    )
    parser.add_argument("--kubeconfig", default="", metavar="FILE", help="which configuration (for --from-cluster)")
    parser.add_argument("--context", default="", metavar="NAME", help="which context of it (for --from-cluster)")
    parser.set_defaults(run=run)
    return parser


def run(args: argparse.Namespace) -> int:
    """Write the files and say what changed. Raises InputError, OSError, and what a cluster's refusal raises."""
    outdated = 0
    for root, files in _generated(args).items():
        changed = write_files(root, files, check=args.check)
        print(f"{len(files)} files in {root}, {len(changed)} {'out of date' if args.check else 'changed'}")
        for path in changed:
            print(f"  {path}")
        outdated += len(changed)
    return 1 if args.check and outdated else 0


def _generated(args: argparse.Namespace) -> dict[Path, dict[str, str]]:
    """The folders to write into, and the files of each."""
    output = Path(args.output)
    texts = {} if args.from_cluster else {name: _read(name) for name in args.inputs}
    if any(map(_is_openapi, texts.values())):
        return _library(texts, output)
    if not args.package:
        raise InputError("--package is needed: the name of the package to make")
    if not all(part.isidentifier() and not keyword.iskeyword(part) for part in args.package.split(".")):
        raise InputError(f"--package {args.package}: not a name that Python can import")
    if not args.from_cluster and not texts:
        raise InputError("nothing to read: name a file, or give --from-cluster")
    found = _from_cluster(args) if args.from_cluster else _from_files(texts)
    return {output.joinpath(*args.package.split(".")): _package(found, args.package)}


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


def _package(found: Sequence[Definition], package: str) -> dict[str, str]:
    from k8srt.codegen.package import files_of

    try:
        return files_of(found, package)
    except DefinitionError as err:
        raise InputError(str(err)) from err


def _from_files(texts: Mapping[str, str]) -> list[Definition]:
    """The definitions in all files. Raises InputError naming the file, the document and the line that's wrong."""
    found: list[Definition] = []
    for name, text in texts.items():
        found += _from_text(name, text)
    if not found:
        raise InputError(f"no CustomResourceDefinition in the input: {', '.join(texts)}")
    return found


def _from_text(name: str, text: str) -> Iterator[Definition]:
    from k8srt.apimachinery import yamlio

    try:
        for document in yamlio.documents(text):
            place = f"{name}: document {document.number}, line {document.line}"
            try:
                yield from definitions([document.value])
            except DefinitionError as err:
                raise InputError(f"{place}: {err}") from err
    except DecodeError as err:
        raise InputError(f"{name}: {err}") from err


def _from_cluster(args: argparse.Namespace) -> list[Definition]:
    """The definitions of what a cluster serves: of all that isn't built in, or of what's named."""
    from k8srt.codegen.cluster import Cluster
    from k8srt.kubernetes.connect import connect

    with connect(context=args.context, kubeconfig=args.kubeconfig) as cs:
        try:
            found = Cluster(
                cs, args.source, lambda text: print(f"k8srt generate: {text}", file=sys.stderr)
            ).definitions(args.inputs)
        except DefinitionError as err:
            raise InputError(str(err)) from err
    if not found:
        raise InputError("the cluster serves nothing that isn't built in")
    return found


def _is_openapi(text: str) -> bool:
    return text.lstrip().startswith("{") and '"swagger"' in text[:200]


def _read(name: str) -> str:
    try:
        return sys.stdin.read() if name == "-" else Path(name).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as err:
        raise InputError(f"{name}: {err}") from err
