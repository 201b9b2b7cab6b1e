"""What an experiment is: schema, loader, identity. No torch, no MLflow."""

from lenetctl.specs.identity import flatten, sha256, to_yaml
from lenetctl.specs.layers import CLASSES, INPUT_SHAPE, Layer, plan_layers
from lenetctl.specs.load import load_spec
from lenetctl.specs.schema import Spec

__all__ = [
    "CLASSES",
    "INPUT_SHAPE",
    "Layer",
    "Spec",
    "flatten",
    "load_spec",
    "plan_layers",
    "sha256",
    "to_yaml",
]
