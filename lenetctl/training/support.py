"""What a spec asks for, held against the kinds that an engine or a fleet supports.

Each refuses a kind that its table does not list. So the eager engine trains a new kind until
somebody has made sure that the others do it right.
"""

from collections.abc import Collection, Iterator, Mapping

from lenetctl.specs.layers import plan_layers
from lenetctl.specs.schema import Conv, Pool, Spec

Support = Mapping[str, Collection[str]]  # the kinds by key: a layer, an activation, a pool.kind, …

# activations without weights that take each number by itself, whatever the tensor's shape
ELEMENTWISE = frozenset(
    {"sigmoid", "tanh", "scaled_tanh", "relu", "leaky_relu", "elu", "gelu", "silu"}
)


def unsupported(spec: Spec, support: Support) -> str:
    """Return in words the first kind of `spec` that `support` lacks, or nothing."""
    for key, kind in kinds_of(spec):
        if kind not in support[key]:
            return f"{key} is {kind}, which is not supported"
    return ""


def kinds_of(spec: Spec) -> Iterator[tuple[str, str]]:
    """Yield each kind that `spec` asks for, with its key: ("pool.kind", "max")."""
    for layer in plan_layers(spec.model):
        yield "layer", layer.kind
        if isinstance(layer.config, Conv):
            height, width = layer.config.window
            yield "kernel", "square" if height == width else "not square"
            is_zero = not (layer.config.padding and layer.config.padding_value)
            yield "padding_value", "0" if is_zero else "not 0"
            yield "unit_bias", "true" if layer.config.unit_bias else "false"
            yield "connections", "partial" if layer.config.connections else "complete"
        elif isinstance(layer.config, Pool):
            yield "pool.kind", layer.config.kind
        elif isinstance(layer.config, str):
            yield layer.kind, layer.config  # a norm or an activation
    yield "optimizer.kind", spec.training.optimizer.kind
    yield "loss", "rubbish" if spec.training.rubbish else spec.training.loss
    yield "devices", "above 1" if spec.training.devices > 1 else "1"
    yield "precision", spec.training.precision
