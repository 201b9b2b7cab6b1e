"""What sweeps offer by name: light, for the command line reads it before anything else."""

from enum import StrEnum

EXECUTORS = {  # module and class
    "serial": "lenetctl.sweeps.executors.serial:SerialExecutor",
    "processes": "lenetctl.sweeps.executors.processes:ProcessExecutor",
    "fleet": "lenetctl.sweeps.executors.fleet:FleetExecutor",
    "ray": "lenetctl.sweeps.executors.ray:RayExecutor",
}
ExecutorName = StrEnum("ExecutorName", list(EXECUTORS))  # type: ignore[misc]  # from the table


class SamplerName(StrEnum):
    """How a search chooses what to try next."""

    tpe = "tpe"
    random = "random"


class PrunerName(StrEnum):
    """When a search gives a run up."""

    none = "none"
    median = "median"
    hyperband = "hyperband"
