"""A training step on a CUDA device as one graph: its kernels are launched together.

Source: PyTorch's notes on CUDA semantics, "CUDA Graphs".
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

Tensors = tuple[Tensor, ...]
Function = Callable[..., Tensors]

WARM_UP = 3  # calls in which libraries set themselves up and optimizers make their state


class GraphedFunction:
    """A function of tensors on one CUDA device that is captured once for each set of shapes.

    The first calls with new shapes run as they are, on the stream that is captured later; they do
    real work, so nothing has to be undone. What is returned is overwritten by the next call.
    """

    def __init__(self, function: Function) -> None:
        """`function` must not wait for the device, and finds all that varies in its arguments."""
        self._function = function
        self._calls: Counter[tuple[torch.Size, ...]] = Counter()
        self._captured: dict[tuple[torch.Size, ...], CapturedGraph] = {}

    def __call__(self, *inputs: Tensor) -> Tensors:
        """Return the function of `inputs`, all on one device."""
        shapes = tuple(value.shape for value in inputs)
        self._calls[shapes] += 1
        if self._calls[shapes] <= WARM_UP:
            return warmed_up(self._function, inputs)
        if shapes not in self._captured:
            self._captured[shapes] = capture(self._function, inputs)
        return self._captured[shapes](*inputs)


@dataclass(frozen=True, eq=False)
class CapturedGraph:
    """A captured function: where it reads, how it is run, where it writes."""

    inputs: Tensors
    replay: Callable[[], None]
    outputs: Tensors

    def __call__(self, *inputs: Tensor) -> Tensors:
        """Return the outputs for `inputs`."""
        for own, value in zip(self.inputs, inputs, strict=True):
            own.copy_(value, non_blocking=True)
        self.replay()
        return self.outputs


def warmed_up(function: Function, inputs: Tensors) -> Tensors:
    """Return `function` of `inputs`, run on a stream beside the current one."""
    current = torch.cuda.current_stream()
    side = torch.cuda.Stream()  # type: ignore[no-untyped-call]
    side.wait_stream(current)
    with torch.cuda.stream(side):
        outputs = function(*inputs)
    current.wait_stream(side)
    return outputs


def capture(function: Function, inputs: Tensors) -> CapturedGraph:
    """Capture `function` for inputs of these shapes, which runs none of it."""
    own = tuple(value.clone() for value in inputs)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        outputs = function(*own)
    return CapturedGraph(own, graph.replay, outputs)


def capturable(optimizer: torch.optim.Optimizer) -> Tensor:
    """Let `optimizer` be captured; return its learning rate, a scalar on the device to be filled.

    Its steps are one fused kernel, and what it counts is on the device.
    """
    (group,) = optimizer.param_groups
    device = group["params"][0].device
    rate = torch.tensor(group["lr"], dtype=torch.float32, device=device)
    options: dict[str, Any] = {"lr": rate, "fused": True, "foreach": False}
    group.update(options | ({"capturable": True} if "capturable" in group else {}))
    for slots in optimizer.state.values():  # of a resumed run
        if "step" in slots:
            slots["step"] = slots["step"].to(device)
    return rate
