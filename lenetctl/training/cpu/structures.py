"""The structures of the C++, field by field; what they mean stands in block.h and program.h."""

import ctypes
from ctypes import c_float, c_long, c_void_p


class Map(ctypes.Structure):
    """Where the pixels of a map are in a thread's memory."""

    _fields_ = tuple(
        (name, c_long)
        for name in ("start", "channels", "height", "width", "plane", "line", "pixel")
    )


class Window(ctypes.Structure):
    """A window that slides over a map."""

    _fields_ = tuple((name, c_long) for name in ("size", "stride", "padding"))


class Parameter(ctypes.Structure):
    """Weights or biases, and what is kept beside them."""

    _fields_ = (
        *((name, c_void_p) for name in ("value", "gradient", "momentum")),
        ("count", c_long),
    )


class Stage(ctypes.Structure):
    """A convolution or dense layer, its activation, its pool."""

    _fields_ = (
        *((f"{n}{of}", Map) for n in ("input", "sums", "out") for of in ("", "_gradient")),
        *((name, c_long) for name in ("is_dense", "activation", "pool")),
        *((name, Window) for name in ("kernel", "pool_window")),
        *((name, c_long) for name in ("weight", "bias")),
        ("distances", c_long * 4),
        *((name, c_long) for name in ("packed", "turned", "share", "inputs", "gradients")),
    )


class Program(ctypes.Structure):
    """A net, the memory that a step takes, and the optimizer."""

    _fields_ = (
        ("stages", ctypes.POINTER(Stage)),
        ("parameters", ctypes.POINTER(Parameter)),
        *((name, c_long) for name in ("stage_count", "threads")),
        *((name, c_long) for name in ("memory_size", "shares_size", "row_size")),
        *((name, c_void_p) for name in ("memory", "packed", "shares", "rows", "outcomes")),
        ("smoothing", c_float),
        *((name, c_long) for name in ("descends", "nesterov")),
        *((name, c_float) for name in ("rate", "momentum", "decay")),
    )
