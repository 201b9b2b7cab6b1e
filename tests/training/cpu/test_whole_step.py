import pytest
import torch
from helpers.equality import assert_equal
from helpers.strategies import FUZZ, models
from hypothesis import given, settings
from hypothesis import strategies as st

from lenetctl.specs.schema import Spec
from lenetctl.training.cpu.compiler import compiled_library
from lenetctl.training.cpu.program import SUPPORT, is_whole
from lenetctl.training.state import initial_state
from lenetctl.training.steps import compiled, compiled_logits, eager

CPU = torch.device("cpu")
LANES = compiled_library().lanes()
ACTIVATIONS = st.sampled_from([*sorted(SUPPORT["activation"]), "none"])
PLAIN = {"padding_value": 0.0, "connections": None, "unit_bias": False, "norm": None}
SGD = [
    {"lr": 0.1},
    {"lr": 0.02, "weight_decay": 0.1},
    {"lr": 0.02, "momentum": 0.9},
    {"lr": 0.02, "momentum": 0.9, "weight_decay": 0.1, "nesterov": True},
]


def plain(pool):
    return pool and pool.model_copy(update={"kind": pool.kind.replace("subsample", "avg")})


@st.composite
def plain_specs(draw):
    """Specs whose whole step is compiled; their nets are of every other shape."""
    drawn = draw(models(widest=9, input_sides=st.none()).filter(lambda model: model.conv))
    convs = tuple(
        conv.model_copy(
            update={**PLAIN, "pool": plain(conv.pool), "activation": draw(st.none() | ACTIVATIONS)}
        )
        for conv in drawn.conv
    )
    others = {"norm": "none", "output_codes": None, "dropout": 0.0, "bias_init": "torch"}
    model = drawn.model_copy(
        update={**others, "conv": convs, "pool": plain(drawn.pool), "activation": draw(ACTIVATIONS)}
    )
    optimizer = draw(st.sampled_from(SGD))
    training = {"optimizer": optimizer, "label_smoothing": draw(st.sampled_from([0.0, 0.2]))}
    return Spec.model_validate({"name": "plain", "model": model.model_dump(), "training": training})


def batch(count, seed=0):
    generator = torch.Generator().manual_seed(seed)
    images = torch.rand(count, 1, 28, 28, generator=generator)
    return images, torch.randint(0, 10, (count,), generator=generator)


def trained(engine, spec, batches, dtype=torch.float32):
    """Return losses and right answers of a step with each batch, the last gradients, the state."""
    state = initial_state(spec, CPU)
    state.net.to(dtype)
    step = engine(state.net, state.optimizer, spec)
    outcomes = [step(images.to(dtype), labels) for images, labels in batches]
    gradients = {name: p.grad.clone() for name, p in state.net.named_parameters()}
    return outcomes, gradients, state.tensors()


def assert_close(found, exact):
    """As float32 is to float64, measured by the largest number of a tensor."""
    assert found.keys() == exact.keys()
    for name, value in exact.items():
        size = value.abs().max().item()
        close = {"rtol": 0, "atol": 1e-4 * size + 1e-7}
        torch.testing.assert_close(found[name].double(), value.double(), **close)


@settings(max_examples=2 * FUZZ, deadline=None)
@given(plain_specs(), st.integers(1, 3 * LANES))
def test_steps_are_those_of_torch_in_float64(spec, count):
    assert is_whole(spec)
    try:
        steps_are_close(spec, count, 0)
    except AssertionError:  # two pixels that tie for a maximum, or one at ReLU's kink: not twice
        steps_are_close(spec, count, 3)


def steps_are_close(spec, count, seed):
    batches = [batch(count, seed), batch(LANES, seed + 1), batch(count, seed + 2)]
    outcomes, gradients, tensors = trained(compiled, spec, batches)
    expected, exact, others = trained(eager, spec, batches, torch.float64)
    for (loss, right), (exact_loss, exact_right) in zip(outcomes, expected, strict=True):
        torch.testing.assert_close(loss.double(), exact_loss, rtol=1e-4, atol=1e-5)
        assert right == exact_right
    assert_close(gradients, exact)
    assert_close(tensors, others)


