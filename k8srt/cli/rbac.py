"""`k8srt rbac`: the least rights that a program of controllers needs, as manifests.

    k8srt rbac operator.main:manager                            a manager, or a function that makes one
    k8srt rbac operator.main:registry --name foo-operator       also of what a Registry holds
    k8srt rbac operator.main:manager --service-account system/foo-operator >> manifests.yaml

A function is called with a Config that leads nowhere, if it takes an argument; nothing is started, and no server is
asked unless a kind has no class. Rights for one namespace (those of a lease, or of a manager limited to a namespace)
are a Role in it, all others a ClusterRole.

What a reconciler writes is taken from what it says: `uses=[(Deployment, "create", "patch")]`, `Builder.uses`. Of one
that doesn't say it is assumed, with a remark, that it writes what it owns, and the status and finalizers of its kind.
"""

from __future__ import annotations

import argparse
import importlib
import inspect
import os
import sys
from typing import TYPE_CHECKING, Any

from k8srt.errors import K8srtError

if TYPE_CHECKING:
    from k8srt.controller.manager.manager import Manager

HELP = "print the least rights that the controllers of a manager need, as manifests"
_NOWHERE = "http://127.0.0.1:9"
_RBAC = "rbac.authorization.k8s.io"


class NoManager(K8srtError):
    """What was named is no manager, nor makes one; the text says what it is instead."""


def add_parser(subparsers: Any) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "rbac", help=HELP, description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("manager", metavar="MODULE:NAME", help="a manager, a registry, or a function that makes one")
    parser.add_argument("--name", default="", metavar="N", help="the name of the roles (that of the module)")
    parser.add_argument(
        "--service-account", default="", metavar="NAMESPACE/NAME", help="bind the roles to it, and make it too"
    )
    parser.set_defaults(run=run)
    return parser


def run(args: argparse.Namespace) -> int:
    """Print the manifests. Raises NoManager, and what the module raises when it is loaded."""
    from k8srt.apimachinery import yamlio
    from k8srt.controller.manager.rights import guessed, rights_of

    account = args.service_account.partition("/")
    if args.service_account and not (account[0] and account[2]):
        raise NoManager(f"--service-account {args.service_account}: expected NAMESPACE/NAME")
    manager = find_manager(args.manager)
    try:
        name = args.name or args.manager.partition(":")[0].replace("_", "-").split(".")[0]
        guesses = guessed(manager)
        documents = manifests(rights_of(manager), name, (account[0], account[2]))
    finally:
        manager.stop()
    for controller in guesses:
        print(f"# controller {controller}: its writes are guessed from what it owns; uses=[…] says them exactly")
    print("---\n".join(map(yamlio.dump, documents)), end="")
    return 0


def find_manager(target: str) -> Manager:
    """What `module:name` names. The folder that one is in counts as a place for modules. Raises NoManager."""
    from k8srt.controller.manager.manager import Manager
    from k8srt.controller.registry import Registry
    from k8srt.rest.config import Config

    module_name, colon, name = target.partition(":")
    if not module_name or not colon or not name:
        raise NoManager(f"{target}: expected MODULE:NAME, such as operator.main:manager")
    if os.getcwd() not in sys.path:
        sys.path.insert(0, os.getcwd())
    try:
        found: Any = importlib.import_module(module_name)
        for part in name.split("."):
            found = getattr(found, part)
    except (ImportError, AttributeError) as err:
        raise NoManager(f"{target}: {err}") from err
    config = Config(host=_NOWHERE)
    if inspect.isroutine(found):
        found = found(config) if inspect.signature(found).parameters else found()
    if isinstance(found, Registry):
        manager = Manager(config)
        manager.include(found)
        return manager
    if not isinstance(found, Manager):
        raise NoManager(f"{target}: expected a Manager, a Registry or a function that makes one, got {found!r}")
    return found


def manifests(rights: dict[str, list[Any]], name: str, account: tuple[str, str]) -> list[dict[str, Any]]:
    """Roles, and for a service account (namespace, name) also that and the bindings."""
    documents: list[dict[str, Any]] = []
    if account[1]:
        meta = {"name": account[1], "namespace": account[0]}
        documents.append({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": meta})
    for namespace, rules in rights.items():
        kind = "Role" if namespace else "ClusterRole"
        meta = {"name": name, **({"namespace": namespace} if namespace else {})}
        documents.append({"apiVersion": f"{_RBAC}/v1", "kind": kind, "metadata": meta, "rules": rules})
        if account[1]:
            documents.append(_binding(kind, meta, account))
    return documents


def _binding(kind: str, meta: dict[str, str], account: tuple[str, str]) -> dict[str, Any]:
    return {
        "apiVersion": f"{_RBAC}/v1",
        "kind": f"{kind}Binding",
        "metadata": meta,
        "roleRef": {"apiGroup": _RBAC, "kind": kind, "name": meta["name"]},
        "subjects": [{"kind": "ServiceAccount", "namespace": account[0], "name": account[1]}],
    }
