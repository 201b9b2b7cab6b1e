"""The layers of a net in training, measured after each epoch without changing a bit of it."""

from copy import deepcopy
from dataclasses import replace

from lenetctl.data.device import DeviceSplit
from lenetctl.specs.schema import Spec
from lenetctl.training.diagnostics.layers import balanced_batch, expendable_copy, measure_layers
from lenetctl.training.metrics import LAYERS, EpochResult
from lenetctl.training.optimizers import build_optimizer
from lenetctl.training.state import TrainingState

PER_CLASS = 20  # images of the one batch: few, so that it costs little of an epoch


class LayerWatch:
    """Measures one fixed batch of training images; draws no random number."""

    def __init__(self, spec: Spec, split: DeviceSplit) -> None:
        self._training = spec.training
        self._images, self._labels = balanced_batch(split, PER_CLASS)

    def added(self, result: EpochResult, state: TrainingState) -> EpochResult:
        """Return `result` with the metrics of each layer, `layers/conv1/gradient_norm` and so on.

        The update ratio is that of one more step at the epoch's last learning rate.
        """
        net = expendable_copy(state.net)
        optimizer = build_optimizer(net.parameters(), self._training.optimizer)
        # a copy, because an optimizer changes in place the tensors that it is given
        optimizer.load_state_dict(deepcopy(state.optimizer.state_dict()))
        measured: dict[str, float] = {}
        for layer in measure_layers(net, optimizer, self._images, self._labels, self._training):
            values = {
                "gradient_norm": layer.gradient_norm,
                "activation_std": layer.activation_std,
                "update_ratio": layer.update_ratio,
                "saturated_share": layer.saturated,
                "dead_share": layer.dead,
            }
            measured |= {f"{LAYERS}{layer.name}/{key}": value for key, value in values.items()}
        return replace(result, metrics={**result.metrics, **measured})
