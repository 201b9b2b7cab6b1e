"""Random valid specs, small enough that hundreds of them are trained in an hour on one core."""

import random
from typing import Any

from lenetctl import specs
from lenetctl.errors import SpecError
from lenetctl.specs.schema import Spec

ACTIVATIONS = ("sigmoid", "tanh", "relu", "leaky_relu", "elu", "gelu", "silu", "none")
INITS = ("xavier_uniform", "xavier_normal", "kaiming_uniform", "kaiming_normal", "lecun", "torch")
RATES = {"sgd": (1e-3, 3.0), "adam": (1e-5, 0.1), "adamw": (1e-5, 0.1)}  # drawn by their logarithm
LIMIT, EPOCHS = 6_000, 5


def random_spec(number: int) -> Spec:
    """Return the spec of this number: always the same one."""
    draw = random.Random(number)  # noqa: S311  nothing is kept secret by it
    while True:
        try:
            return specs.load_spec(_tree(draw, number))
        except SpecError:  # a window that does not fit, say: draw again
            continue


def _tree(draw: random.Random, number: int) -> dict[str, Any]:
    kind = draw.choice(("sgd", "sgd", "adam", "adamw"))
    low, high = RATES[kind]
    optimizer: dict[str, Any] = {"kind": kind, "lr": low * (high / low) ** draw.random()}
    if kind == "sgd":
        optimizer["momentum"] = draw.choice((0.0, 0.0, 0.9))
    pool = {"kind": draw.choice(("avg", "max")), "size": 2, "stride": 2}
    return {
        "name": f"random{number}",
        "data": {
            "batch_size": draw.choice((32, 64, 128, 256)),
            "normalize": draw.choice(("none", "standard")),
            "limit": LIMIT,
        },
        "model": {
            "conv": [_conv(draw) for _ in range(draw.randint(0, 3))],
            "pool": pool,
            "activation": draw.choice(ACTIVATIONS),
            "norm": draw.choice(("none", "none", "none", "batch")),
            "dense": [draw.choice((16, 32, 84, 120)) for _ in range(draw.randint(0, 4))],
            "dropout": draw.choice((0.0, 0.0, 0.3)),
            "init": draw.choice(INITS),
            "bias_init": draw.choice(("zeros", "torch")),
        },
        "training": {
            "epochs": EPOCHS,
            "seed": number,
            "optimizer": optimizer,
            "schedule": {"kind": draw.choice(("constant", "cosine", "one_cycle"))},
        },
    }


def _conv(draw: random.Random) -> dict[str, Any]:
    conv: dict[str, Any] = {
        "channels": draw.choice((4, 6, 8, 16)),
        "kernel": draw.choice((3, 5)),
        "padding": draw.randint(0, 2),
    }
    if draw.random() < 0.25:
        conv["pool"] = {"kind": "none"}
    return conv
