"""What an experiment is: schema, loader, identity. No torch, no MLflow."""

from lenetctl.specs.identity import flatten, sha256, to_yaml
from lenetctl.specs.layers import CLASSES, INPUT_SHAPE, Layer, plan
from lenetctl.specs.load import load
from lenetctl.specs.schema import Spec

__all__ = [
    "CLASSES",
    "INPUT_SHAPE",
    "Layer",
    "Spec",
    "flatten",
    "load",
    "plan",
    "sha256",
    "to_yaml",
]
