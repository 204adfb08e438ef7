"""What a server says about itself at `/version`."""

from __future__ import annotations

from k8srt.apimachinery.model import Struct, unset


class VersionInfo(Struct):
    """The version of a server. Prints as `v1.33.2`; `minor` may carry a `+`, as those of some providers do."""

    major: str = unset
    minor: str = unset
    emulation_major: str = unset
    emulation_minor: str = unset
    min_compatibility_major: str = unset
    min_compatibility_minor: str = unset
    git_version: str = unset
    git_commit: str = unset
    git_tree_state: str = unset
    build_date: str = unset
    go_version: str = unset
    compiler: str = unset
    platform: str = unset

    def __str__(self) -> str:
        return self.git_version or f"{self.major or '?'}.{self.minor or '?'}"
