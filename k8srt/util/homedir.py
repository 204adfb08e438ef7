"""Where the user's files are. Contract: CLI-57."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping

_KUBECONFIG = os.path.join(".kube", "config")


def home_dir(environ: Mapping[str, str] | None = None, *, windows: bool = sys.platform == "win32") -> str:
    """The home directory: `HOME`; without it what the system says of the user.

    On Windows it is the first of `HOME`, `HOMEDRIVE`+`HOMEPATH` and `USERPROFILE` that has a kubeconfig; else the
    first that can be written to, with `USERPROFILE` before `HOMEDRIVE`+`HOMEPATH`; else the first that is there, then
    the first that is set. Empty if there is none.
    """
    environ = os.environ if environ is None else environ
    if not windows:
        return environ.get("HOME") or _of_the_user()
    home, profile = environ.get("HOME", ""), environ.get("USERPROFILE", "")
    drive, path = environ.get("HOMEDRIVE", ""), environ.get("HOMEPATH", "")
    drive_home = drive + path if drive and path else ""
    for place in filter(None, (home, drive_home, profile)):
        if os.path.exists(os.path.join(place, _KUBECONFIG)):
            return place
    places = [place for place in (home, profile, drive_home) if place]
    there = [place for place in places if os.path.isdir(place)]
    writable = [place for place in there if os.access(place, os.W_OK)]
    return next(iter([*writable, *there, *places]), "")


def _of_the_user() -> str:
    found = os.path.expanduser("~")
    return "" if found == "~" else found
