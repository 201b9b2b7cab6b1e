"""How one step of a fleet is run: operation by operation, or as one CUDA graph."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from torch import Tensor

from lenetctl.training.cuda_graph import GraphedFunction
from lenetctl.training.fleet.dropout import FleetDropout
from lenetctl.training.fleet.state import FleetState

# from images, labels, coefficients and dropout, as `FleetState.step` takes them, to mean losses and
# numbers of right answers, (M,) each
FleetStep = Callable[[Tensor, Tensor, Tensor, FleetDropout], tuple[Tensor, ...]]


def fleet_step(fleet: FleetState) -> FleetStep:
    """Return the step of `fleet`, on CUDA as a graph unless there is dropout.

    Dropout exchanges the generator's state from model to model, which a graph cannot do.
    """
    on_cuda = fleet.weights.parameters.is_cuda
    return graphed_step(fleet) if on_cuda and not fleet.net.has_dropout else fleet.step


def graphed_step(fleet: FleetState) -> FleetStep:
    """Return the step of a fleet without dropout as one CUDA graph."""
    graphed = GraphedFunction(partial(fleet.step, dropout=lambda features: features))
    return lambda images, labels, coefficients, _: graphed(images, labels, coefficients)