@settings(max_examples=FUZZ, deadline=None)
@given(plain_specs(), st.integers(1, 2 * LANES), st.integers(1, 3))
def test_logits_are_those_of_torch_whatever_stands_beside_an_image(spec, count, threads):
    net = initial_state(spec, CPU).net
    forward = compiled_logits(net, spec)
    images, _ = batch(count)
    with torch.inference_mode():
        logits = forward(images)
        torch.set_num_threads(threads)
        assert torch.equal(forward(images[count // 2 :]), logits[count // 2 :])
        assert_close({"logits": logits}, {"logits": net.double()(images.double())})


OTHERS = [
    {"optimizer": {"kind": "adam"}},
    {"optimizer": {"kind": "adamw", "weight_decay": 0.1}},
    {"clip_norm": 0.01},
]


@pytest.mark.parametrize("training", OTHERS, ids=str)
def test_what_else_moves_the_weights_finds_the_gradients(training):
    spec = Spec.model_validate({"name": "a", "training": training})
    assert is_whole(spec)
    batches = [batch(40, seed) for seed in range(3)]
    found, exact = trained(compiled, spec, batches), trained(eager, spec, batches, torch.float64)
    assert_close(found[1], exact[1])
    assert_close(found[2], exact[2])


@pytest.mark.parametrize("optimizer", SGD, ids=str)
def test_the_bits_do_not_depend_on_threads(optimizer):
    spec = Spec.model_validate({"name": "a", "training": {"optimizer": optimizer}})
    found = []
    for threads in (1, 2, 5):
        torch.set_num_threads(threads)
        outcomes, _, tensors = trained(compiled, spec, [batch(4 * LANES + 3), batch(7)])
        found.append(tensors | {str(i): loss for i, (loss, _) in enumerate(outcomes)})
    assert_equal(found[1], found[0])
    assert_equal(found[2], found[0])


def test_weights_and_momentum_are_found_wherever_they_are():
    spec = Spec.model_validate({"name": "a", "training": {"optimizer": SGD[-1]}})
    state, moved = initial_state(spec, CPU), initial_state(spec, CPU)
    step = compiled(state.net, state.optimizer, spec)
    step(*batch(20))
    moved.restore({name: value.clone() for name, value in state.tensors().items()})
    go_on = compiled(moved.net, moved.optimizer, spec)
    step(*batch(50))
    go_on(*batch(50))
    assert_equal(moved.tensors(), state.tensors())
    for parameter in moved.net.parameters():
        parameter.data = parameter.data.clone()
        parameter.grad = None
    step(*batch(50))
    go_on(*batch(50))
    assert_equal(moved.tensors(), state.tensors())


def test_what_a_step_returns_stays_as_it_is():
    spec = Spec(name="a")
    state = initial_state(spec, CPU)
    step = compiled(state.net, state.optimizer, spec)
    first = step(*batch(20))
    before = [value.clone() for value in first]
    step(*batch(20))
    assert all(torch.equal(one, other) for one, other in zip(first, before, strict=True))


@pytest.mark.parametrize("pool", ["avg", "max"])
@pytest.mark.parametrize("activation", [*sorted(SUPPORT["activation"]), "none"])
def test_what_is_not_a_number_stays_visible(activation, pool):
    model = {"activation": activation, "pool": {"kind": pool}}
    spec = Spec.model_validate({"name": "a", "model": model})
    state = initial_state(spec, CPU)
    with torch.no_grad():
        state.net.conv1.weight[0, 0, 0, 0] = torch.nan
    loss, _ = compiled(state.net, state.optimizer, spec)(*batch(20))
    assert loss.isnan()


@pytest.mark.parametrize("activation", [*sorted(SUPPORT["activation"]), "none"])
def test_extreme_numbers_and_ties_are_as_in_torch(activation):
    spec = Spec.model_validate(
        {"name": "a", "model": {"activation": activation, "pool": {"kind": "max"}}}
    )
    images, labels = batch(LANES + 5)
    images[0], images[1], images[2] = 0, 1e4, -1e4  # whole windows of equal numbers
    found = trained(compiled, spec, [(images, labels)])
    exact = trained(eager, spec, [(images, labels)], torch.float64)
    torch.testing.assert_close(found[0][0][0].double(), exact[0][0][0], rtol=1e-4, atol=1e-5)
    assert_close(found[1], exact[1])


@pytest.mark.parametrize(
    "unlike",
    [
        {"model": {"norm": "batch"}},
        {"model": {"dropout": 0.1}},
        {"model": {"activation": "gelu"}},
        {"training": {"devices": 2}},
        {"training": {"rubbish": 1.0}},
    ],
    ids=str,
)
def test_layers_that_a_program_lacks_stay_with_torch(unlike):
    spec = Spec.model_validate({"name": "a", **unlike})
    assert not is_whole(spec)
    _, gradients, _ = trained(compiled, spec, [batch(2 * LANES)])
    assert all(gradient.isfinite().all() for gradient in gradients.values())
