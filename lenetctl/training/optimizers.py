"""From a spec to torch's optimizer."""

from collections.abc import Iterable
from typing import Any

import torch
from torch import nn

from lenetctl.specs.schema import Optimizer


def _without_compiler(kind: type[torch.optim.Optimizer]) -> type[torch.optim.Optimizer]:
    """Return one of torch's optimizers whose methods do not import torch's compiler.

    A decorator on each of these methods imports it, which takes a second, only to keep it away.
    """
    names = ("add_param_group", "load_state_dict", "state_dict", "step", "zero_grad")
    undecorated = {name: getattr(getattr(kind, name), "__wrapped__", None) for name in names}
    methods = {name: method for name, method in undecorated.items() if method}
    if "step" in methods:
        methods["step"] = torch.no_grad()(methods["step"])
    return type(kind.__name__, (kind,), methods)


OPTIMIZERS: dict[str, type[torch.optim.Optimizer]] = {
    "sgd": _without_compiler(torch.optim.SGD),
    "adam": _without_compiler(torch.optim.Adam),
    "adamw": _without_compiler(torch.optim.AdamW),
}


def build_optimizer(parameters: Iterable[nn.Parameter], config: Optimizer) -> torch.optim.Optimizer:
    """Return torch's optimizer of the config's kind, with the config's values."""
    options: dict[str, Any] = config.model_dump(exclude={"kind"})
    return OPTIMIZERS[config.kind](parameters, **options)
