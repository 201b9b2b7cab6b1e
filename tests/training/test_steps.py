import pytest
import torch

from lenetctl.training.state import initial_state
from lenetctl.training.steps import compiled, eager


@pytest.fixture
def batch():
    generator = torch.Generator().manual_seed(1)
    images = torch.rand(16, 1, 28, 28, generator=generator)
    return images, torch.randint(0, 10, (16,), generator=generator)


def begin(spec):
    state = initial_state(spec, torch.device("cpu"))
    return state.net, eager(state.net, state.optimizer, spec)


@pytest.mark.parametrize("smoothing", [0.0, 0.1, 0.9])
def test_the_loss_is_cross_entropy_with_smoothed_labels(tiny, batch, smoothing):
    net, step = begin(tiny(label_smoothing=smoothing))
    images, labels = batch
    logs = net(images).log_softmax(1).detach()
    # Szegedy et al., 2016: ε of the weight is spread over all classes alike
    truth = torch.eye(10)[labels] * (1 - smoothing) + smoothing / 10
    loss, _ = step(images, labels)
    torch.testing.assert_close(loss, -(truth * logs).sum(1).mean())
    with_torch = torch.nn.CrossEntropyLoss(label_smoothing=smoothing)
    torch.testing.assert_close(loss, with_torch(logs, labels))


@pytest.mark.parametrize("engine", [eager, compiled])
def test_gradients_are_clipped_to_a_norm_of_all_together(tiny, batch, engine):
    # a step of plain gradient descent with learning rate 1 is the gradient
    def moved(**options):
        spec = tiny(optimizer={"lr": 1.0}, **options)
        state = initial_state(spec, torch.device("cpu"))
        before = [p.detach().clone() for p in state.net.parameters()]
        engine(state.net, state.optimizer, spec)(*batch)
        pairs = zip(before, state.net.parameters(), strict=True)
        return torch.cat([(old - new.detach()).flatten() for old, new in pairs])

    free = moved()
    half = free.norm().item() / 2
    torch.testing.assert_close(moved(clip_norm=half), free / 2, rtol=1e-3, atol=1e-6)
    torch.testing.assert_close(moved(clip_norm=4 * half), free)


@pytest.mark.parametrize("engine", [eager, compiled])
@pytest.mark.parametrize(
    ("count", "shares"),
    [(16, [4, 4, 4, 4]), (10, [3, 3, 3, 1]), (5, [2, 2, 1]), (3, [1] * 3)],
)
def test_four_devices_take_the_sum_of_four_gradients(tiny, batch, engine, count, shares):
    images, labels = (values[:count] for values in batch)
    spec = tiny(optimizer={"lr": 0.25}, devices=4)
    state = initial_state(spec, torch.device("cpu"))
    before = [p.detach().clone() for p in state.net.parameters()]
    gradients = [torch.zeros_like(p) for p in before]
    for ours, theirs in zip(images.split(shares), labels.split(shares), strict=True):
        loss = torch.nn.functional.cross_entropy(state.net(ours), theirs)  # on a device of its own
        torch._foreach_add_(gradients, torch.autograd.grad(loss, list(state.net.parameters())))
    mean = torch.nn.functional.cross_entropy(state.net(images), labels)
    loss, _ = engine(state.net, state.optimizer, spec)(images, labels)
    torch.testing.assert_close(loss, mean.detach())
    for old, gradient, new in zip(before, gradients, state.net.parameters(), strict=True):
        torch.testing.assert_close(new.detach(), old - 0.25 * gradient)


def test_right_answers_are_those_before_the_step(tiny, batch):
    net, step = begin(tiny())
    images, labels = batch
    right = (net(images).argmax(1) == labels).sum()
    assert torch.equal(step(images, labels)[1], right)


def test_gradients_do_not_add_up_over_steps(tiny, batch):
    spec = tiny(optimizer={"lr": 1e-30})
    net, step = begin(spec)
    step(*batch)
    first = net.conv1.weight.grad.clone()
    step(*batch)
    assert torch.equal(net.conv1.weight.grad, first)


def test_nothing_returned_keeps_the_graph_alive(tiny, batch):
    _, step = begin(tiny())
    assert [value.requires_grad for value in step(*batch)] == [False, False]


def test_bf16_computes_in_bf16_and_keeps_weights_in_fp32(tiny, batch):
    seen = []
    net, step = begin(tiny(precision="bf16"))
    net.output.register_forward_hook(lambda *args: seen.append(args[-1].dtype))
    before = net.output.weight.clone()
    loss, _ = step(*batch)
    assert seen == [torch.bfloat16]
    assert {p.dtype for p in net.parameters()} == {loss.dtype} == {torch.float32}
    assert not torch.equal(net.output.weight, before)
    _, exact = begin(tiny())
    torch.testing.assert_close(loss, exact(*batch)[0], rtol=0.02, atol=0)


def test_it_learns(tiny, batch):
    _, step = begin(tiny(optimizer={"kind": "adam", "lr": 0.01}))
    losses = [step(*batch)[0].item() for _ in range(150)]
    assert losses[-1] < 0.3 * losses[0]
