"""Which engine runs the steps of a run."""

from dataclasses import dataclass

import torch

from lenetctl.errors import UsageError
from lenetctl.specs.layers import plan_layers
from lenetctl.specs.schema import Spec
from lenetctl.training.cpu.compiler import compiled_library

# multiply-accumulates of a run from which compiling for a second or two pays: some seconds of work
LONG = 10**11
NARROW = 16  # input channels of a convolution up to which ours is faster than the library's


@dataclass(frozen=True)
class EngineChoice:
    """An engine, and what the user should know of why it is not the fastest one."""

    engine: str
    warning: str = ""


def choose_engine(wanted: str, spec: Spec, images: int, device: torch.device) -> EngineChoice:
    """Return the engine for training on `images` images: `wanted`, or what pays where it is auto.

    Raises:
        UsageError: `wanted` cannot run this spec here.

    """
    if wanted != "auto":
        if refusal := _refusal(wanted, spec, device):
            raise UsageError(f"--engine {wanted}: {refusal}: use --engine auto")
        if wanted == "compiled":
            compiled_library()
        return EngineChoice(wanted)
    if not _refusal("graph", spec, device):
        return EngineChoice("graph")
    if _refusal("compiled", spec, device) or not _pays(spec, images):
        return EngineChoice("eager")
    try:
        compiled_library()
    except UsageError as error:
        return EngineChoice("eager", f"the eager engine instead: {error}")
    return EngineChoice("compiled")


def _refusal(engine: str, spec: Spec, device: torch.device) -> str:
    """Return why `engine` cannot run the spec on the device, or nothing."""
    if engine == "graph" and device.type != "cuda":
        return f"its graphs are CUDA's, the device is {device}"
    if engine == "compiled" and device.type != "cpu":
        return f"its layers are for a CPU, the device is {device}"
    if engine == "compiled" and spec.training.precision == "bf16":
        return "it computes in fp32, training.precision is bf16"
    return ""


def _pays(spec: Spec, images: int) -> bool:
    layers = plan_layers(spec.model)
    work = 3 * sum(layer.macs for layer in layers) * images * spec.training.epochs
    narrow = all(layer.input_shape[0] <= NARROW for layer in layers if layer.kind == "conv")
    return narrow and work >= LONG
