"""Layers on block tensors, with their gradients.

A block tensor is (B / lanes, C, H, W, lanes), float32 and contiguous. The innermost dimension runs
over images, so that vectors of the CPU are full even where there are few channels.
"""

from __future__ import annotations

import ctypes
from typing import Any

import torch
from torch import Tensor

from lenetctl.training.cpu.compiler import compiled_library


class Convolution(torch.autograd.Function):
    """Convolution of a block tensor with weight (O, C, K, K) and bias (O,) or None."""

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, weight: Tensor, bias: Tensor | None, stride: int, padding: int
    ) -> Tensor:
        """Return (B / lanes, O, H', W', lanes)."""
        ctx.save_for_backward(x, weight)
        ctx.stride, ctx.padding, ctx.biased = stride, padding, bias is not None
        height, width = ((n + 2 * padding - weight.shape[2]) // stride + 1 for n in x.shape[2:4])
        return _convolve(x, weight, bias, (height, width), stride, padding)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        """Return the gradients of the arguments; that of `x` only if autograd needs it."""
        x, weight = ctx.saved_tensors
        gradient = gradients[0].contiguous()
        kernel = weight.shape[2]
        shares = x.new_empty(len(x), *weight.shape)
        shape = _shape(x, gradient, kernel, ctx.stride, ctx.padding)
        compiled_library().weight_gradient(_data(x), _data(gradient), _data(shares), shape)
        of_bias = gradient.sum((0, 2, 3, 4)) if ctx.biased else None
        of_x = None
        if ctx.needs_input_grad[0]:
            # a convolution with the weights turned by 180°, of the gradient with zeros between its
            # pixels so that they are `stride` apart
            spread = gradient
            if ctx.stride > 1:
                rows, columns = ((n - 1) * ctx.stride + 1 for n in gradient.shape[2:4])
                spread = x.new_zeros(*gradient.shape[:2], rows, columns, gradient.shape[4])
                spread[:, :, :: ctx.stride, :: ctx.stride] = gradient
            turned = weight.flip(2, 3).transpose(0, 1)
            of_x = _convolve(spread, turned, None, x.shape[2:4], 1, kernel - 1 - ctx.padding)
        return of_x, shares.sum(0), of_bias, None, None


class ActivatedPool(torch.autograd.Function):
    """Activation (none, relu or sigmoid), then average or maximum over windows, in one pass."""

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, activation: str, pool: str, size: int, stride: int, padding: int
    ) -> Tensor:
        """Return (B / lanes, C, H', W', lanes); zeros of the padding count in an average."""
        ctx.kind = f"{activation}_{pool}"
        height, width = ((n + 2 * padding - size) // stride + 1 for n in x.shape[2:4])
        active, pooled = torch.empty_like(x), x.new_empty(*x.shape[:2], height, width, x.shape[4])
        planes = x.shape[0] * x.shape[1]
        ctx.shape = (ctypes.c_long * 8)(planes, *x.shape[2:4], height, width, size, stride, padding)
        compiled_library()[f"{ctx.kind}_forward"](_data(x), _data(active), _data(pooled), ctx.shape)
        ctx.save_for_backward(active, pooled)
        return pooled

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        """Return the gradient of `x`; of equal pixels the first one counts as the maximum."""
        active, pooled = ctx.saved_tensors
        gradient = gradients[0].contiguous()
        of_x = torch.empty_like(active)
        compiled_library()[f"{ctx.kind}_backward"](
            _data(active), _data(pooled), _data(gradient), _data(of_x), ctx.shape
        )
        return of_x, None, None, None, None, None


def _convolve(
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    sides: tuple[int, ...],
    stride: int,
    padding: int,
) -> Tensor:
    out = x.new_empty(len(x), len(weight), *sides, x.shape[4])
    shape = _shape(x, out, weight.shape[2], stride, padding)
    innermost = weight.permute(1, 2, 3, 0).contiguous()  # (C, K, K, O)
    compiled_library().convolve(_data(x), _data(innermost), _data(bias), _data(out), shape)
    return out


def _shape(x: Tensor, out: Tensor, kernel: int, stride: int, padding: int) -> Any:
    return (ctypes.c_long * 10)(*x.shape[:4], *out.shape[1:4], kernel, stride, padding)


def _data(tensor: Tensor | None) -> ctypes.c_void_p:
    return ctypes.c_void_p(None if tensor is None else tensor.data_ptr())
