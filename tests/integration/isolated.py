"""Reconciles for processes of their own: what they do is in the name of the request."""

from __future__ import annotations

import faulthandler
import logging
import os
import re
import signal
import sys
from typing import Any

from k8srt.api.core.v1 import ConfigMap
from k8srt.apimachinery.meta import ObjectMeta
from k8srt.controller import Context, Request, Result, RetryAfter, TerminalError, current

log = logging.getLogger("isolated")


def config_map(name: str) -> ConfigMap:
    return ConfigMap(metadata=ObjectMeta(name=name, namespace="default"))


def reconcile(request: Request, ctx: Context[Any]) -> Result | None:
    """Does one of many things."""
    log.info("begins %s", request.name)
    return globals()["do_" + request.name.replace("-", "_")](request, ctx)  # type: ignore[no-any-return]


def do_pid(request: Request, ctx: Context[Any]) -> Result:
    return Result(requeue_after=float(os.getpid()))


def do_exit(request: Request, ctx: Context[Any]) -> None:
    os._exit(3)


def do_segfault(request: Request, ctx: Context[Any]) -> None:
    faulthandler.disable()
    os.kill(os.getpid(), signal.SIGSEGV)


def do_sys_exit(request: Request, ctx: Context[Any]) -> None:
    sys.exit("enough")


def do_recursion(request: Request, ctx: Context[Any]) -> None:
    do_recursion(request, ctx)


def do_terminal(request: Request, ctx: Context[Any]) -> None:
    raise TerminalError("no way")


def do_later(request: Request, ctx: Context[Any]) -> None:
    raise RetryAfter(7.0)


def do_cache(request: Request, ctx: Context[Any]) -> None:
    ctx.cache.get(ConfigMap, request)


def do_detach(request: Request, ctx: Context[Any]) -> None:
    ctx.detach()


def do_write(request: Request, ctx: Context[Any]) -> None:
    ctx.client.create(config_map("some"))


def do_wrong(request: Request, ctx: Context[Any]) -> Any:
    return "done"


def do_tell(request: Request, ctx: Context[Any]) -> None:
    assert current() is ctx
    ctx.recorder.event(config_map("some"), "Normal", "Told", f"attempt {ctx.attempt} of {ctx.state['who']}")
    ctx.log.warning("%s because %s", ctx.retry.last_error, ctx.reasons[0])


def do_hang(request: Request, ctx: Context[Any]) -> None:
    re.match(r"(a+)+b", "a" * 60)  # takes ages, and lets no other thread run


def do_wait(request: Request, ctx: Context[Any]) -> None:
    log.info("waits")
    ctx.sleep(1000.0)
