"""JAX, the full batches of an epoch in one `lax.scan`, the last partial batch by itself."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
from arrays import train_arrays
from jax import lax, nn

SHAPES = [(5, 5, 1, 6), (5, 5, 6, 16), (400, 120), (120, 84), (84, 10)]
BATCH = 256


def run(begin: Callable[[], None], _: str) -> None:
    """Train for ever, calling `begin` before every epoch."""
    images, labels = map(jnp.asarray, train_arrays())
    keys = jax.random.split(jax.random.key(0), len(SHAPES) + 1)
    init = jax.nn.initializers.glorot_uniform()
    weights = [
        (init(k, shape), jnp.zeros(shape[-1])) for k, shape in zip(keys, SHAPES, strict=False)
    ]
    key = keys[-1]
    while True:
        begin()
        key, own = jax.random.split(key)
        weights, losses = _epoch(weights, own, images, labels)
        losses.block_until_ready()


LAYOUT = ("NHWC", "HWIO", "NHWC")


def _logits(weights: list, x: jax.Array) -> jax.Array:
    for (w, b), padding in zip(weights[:2], ("SAME", "VALID"), strict=True):
        x = lax.conv_general_dilated(x, w, (1, 1), padding, dimension_numbers=LAYOUT)
        x = lax.reduce_window(nn.sigmoid(x + b), 0.0, lax.add, (1, 2, 2, 1), (1, 2, 2, 1), "VALID")
        x = x / 4
    x = x.reshape(len(x), -1)
    for w, b in weights[2:-1]:
        x = nn.sigmoid(x @ w + b)
    return x @ weights[-1][0] + weights[-1][1]


def _loss(weights: list, images: jax.Array, labels: jax.Array) -> jax.Array:
    logs = nn.log_softmax(_logits(weights, images))
    return -jnp.take_along_axis(logs, labels[:, None], 1).mean()


@jax.jit
def _epoch(
    weights: list, key: jax.Array, images: jax.Array, labels: jax.Array
) -> tuple[list, jax.Array]:
    def step(weights: list, index: jax.Array) -> tuple[list, jax.Array]:
        loss, slope = jax.value_and_grad(_loss)(weights, images[index], labels[index])
        return jax.tree.map(lambda w, g: w - 0.9 * g, weights, slope), loss

    order = jax.random.permutation(key, len(images))
    full = len(images) // BATCH * BATCH
    weights, losses = lax.scan(step, weights, order[:full].reshape(-1, BATCH))
    weights, _ = step(weights, order[full:])
    return weights, losses
