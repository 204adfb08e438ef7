"""Reconciles in processes of their own, as type checkers see them."""

from __future__ import annotations

from typing import assert_type

from k8srt.api.core.v1 import ConfigMap
from k8srt.controller import Context, Manager, Options, ProcessDied, RemoteFailure
from k8srt.rest import Config


def on_error(obj: ConfigMap | None, err: BaseException, ctx: Context) -> None:
    if isinstance(err, ProcessDied):
        assert_type(err.exit_code, int | None)
    elif isinstance(err, RemoteFailure):
        print(err.__cause__)


def isolated(config: Config) -> Options:
    @Manager(config).controller(ConfigMap, run_in="process", timeout=30.0, on_error=on_error)
    def reconcile(obj: ConfigMap, ctx: Context) -> None: ...

    return Options(run_in="process", workers=3)
