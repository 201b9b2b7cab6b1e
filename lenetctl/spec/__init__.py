"""What an experiment is: schema, loader, identity. No torch, no MLflow."""

from lenetctl.spec.identity import flatten, sha256, to_yaml
from lenetctl.spec.layers import CLASSES, INPUT_SHAPE, Layer, plan
from lenetctl.spec.load import load
from lenetctl.spec.schema import Spec

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
