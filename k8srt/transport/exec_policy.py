"""Which credential programs may be run: what an organisation allows, whatever a kubeconfig says.

    config.exec_provider.policy = PluginPolicy.only("gke-gcloud-auth-plugin", "/usr/local/bin/aws")

Contract: REST-61.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass

from k8srt.errors import ConfigError, CredentialsError

_KINDS = ("AllowAll", "DenyAll", "Allowlist")


@dataclass(frozen=True, slots=True)
class PluginPolicy:
    """`AllowAll`, `DenyAll`, or `Allowlist` with the names or paths of the programs that may be run.

    A program is on the list if a name there is found at the same path as the command.
    """

    kind: str = "AllowAll"
    allowlist: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        given: object = self.allowlist
        if isinstance(given, str):
            raise TypeError("allowlist: expected several names, got a text")
        object.__setattr__(self, "allowlist", tuple(self.allowlist))

    @classmethod
    def deny_all(cls) -> PluginPolicy:
        """No program may be run."""
        return cls("DenyAll")

    @classmethod
    def only(cls, *names: str) -> PluginPolicy:
        """Only these may be run."""
        return cls("Allowlist", names)

    def validate(self) -> None:
        """Raises ConfigError for a policy that makes no sense."""
        if self.kind not in _KINDS:
            raise ConfigError(f"exec_provider.policy: must be one of {', '.join(_KINDS)}, not {self.kind!r}")
        if self.kind == "Allowlist" and not self.allowlist:
            raise ConfigError("exec_provider.policy: Allowlist needs the names of programs")
        if self.kind != "Allowlist" and self.allowlist:
            raise ConfigError(f"exec_provider.policy: {self.kind} takes no allowlist")
        if not all(self.allowlist):
            raise ConfigError("exec_provider.policy: the allowlist has an empty name")

    def check(self, command: str) -> None:
        """Raises CredentialsError when the command may not be run."""
        if self.kind == "DenyAll":
            raise CredentialsError(f'plugin {command!r} not allowed: policy set to "DenyAll"')
        if self.kind == "Allowlist":
            path = shutil.which(command)
            if path is None or all(shutil.which(name) != path for name in self.allowlist):
                raise CredentialsError(f"plugin {command!r} not allowed: it is not on the allowlist")
