"""What an experiment is: schema, loader, identity. No torch, no MLflow."""

from lenetctl.specs.identity import flatten, sha256, to_yaml
from lenetctl.specs.layers import CLASSES, INPUT_SHAPE, Layer, net_size, plan_layers
from lenetctl.specs.load import load_spec, load_with_origins, values_with_origins
from lenetctl.specs.schema import Spec

__all__ = [
    "CLASSES",
    "INPUT_SHAPE",
    "Layer",
    "Spec",
    "flatten",
    "load_spec",
    "load_with_origins",
    "net_size",
    "plan_layers",
    "sha256",
    "to_yaml",
    "values_with_origins",
]
