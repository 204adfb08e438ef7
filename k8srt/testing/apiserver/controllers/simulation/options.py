"""What a simulation is like."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Simulation:
    """How many nodes there are, and how long things take, in seconds by the server's clock.

    Where two numbers stand, each time is drawn between them, the same for the same seed. A pod may say otherwise in its
    annotations: `simulate/start-seconds`, `simulate/run-seconds`, `simulate/exit-code`, `simulate/ready: "false"`,
    `simulate/image: "missing"`.
    """

    nodes: int = 1
    start: tuple[float, float] = (0.2, 0.8)
    """From placing a pod to running containers."""
    run: tuple[float, float] = (0.5, 1.5)
    """How long the containers of pods run that are meant to end: those of jobs."""
    stop: tuple[float, float] = (0.1, 0.4)
    """From a deletion to the end of a pod; never longer than its grace period."""
    back_off: float = 1.0
    """Before a container that failed starts again; doubled each time, up to sixteen times as long."""
    node_cpu: str = "8"
    node_memory: str = "16Gi"
    node_pods: int = 110

    def __post_init__(self) -> None:
        if self.nodes < 0:
            raise ValueError(f"nodes: {self.nodes}: there cannot be fewer than none")
        for name in ("start", "run", "stop"):
            low, high = getattr(self, name)
            if not 0 <= low <= high:
                raise ValueError(f"{name}: {(low, high)}: two numbers of seconds, the lower first")
