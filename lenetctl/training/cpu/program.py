"""From a net to the program of its step: what the C++ does, stage by stage, and where."""

from __future__ import annotations

from collections.abc import Iterable
from ctypes import c_long
from dataclasses import dataclass, field, replace

from torch import nn

from lenetctl.specs.layers import INPUT_SHAPE
from lenetctl.specs.schema import Spec
from lenetctl.training.cpu.structures import Map, Stage, Window
from lenetctl.training.optimizers import OPTIMIZERS
from lenetctl.training.support import Support, unsupported

# the C++ knows them by their numbers
ACTIVATIONS: tuple[type[nn.Module], ...] = (nn.Identity, nn.ReLU, nn.Sigmoid, nn.Tanh)
POOLS: tuple[type[nn.Module], ...] = (nn.Identity, nn.AvgPool2d, nn.MaxPool2d)

SUPPORT: Support = {
    "layer": {"conv", "activation", "pool", "flatten", "dense"},
    "kernel": {"square"},
    "padding_value": {"0"},
    "unit_bias": {"false"},
    "connections": {"complete"},
    "norm": {"none"},
    "activation": {"relu", "sigmoid", "tanh"},
    "pool.kind": {"avg", "max"},
    "optimizer.kind": OPTIMIZERS,  # SGD is the program's, others move the weights by its gradients
    "loss": {"cross_entropy"},
    "devices": {"1"},
    "precision": {"fp32", "tf32"},
}

FLOATS = 16  # of a vector of the widest processor: where a place in memory may begin


def is_whole(spec: Spec) -> bool:
    """Return whether a program can hold the whole step of `spec`."""
    return not unsupported(spec, SUPPORT)


@dataclass(frozen=True)
class Part:
    """The modules of one stage."""

    linear: nn.Conv2d | nn.Linear
    activation: nn.Module = field(default_factory=nn.Identity)
    pool: nn.Module = field(default_factory=nn.Identity)

    @property
    def kernel(self) -> Window:
        """The window of a convolution; a dense layer has a single pixel."""
        if isinstance(self.linear, nn.Linear):
            return Window(1, 1, 0)
        conv = self.linear
        return Window(conv.kernel_size[0], conv.stride[0], int(conv.padding[0]))

    @property
    def pool_window(self) -> Window:
        """The window of the pool; without one a single pixel."""
        if not isinstance(self.pool, nn.AvgPool2d | nn.MaxPool2d):
            return Window(1, 1, 0)
        return Window(self.pool.kernel_size, self.pool.stride, self.pool.padding)


def parts_of(net: Iterable[nn.Module]) -> list[Part]:
    """Return the modules of `net` by stage; what is to be flattened lies flat in memory."""
    parts: list[Part] = []
    for module in net:
        if isinstance(module, nn.Conv2d | nn.Linear):
            parts.append(Part(module))
        elif isinstance(module, POOLS):
            parts[-1] = replace(parts[-1], pool=module)
        elif not isinstance(module, nn.Flatten):
            parts[-1] = replace(parts[-1], activation=module)
    return parts


@dataclass
class Places:
    """Some memory, in floats, and how much of it is taken."""

    taken: int = 0

    def take(self, count: int) -> int:
        """Return where `count` floats are that nobody else has."""
        start = self.taken
        self.taken += -(-count // FLOATS) * FLOATS
        return start


class Layout:
    """The stages of a net, and the memory of its step."""

    def __init__(self, net: nn.Sequential, lanes: int) -> None:
        """Lay out the step of `net`, on blocks of `lanes` images."""
        self.memory = Places()  # of a thread: the maps of one block
        self.packed = Places()  # weights of convolutions, in another order
        self.shares = Places()  # of a block: the gradients of its convolutions
        self.row = Places()  # of an image: inputs and gradients of dense layers
        self.stages: list[Stage] = []
        self._lanes = lanes
        self._numbers = {id(parameter): i for i, parameter in enumerate(net.parameters())}
        parts = parts_of(net)
        borders = [part.kernel.padding for part in parts] + [0]
        channels, side, _ = INPUT_SHAPE
        before = Stage(out=self._map(channels, side, borders[0], borders[0]))
        for part, border in zip(parts, borders[1:], strict=True):
            before = self._stage(part, before, border)
            self.stages.append(before)

    def _stage(self, part: Part, before: Stage, border: int) -> Stage:
        """Return the stage behind another one; the next one finds `border` zeros around its map."""
        linear, kernel, window = part.linear, part.kernel, part.pool_window
        stage = Stage(kernel=kernel, pool_window=window, input=before.out)
        stage.input_gradient = before.out_gradient
        stage.activation = ACTIVATIONS.index(type(part.activation))
        stage.pool = POOLS.index(type(part.pool))
        stage.weight = self._numbers[id(linear.weight)]
        stage.bias = -1 if linear.bias is None else self._numbers[id(linear.bias)]
        side, around, step = before.out.height, (0, 0), 1
        if isinstance(linear, nn.Linear):
            channels, places = linear.out_features, 1
            stage.is_dense = True
            stage.inputs = self.row.take(linear.in_features)
            stage.gradients = self.row.take(channels)
        else:
            channels, places = linear.out_channels, _places(side, kernel)
            weights = linear.weight.numel()
            stage.distances = (c_long * 4)(*linear.weight.stride())
            stage.packed, stage.turned = self.packed.take(weights), self.packed.take(weights)
            stage.share = self.shares.take(weights + channels)
            if self.stages:  # the turned kernel slides over the gradient: see `backward`
                step, last = kernel.stride, (places - 1) * kernel.stride + 1
                around = (
                    max(0, kernel.size - 1 - kernel.padding),
                    max(0, side + kernel.padding - last),
                )
        pooled = _places(places, window)
        if stage.pool:
            stage.sums = self._map(channels, places)
            stage.out = self._map(channels, pooled, border, border)
        else:
            stage.sums = stage.out = self._map(channels, places, border, border)
        stage.sums_gradient = self._map(channels, places, *around, step)
        stage.out_gradient = self._map(channels, pooled)
        return stage

    def _map(
        self, channels: int, side: int, before: int = 0, behind: int = 0, step: int = 1
    ) -> Map:
        """Return a map with pixels `step` apart; those around and between them stay zero."""
        whole = before + (side - 1) * step + 1 + behind
        plane, line = whole * whole * self._lanes, whole * self._lanes
        start = self.memory.take(channels * plane) + before * (line + self._lanes)
        return Map(start, channels, side, side, plane, step * line, step * self._lanes)


def _places(side: int, window: Window) -> int:
    """Return at how many places along a side a window can be."""
    return int((side + 2 * window.padding - window.size) // window.stride + 1)
