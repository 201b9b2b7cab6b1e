"""Which models can be trained together as one fleet."""

from lenetctl import specs
from lenetctl.specs.schema import Spec, TrainingSpec
from lenetctl.training.fleet.optimizers import FLEET_OPTIMIZERS
from lenetctl.training.support import ELEMENTWISE, Support, unsupported

SUPPORT: Support = {
    "layer": {"conv", "norm", "activation", "pool", "flatten", "dropout", "dense"},
    # these three work on each channel alone, so they need no code where models lie side by side
    "kernel": {"square", "not square"},
    "padding_value": {"0"},
    "unit_bias": {"false"},
    "connections": {"complete"},
    "norm": {"batch"},
    "activation": ELEMENTWISE,
    "pool.kind": {"avg", "max"},
    "optimizer.kind": FLEET_OPTIMIZERS,
    "loss": {"cross_entropy"},
    "devices": {"1"},
    "precision": {"fp32", "tf32", "bf16"},
}


def fleet_refusal(spec: Spec) -> str:
    """Return why no fleet can train the model of `spec`, or nothing."""
    return unsupported(spec, SUPPORT)


def fleet_key(spec: Spec) -> str:
    """Return a key that is the same for all specs whose models one fleet can train.

    These specs share the data section, the layers, the kind of optimizer, precision and
    determinism. All of them have dropout, or none; the same holds for moving averages. Everything
    else may differ: seed, starting weights, epochs, the optimizer's values, schedule, label
    smoothing, patience, the probability of dropout, the decay of the averages.
    """
    model, training = spec.model, spec.training
    neutral_training = TrainingSpec.model_validate(
        {
            "optimizer": {"kind": training.optimizer.kind},
            "precision": training.precision,
            "deterministic": training.deterministic,
            "ema": 0.5 if training.ema else None,
        }
    )
    neutral_model = model.model_copy(
        update={
            "init": "torch",
            "bias_init": "torch",
            "dropout": 0.5 if model.dropout else 0.0,
        }
    )
    neutral = {"model": neutral_model, "training": neutral_training}
    return specs.sha256(spec.model_copy(update=neutral))
