"""The engines that run the steps of a run, and which one a run takes."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import nn

from lenetctl.errors import UsageError
from lenetctl.specs.layers import net_size, plan_layers
from lenetctl.specs.schema import Spec
from lenetctl.training import steps
from lenetctl.training.cpu.compiler import compiled_library
from lenetctl.training.cpu.forward import compiled_refusal
from lenetctl.training.cuda_graph import graph_refusal
from lenetctl.training.evaluate import Forward

# multiply-accumulates of a run of some seconds: from here on a missing compiler is worth a warning
LONG_RUN = 10**11
NARROW = 16  # input channels of a convolution up to which ours is faster than the library's


@dataclass(frozen=True)
class Engine:
    """One way to run the steps of a run."""

    build_step: Callable[[nn.Sequential, torch.optim.Optimizer, Spec], steps.Step]
    refusal: Callable[[Spec, torch.device], str]  # why it cannot run a spec on a device, or ""
    build_forward: Callable[[nn.Sequential, Spec], Forward] = lambda net, _: net


ENGINES: dict[str, Engine] = {
    "eager": Engine(steps.eager, lambda *_: ""),
    "compiled": Engine(steps.compiled, compiled_refusal, steps.compiled_logits),
    "graph": Engine(steps.graph, graph_refusal),
}


@dataclass(frozen=True)
class EngineChoice:
    """The engine of a run; the warning says why it is not the one that should be faster."""

    engine: str
    warning: str = ""


def choose_engine(
    wanted: str, spec: Spec, images: int, device: torch.device, before: str | None = None
) -> EngineChoice:
    """Return the engine for training on `images` images: `wanted`, or the fastest for auto.

    `before` is the engine of a run that goes on: auto takes it again where it can, because another
    one rounds differently.

    Raises:
        UsageError: there is no engine `wanted`, or it cannot run this spec here.

    """
    if wanted != "auto":
        if wanted not in ENGINES:
            raise UsageError(
                f"--engine {wanted}: no such engine (there are auto, {', '.join(ENGINES)})"
            )
        if refusal := ENGINES[wanted].refusal(spec, device):
            raise UsageError(f"--engine {wanted}: {refusal}: use --engine auto")
        if wanted == "compiled":
            compiled_library()
        return EngineChoice(wanted)
    engine = _preferred(spec, device, before)
    if engine == "compiled":
        try:
            compiled_library()
        except UsageError as error:
            missed = before or _is_long(spec, images)
            return EngineChoice("eager", f"the eager engine instead: {error}" if missed else "")
    return EngineChoice(engine)


def forward_of(engine: str, net: nn.Sequential, spec: Spec, device: torch.device) -> Forward:
    """Return how the engine called `engine` evaluates `net`, or `net` where that cannot be here."""
    found = ENGINES.get(engine)
    if not found or found.refusal(spec, device):
        return net
    try:
        return found.build_forward(net, spec)
    except UsageError:  # there is no compiler
        return net


def _preferred(spec: Spec, device: torch.device, before: str | None) -> str:
    possible = [name for name, engine in ENGINES.items() if not engine.refusal(spec, device)]
    if before in possible:
        return before
    if "graph" in possible:
        return "graph"
    return "compiled" if "compiled" in possible and _is_narrow(spec) else "eager"


def _is_narrow(spec: Spec) -> bool:
    convolutions = (layer for layer in plan_layers(spec.model) if layer.kind == "conv")
    return all(layer.input_shape[0] <= NARROW for layer in convolutions)


def _is_long(spec: Spec, images: int) -> bool:
    _, macs = net_size(spec.model)
    return 3 * macs * images * spec.training.epochs >= LONG_RUN
