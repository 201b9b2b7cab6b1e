"""From a spec to an optimizer, torch's or our own."""

from collections.abc import Iterable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from lenetctl.specs.schema import Optimizer


class Sdlm(torch.optim.Optimizer):
    """Stochastic diagonal Levenberg-Marquardt: each weight's step is lr / (mu + its curvature).

    LeCun et al. (1998), appendix C. The curvatures are set from outside, before the first step.
    """

    def __init__(
        self, parameters: Iterable[nn.Parameter], lr: float, mu: float, samples: int
    ) -> None:
        """Take torch's arguments; `samples` is how many images the curvature is measured on."""
        super().__init__(parameters, {"lr": lr, "mu": mu, "samples": samples})

    def set_curvatures(self, values: Sequence[Tensor]) -> None:
        """Take one tensor for each parameter, of its shape and in its order."""
        (group,) = self.param_groups
        for parameter, value in zip(group["params"], values, strict=True):
            self.state[parameter]["scale"] = (value + group["mu"]).reciprocal()

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # type: ignore[override]  # noqa: ARG002
        """Take a step against the gradient."""
        (group,) = self.param_groups
        scales = [self.state[parameter]["scale"] for parameter in group["params"]]
        gradients = [parameter.grad for parameter in group["params"]]
        torch._foreach_addcmul_(group["params"], gradients, scales, value=-group["lr"])


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
    "sdlm": _without_compiler(Sdlm),
}


def build_optimizer(parameters: Iterable[nn.Parameter], config: Optimizer) -> torch.optim.Optimizer:
    """Return the optimizer of the config's kind, with the config's values."""
    options: dict[str, Any] = config.model_dump(exclude={"kind"})
    return OPTIMIZERS[config.kind](parameters, **options)
