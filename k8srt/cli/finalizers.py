"""`k8srt finalizers release`: let objects go whose operator is not there any more.

    k8srt finalizers release widgets.example.com --all -n shop --finalizer example.com/cleanup
    k8srt finalizers release configmaps a b --finalizer example.com/cleanup --yes

What the finalizer stands for is not cleaned up by this. First it lists what would change; then it asks, or goes on with
--yes. Finalizers of others are never touched. KIND is what kubectl takes: a plural, singular or short name.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from k8srt.kubernetes import Clientset


def add_parser(subparsers: Any) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "finalizers",
        help="take finalizers off objects whose operator is gone",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    release = commands.add_parser("release", help="take one finalizer off objects of a kind")
    release.add_argument("kind", metavar="KIND", help="of what: widgets.example.com, configmaps, cm")
    release.add_argument("names", metavar="NAME", nargs="*", help="of which")
    release.add_argument("--all", action="store_true", help="of all that have it")
    release.add_argument("--finalizer", required=True, metavar="F", help="which one: example.com/cleanup")
    release.add_argument("-n", "--namespace", default="", metavar="NS", help="where (that of the context)")
    release.add_argument("-A", "--all-namespaces", action="store_true", help="everywhere")
    release.add_argument("-y", "--yes", action="store_true", help="do not ask")
    release.add_argument("--dry-run", action="store_true", help="list, and change nothing")
    release.add_argument("--kubeconfig", default="", metavar="FILE", help="the kubeconfig (the usual one)")
    release.add_argument("--context", default="", metavar="C", help="the context (the current one)")
    release.set_defaults(run=run, parser=release)
    return parser


def run(args: argparse.Namespace) -> int:
    """List, ask, take off. Returns 1 where somebody said no."""
    from k8srt.kubernetes import Clientset
    from k8srt.tools.clientcmd import load_config

    if bool(args.names) == args.all:
        args.parser.error("give either names or --all")
    if args.all_namespaces and (args.names or args.namespace):
        args.parser.error("--all-namespaces goes with --all, without --namespace")
    loaded = load_config(args.kubeconfig, context=args.context)
    with Clientset(loaded.config) as cs:
        namespace = "" if args.all_namespaces else args.namespace or loaded.namespace
        kind = cs.resource(args.kind).info.kind
        found = list(holders(cs, args, namespace))
        for obj in found:
            state = "being deleted" if obj.metadata.deletion_timestamp else "not being deleted"
            print(f"{_name(kind, obj)}: {args.finalizer} ({state})")
        if not found:
            print(f"nothing has the finalizer {args.finalizer}")
            return 0
        if args.dry_run:
            return 0
        if not args.yes and not _agreed(len(found)):
            print("nothing was changed", file=sys.stderr)
            return 1
        for obj in found:
            done = release(cs, args.kind, obj, args.finalizer)
            print(f"{_name(kind, obj)}: {'released' if done else 'gone or released by others'}")
    return 0


def holders(cs: Clientset, args: argparse.Namespace, namespace: str) -> Iterator[Any]:
    """The objects that have the finalizer. Raises NotFound for a name that is none."""
    client = cs.resource(args.kind, namespace)
    if not client.info.namespaced:
        client = cs.resource(args.kind)
    objects = client.iterate() if args.all else map(client.get, args.names)
    return (obj for obj in objects if args.finalizer in (obj.metadata.finalizers or ()))


def release(cs: Clientset, kind: str, obj: Any, finalizer: str) -> bool:
    """Take it off; returns whether it was still there."""
    from k8srt.controller.finalizers import take_off
    from k8srt.errors import NotFound

    client = cs.resource(kind, obj.metadata.namespace or "")

    def read() -> Any:
        try:
            return client.get(obj.metadata.name)
        except NotFound:
            return None

    return take_off(
        obj, finalizer, patch=lambda _, ops: client.patch(obj.metadata.name, ops, patch_type="json"), read=read
    )


def _name(kind: str, obj: Any) -> str:
    return f"{kind} {'/'.join(filter(None, (obj.metadata.namespace, obj.metadata.name)))}"


def _agreed(count: int) -> bool:
    if not sys.stdin.isatty():
        print("pass --yes where nobody can be asked", file=sys.stderr)
        return False
    return input(f"take it off {count} objects, with nothing cleaned up? [y/N] ").strip().lower() in ("y", "yes")
