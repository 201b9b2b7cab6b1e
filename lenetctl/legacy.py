"""Names by which the models that version 0.1.0 logged import lenetctl. Nothing else uses them.

MLflow keeps a model's code beside its weights, so that code is not changed by a later version:

    from lenetctl import spec
    from lenetctl.engine.state import load_weights
    from lenetctl.model.build import build
"""

import sys
from types import ModuleType

from lenetctl.model import build as build_module
from lenetctl.specs.load import load_spec
from lenetctl.training.state import copy_weights


def spec_module() -> ModuleType:
    """Return what `from lenetctl import spec` gave, and make the other two names importable."""
    spec, engine, state = (
        ModuleType(f"lenetctl.{name}") for name in ("spec", "engine", "engine.state")
    )
    vars(spec)["load"] = load_spec
    vars(state)["load_weights"] = copy_weights
    vars(build_module)["build"] = build_module.build_model
    sys.modules.update({module.__name__: module for module in (engine, state)})
    return spec
