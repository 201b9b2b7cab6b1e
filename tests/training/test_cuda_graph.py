"""A step captured once: the CPU stands in for CUDA where only the order of things matters."""

import pytest
import torch
from helpers.equality import measured

from lenetctl.data.device import DeviceDataset
from lenetctl.training import cuda_graph
from lenetctl.training.cuda_graph import WARM_UP, CapturedGraph, GraphedFunction, graph_refusal
from lenetctl.training.device import numerics
from lenetctl.training.engines import ENGINES
from lenetctl.training.fleet.loop import train_fleet
from lenetctl.training.fleet.steps import fleet_step, graphed_step
from lenetctl.training.loop import train
from lenetctl.training.state import initial_state

DRAWN = {"data": {"augment": [{"kind": "flip"}, {"kind": "shift"}]}}
SPECS = {
    "sgd": {"optimizer": {"lr": 0.1}},
    "momentum": {"optimizer": {"lr": 0.1, "momentum": 0.9, "nesterov": True}},
    "adam": {"optimizer": {"kind": "adam", "lr": 0.01}},
    "adamw": {"optimizer": {"kind": "adamw", "lr": 0.01, "weight_decay": 0.1}},
    "schedule": {"schedule": {"kind": "cosine", "warmup": 0.5}},
    "clipping": {"clip_norm": 0.1},
    "the rest": {"ema": 0.9, "label_smoothing": 0.1, "model": {"norm": "batch"}, **DRAWN},
}
each = pytest.mark.parametrize("training", SPECS.values(), ids=SPECS)


@pytest.fixture
def on_cpu(monkeypatch):
    """Let a graph remember the function in place of its kernels; return what was captured."""
    captured = []

    def capture(function, inputs):
        own = tuple(value.clone() for value in inputs)

        def replay():
            for out, value in zip(function.outputs, function(*own), strict=True):
                out.copy_(value)

        captured.append([tuple(value.shape) for value in inputs])
        return CapturedGraph(own, replay, function.outputs)

    monkeypatch.setattr(cuda_graph, "capture", capture)
    monkeypatch.setattr(cuda_graph, "warmed_up", lambda function, inputs: function(*inputs))
    return captured


def as_captured(function, *outputs):
    """Give a function places for its outputs, as a capture has them without running it."""

    def run(*inputs):
        return function(*inputs)

    run.outputs = [torch.empty_like(output) for output in outputs]
    return run


def test_it_is_captured_once_for_each_set_of_shapes(on_cpu):
    calls = []

    def double(x):
        calls.append(len(x))
        return (2 * x.sum(),)

    graphed = GraphedFunction(as_captured(double, torch.zeros(())))
    for size in (4, 3) * (WARM_UP + 2):
        (doubled,) = graphed(torch.full((size,), 1.5))
        assert doubled == 3 * size
    assert on_cpu == [[(4,)], [(3,)]]
    assert calls == [4, 3] * (WARM_UP + 2)


def trained(tiny, dataset, engine, training, device="cpu", **more):
    spec = tiny(epochs=WARM_UP + 2, **training, **more)
    where = torch.device(device)
    with numerics(spec.training):
        state = initial_state(spec, where)
        step = ENGINES[engine].build_step(state.net, state.optimizer, spec)
        results = list(train(state, step, DeviceDataset.of(dataset, spec.data, where), spec))
    return state, results


def close(one, other, **tolerance):
    a, b = (state.tensors() for state, _ in (one, other))
    assert a.keys() == b.keys()
    for name, value in a.items():
        torch.testing.assert_close(b[name].cpu(), value.cpu(), **tolerance)
    for left, right in zip(measured(one[1]), measured(other[1]), strict=True):
        assert right == pytest.approx(left, rel=tolerance["rtol"], abs=tolerance["atol"])


@each
def test_training_is_that_of_the_eager_engine(tiny, dataset, on_cpu, monkeypatch, training):
    assert graph_refusal(tiny(**training), torch.device("cuda")) == ""
    scalars = torch.zeros(()), torch.zeros((), dtype=torch.int64)
    monkeypatch.setattr(
        "lenetctl.training.steps.GraphedFunction",
        lambda step: GraphedFunction(as_captured(step, *scalars)),
    )
    eager, graphed = (trained(tiny, dataset, name, training) for name in ("eager", "graph"))
    close(eager, graphed, rtol=1e-4, atol=1e-6)
    assert [shapes[0][0] for shapes in on_cpu] == [16, 12]  # the last batch has a graph of its own


def test_a_fleet_is_captured_anew_when_a_model_leaves(tiny, dataset, on_cpu, monkeypatch):
    made = []

    def graphed(step):
        models = step.func.__self__.weights.parameters.shape[0]
        made.append(models)
        shapes = torch.zeros(models), torch.zeros(models, dtype=torch.int64)
        return GraphedFunction(as_captured(step, *shapes))

    monkeypatch.setattr("lenetctl.training.fleet.steps.GraphedFunction", graphed)
    specs = [tiny(seed=seed, epochs=WARM_UP + 2 + seed) for seed in range(2)]
    cpu = torch.device("cpu")

    def trained_with(build_step):
        states = [initial_state(spec, cpu) for spec in specs]
        models = dict(enumerate(zip(states, specs, strict=True)))
        list(train_fleet(models, DeviceDataset.of(dataset, specs[0].data, cpu), build_step))
        return states

    graphs = trained_with(graphed_step)
    assert made == [2, 1]
    for one, other in zip(graphs, trained_with(fleet_step), strict=True):
        for name, value in one.tensors().items():
            assert torch.equal(other.tensors()[name], value)


@pytest.mark.gpu
@each
def test_on_cuda_training_is_that_of_the_eager_engine(tiny, dataset, training):
    eager, graphed = (trained(tiny, dataset, name, training, "cuda") for name in ("eager", "graph"))
    close(eager, graphed, rtol=1e-3, atol=1e-4)


@pytest.mark.gpu
@pytest.mark.parametrize("precision", ["fp32", "tf32", "bf16"])
def test_on_cuda_it_gives_the_same_bits_twice(tiny, dataset, precision):
    training = SPECS["the rest"] | {"model": {"norm": "batch", "dropout": 0.3}}
    one, other = (
        trained(tiny, dataset, "graph", training, "cuda", precision=precision) for _ in "ab"
    )
    close(one, other, rtol=0, atol=0)
