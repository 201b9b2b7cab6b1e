"""Layers on block tensors, with their gradients.

A block tensor is (B / lanes, C, H, W, lanes), float32 and contiguous. The innermost dimension runs
over images, so that vectors of the CPU are full even where there are few channels.
"""

from __future__ import annotations

from ctypes import byref, c_long, c_void_p
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import pad

from lenetctl.training.cpu.compiler import compiled_library
from lenetctl.training.cpu.structures import Map, Window


class Convolution(torch.autograd.Function):
    """Convolution of a block tensor with weight (O, C, K, K) and bias (O,) or None."""

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, weight: Tensor, bias: Tensor | None, stride: int, padding: int
    ) -> Tensor:
        """Return (B / lanes, O, H', W', lanes)."""
        framed = pad(x, (0, 0, *4 * (padding,)))
        ctx.save_for_backward(framed, weight)
        ctx.stride, ctx.padding, ctx.biased = stride, padding, bias is not None
        return _convolve(framed, weight, bias, stride)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        """Return the gradients of the arguments; that of `x` only if autograd needs it."""
        framed, weight = ctx.saved_tensors
        gradient = gradients[0].contiguous()
        kernel, stride, padding = weight.shape[2], ctx.stride, ctx.padding
        shares = gradient.new_empty(len(gradient), *weight.shape)
        compiled_library().convolution_gradients_of_blocks(
            c_long(len(gradient)),
            *(_data(framed), _map(framed), _data(gradient), _map(gradient), _data(shares)),
            byref(Window(kernel, stride, 0)),
        )
        of_bias = gradient.sum((0, 2, 3, 4)) if ctx.biased else None
        of_x = None
        if ctx.needs_input_grad[0]:
            # a convolution with the weights turned by 180°, of the gradient with zeros between its
            # pixels so that they are `stride` apart, and around them
            sides = [(n - 1) * stride + 1 for n in gradient.shape[2:4]]
            spread = gradient.new_zeros(*gradient.shape[:2], *sides, gradient.shape[4])
            spread[:, :, ::stride, ::stride] = gradient
            before = kernel - 1 - padding
            # of the framed height and width the input has all but 2 · padding
            behind = [n - padding - side for n, side in zip(framed.shape[2:4], sides, strict=True)]
            spread = pad(spread, (0, 0, before, behind[1], before, behind[0])).contiguous()
            of_x = _convolve(spread, weight.flip(2, 3).transpose(0, 1), None, 1)
        return of_x, shares.sum(0), of_bias, None, None


class ActivatedPool(torch.autograd.Function):
    """An activation, then average or maximum over windows, in one pass."""

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, activation: int, pool: int, size: int, stride: int, padding: int
    ) -> Tensor:
        """Return (B / lanes, C, H', W', lanes); zeros of the padding count in an average.

        `activation` and `pool` are numbers of `program.ACTIVATIONS` and `program.POOLS`.
        """
        ctx.kinds = (c_long(activation), c_long(pool), byref(Window(size, stride, padding)))
        height, width = ((n + 2 * padding - size) // stride + 1 for n in x.shape[2:4])
        active, pooled = x.clone(), x.new_empty(*x.shape[:2], height, width, x.shape[4])
        compiled_library().activate_blocks(
            c_long(len(x)), _data(active), _map(active), _data(pooled), _map(pooled), *ctx.kinds
        )
        ctx.save_for_backward(active, pooled)
        return pooled

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        """Return the gradient of `x`; of equal pixels the first one counts as the maximum."""
        active, pooled = ctx.saved_tensors
        gradient = gradients[0].contiguous()
        of_x = torch.empty_like(active)
        compiled_library().activation_gradient_of_blocks(
            c_long(len(active)),
            *(_data(active), _map(active), _data(pooled), _data(gradient), _map(pooled)),
            *(_data(of_x), *ctx.kinds),
        )
        return of_x, None, None, None, None, None


def _convolve(framed: Tensor, weight: Tensor, bias: Tensor | None, stride: int) -> Tensor:
    """Return the convolution of a tensor that has its padding already."""
    kernel = weight.shape[2]
    height, width = ((n - kernel) // stride + 1 for n in framed.shape[2:4])
    out = framed.new_empty(len(framed), len(weight), height, width, framed.shape[4])
    innermost = weight.permute(1, 2, 3, 0).contiguous()  # (C, K, K, O)
    compiled_library().convolve_blocks(
        c_long(len(framed)),
        *(_data(framed), _map(framed), _data(innermost), _data(bias), _data(out), _map(out)),
        byref(Window(kernel, stride, 0)),
    )
    return out


def _map(blocks: Tensor) -> Any:
    _, channels, height, width, lanes = blocks.shape
    line = width * lanes
    return byref(Map(0, channels, height, width, height * line, line, lanes))


def _data(tensor: Tensor | None) -> c_void_p:
    return c_void_p(None if tensor is None else tensor.data_ptr())
