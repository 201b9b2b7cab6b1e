"""Which models can be trained together as one fleet."""

from lenetctl import specs
from lenetctl.specs.schema import Spec, TrainingSpec


def fleet_key(spec: Spec) -> str:
    """Return a key that is the same for all specs whose models one fleet can train.

    They share data, layers, kind of optimizer, precision and determinism, and whether they have
    dropout and moving averages at all. All else may differ: seed, starting weights, epochs,
    the optimizer's values, schedule, label smoothing, patience, the shares of dropout and average.
    """
    model, training = spec.model, spec.training
    share = 0.5 if model.dropout else 0.0
    neutral = TrainingSpec.model_validate(
        {
            "optimizer": {"kind": training.optimizer.kind},
            "precision": training.precision,
            "deterministic": training.deterministic,
            "ema": 0.5 if training.ema else None,
        }
    )
    model = model.model_copy(update={"init": "torch", "bias_init": "torch", "dropout": share})
    return specs.sha256(spec.model_copy(update={"model": model, "training": neutral}))
