import subprocess
import sys

import pytest
import torch

from lenetctl.specs.schema import TrainingSpec
from lenetctl.training.optimizers import build_optimizer


@pytest.mark.parametrize(
    ("section", "kind", "values"),
    [
        ({"lr": 0.5}, torch.optim.SGD, {"lr": 0.5, "momentum": 0, "weight_decay": 0}),
        (
            {"kind": "sgd", "momentum": 0.9, "nesterov": True, "weight_decay": 1e-4},
            torch.optim.SGD,
            {"lr": 0.9, "momentum": 0.9, "nesterov": True, "weight_decay": 1e-4},
        ),
        (
            {"kind": "adam", "betas": [0.8, 0.9], "eps": 1e-6},
            torch.optim.Adam,
            {"lr": 1e-3, "betas": (0.8, 0.9), "eps": 1e-6, "weight_decay": 0},
        ),
        (
            {"kind": "adamw", "weight_decay": 0.1},
            torch.optim.AdamW,
            {"lr": 1e-3, "betas": (0.9, 0.999), "eps": 1e-8, "weight_decay": 0.1},
        ),
    ],
)
def test_the_optimizer_is_torchs_with_the_specs_values(section, kind, values):
    config = TrainingSpec.model_validate({"optimizer": section}).optimizer
    made = build_optimizer([torch.nn.Parameter(torch.zeros(1))], config)
    assert isinstance(made, kind)
    assert {key: made.param_groups[0][key] for key in values} == values


@pytest.mark.parametrize(
    ("section", "kind"),
    [
        ({"lr": 0.1, "momentum": 0.9, "nesterov": True}, torch.optim.SGD),
        ({"kind": "adam", "lr": 0.1, "weight_decay": 0.1}, torch.optim.Adam),
        ({"kind": "adamw", "lr": 0.1, "weight_decay": 0.1}, torch.optim.AdamW),
    ],
)
def test_its_steps_and_its_state_are_torchs_bit_for_bit(section, kind):
    config = TrainingSpec.model_validate({"optimizer": section}).optimizer
    options = config.model_dump(exclude={"kind"})

    def trained(make):
        parameter = torch.nn.Parameter(torch.arange(8.0))
        made = make([parameter])
        for step in range(6):
            if step == 3:  # as a resumed run
                state, made = made.state_dict(), make([parameter])
                made.load_state_dict(state)
            made.zero_grad()
            (parameter**2).sum().backward()
            made.step()
        return parameter, made.state_dict()["state"][0]

    parameter, state = trained(lambda parameters: build_optimizer(parameters, config))
    expected, slots = trained(lambda parameters: kind(parameters, **options))
    assert torch.equal(parameter, expected)
    assert state.keys() == slots.keys()
    assert all(torch.equal(torch.as_tensor(state[n]), torch.as_tensor(slots[n])) for n in slots)


@pytest.mark.parametrize("kind", ["sgd", "adam", "adamw", "sdlm"])
def test_it_does_not_import_torchs_compiler(kind):
    code = f"""
import sys, torch
from lenetctl.training.optimizers import build_optimizer
from lenetctl.specs.schema import TrainingSpec

config = TrainingSpec.model_validate({{"optimizer": {{"kind": "{kind}", "lr": 0.1}}}}).optimizer
parameter = torch.nn.Parameter(torch.ones(1))
made = build_optimizer([parameter], config)
made.zero_grad()
parameter.sum().backward()
if "{kind}" == "sdlm":
    made.set_curvatures([torch.ones(1)])
made.step()
made.load_state_dict(made.state_dict())
assert "torch._dynamo" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_sdlm_divides_the_rate_by_the_curvature_and_mu():
    weights = [torch.nn.Parameter(torch.tensor(values)) for values in ([1.0, 2.0], [3.0])]
    config = TrainingSpec.model_validate({"optimizer": {"kind": "sdlm", "lr": 0.1, "mu": 0.5}})
    made = build_optimizer(weights, config.optimizer)
    made.set_curvatures([torch.tensor([0.0, 1.5]), torch.tensor([4.5])])
    for weight in weights:
        weight.grad = torch.ones_like(weight)
    made.step()
    moved = [1 - 0.1 / 0.5, 2 - 0.1 / 2, 3 - 0.1 / 5]
    torch.testing.assert_close(torch.cat([w.detach() for w in weights]), torch.tensor(moved))
