"""How the trials of a sweep are run, by name. Light: the command line reads it before torch."""

from enum import StrEnum

EXECUTORS = {  # by the name that --executor takes: module and class
    "serial": "lenetctl.sweeps.executors.serial:SerialExecutor",
    "processes": "lenetctl.sweeps.executors.processes:ProcessExecutor",
    "fleet": "lenetctl.sweeps.executors.fleet:FleetExecutor",
    "ray": "lenetctl.sweeps.executors.ray:RayExecutor",
    "slurm": "lenetctl.sweeps.executors.slurm:SlurmExecutor",
}
# Their workers draw what they have trained; with the others the writer to MLflow does.
WORKERS_DRAW = {"processes", "ray", "slurm"}
TAKE_OPTIONS = ("ray", "slurm")  # of --executor-option
ExecutorName = StrEnum("ExecutorName", list(EXECUTORS))  # type: ignore[misc]  # from the table
