"""A whole training step in one call of the C++, over memory that is taken once."""

from __future__ import annotations

from ctypes import byref, c_long, c_void_p

import torch
from torch import Tensor, nn

from lenetctl.training.cpu.compiler import compiled_library
from lenetctl.training.cpu.program import Layout
from lenetctl.training.cpu.structures import Parameter, Program, Stage


class WholeStep:
    """Forward pass, backward pass and SGD of a net of which `program.is_whole` holds.

    Weights, gradients and momentum are the net's and the optimizer's own tensors.
    """

    def __init__(self, net: nn.Sequential, smoothing: float = 0.0) -> None:
        """Lay out the steps of `net`; `smoothing` is that of the labels."""
        self._library = compiled_library()
        self._lanes = int(self._library.lanes())
        self._layout = layout = Layout(net, self._lanes)
        self._parameters = list(net.parameters())
        # as the parameters lie in memory, number by number
        self._gradients = [torch.empty_like(parameter) for parameter in self._parameters]
        self._pointers = (Parameter * len(self._parameters))()
        for pointers, gradient in zip(self._pointers, self._gradients, strict=True):
            pointers.gradient, pointers.count = gradient.data_ptr(), gradient.numel()
        self._program = Program(
            stages=(Stage * len(layout.stages))(*layout.stages),
            stage_count=len(layout.stages),
            parameters=self._pointers,
            memory_size=layout.memory.taken,
            shares_size=layout.shares.taken,
            row_size=layout.row.taken,
            smoothing=smoothing,
        )
        self._memory: dict[str, Tensor] = {}
        self._need("packed", layout.packed.taken)

    def __call__(
        self, images: Tensor, labels: Tensor, optimizer: torch.optim.SGD | None = None
    ) -> tuple[Tensor, Tensor]:
        """Leave the gradients in `grad` and let `optimizer` take a step, if there is one.

        Return the mean loss and the number of right answers, before the step.
        """
        self._begin()
        blocks = -(-len(images) // self._lanes)
        self._need("shares", blocks * self._layout.shares.taken)
        self._need("rows", blocks * self._lanes * self._layout.row.taken)
        self._need("outcomes", blocks * 4)  # a double and an int64
        for parameter, gradient in zip(self._parameters, self._gradients, strict=True):
            if parameter.grad is not gradient:
                parameter.grad = gradient
        self._program.descends = optimizer is not None
        if optimizer:
            self._follow(optimizer)
        images, labels = images.contiguous(), labels.contiguous()
        loss, right = torch.empty(()), torch.empty((), dtype=torch.int64)
        self._library.train(
            *(byref(self._program), _data(images), _data(labels), c_long(len(images))),
            *(_data(loss), _data(right)),
        )
        return loss, right

    def logits(self, images: Tensor) -> Tensor:
        """Return the logits (B, 10) of images (B, 1, 28, 28)."""
        self._begin()
        images = images.contiguous()
        logits = torch.empty(len(images), self._layout.stages[-1].out.channels)
        self._library.predict(
            byref(self._program), _data(images), c_long(len(images)), _data(logits)
        )
        return logits

    def _begin(self) -> None:
        """Find the weights, and memory for as many threads as torch has now."""
        self._program.threads = torch.get_num_threads()
        self._need("memory", self._program.threads * self._layout.memory.taken)
        for pointers, parameter in zip(self._pointers, self._parameters, strict=True):
            pointers.value = parameter.data_ptr()

    def _need(self, name: str, floats: int) -> None:
        """Make sure that there is as much of some memory of the program; new memory is zero."""
        if name not in self._memory or self._memory[name].numel() < floats:
            self._memory[name] = torch.zeros(floats)
            setattr(self._program, name, self._memory[name].data_ptr())

    def _follow(self, optimizer: torch.optim.SGD) -> None:
        """Take over the settings of `optimizer`, and its memory of earlier steps."""
        (group,) = optimizer.param_groups
        program = self._program
        program.rate, program.momentum = group["lr"], group["momentum"]
        program.decay, program.nesterov = group["weight_decay"], group["nesterov"]
        if group["momentum"]:
            for pointers, parameter in zip(self._pointers, self._parameters, strict=True):
                pointers.momentum = _momentum_of(parameter, optimizer).data_ptr()


def _momentum_of(parameter: Tensor, optimizer: torch.optim.SGD) -> Tensor:
    """Return the optimizer's own buffer; its numbers lie in memory as those of the parameter."""
    slots = optimizer.state[parameter]
    buffer = slots.get("momentum_buffer")
    if buffer is None:
        buffer = slots["momentum_buffer"] = torch.zeros_like(parameter)
    elif buffer.stride() != parameter.stride():  # from a checkpoint
        buffer = slots["momentum_buffer"] = torch.empty_like(parameter).copy_(buffer)
    return buffer  # type: ignore[no-any-return]


def _data(tensor: Tensor) -> c_void_p:
    return c_void_p(tensor.data_ptr())
