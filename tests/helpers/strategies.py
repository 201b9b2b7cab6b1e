"""Random valid specs, for whatever is promised of every spec."""

import os
from typing import get_args

from hypothesis import strategies as st

from lenetctl.specs import INPUT_SHAPE, Spec, plan_layers
from lenetctl.specs.data import Affine, DataSpec, Erase, Flip, Shift
from lenetctl.specs.model import Activation, Conv, ModelSpec, Norm, Pool
from lenetctl.specs.training import (
    Adam,
    AdamW,
    ByEpoch,
    Constant,
    Cosine,
    EarlyStopping,
    OneCycle,
    Sdlm,
    Sgd,
    StepDecay,
    TrainingSpec,
)

# how many random cases a property is tried with: LENETCTL_FUZZ=10000 before a release
FUZZ = int(os.environ.get("LENETCTL_FUZZ", "100"))

ACTIVATIONS = st.sampled_from(get_args(Activation))
NORMS = st.sampled_from(get_args(Norm))
INPUT_SIDES = st.none() | st.integers(8, 40)


def words(section, key):
    """Any of the words that `key` of `section` may be."""
    return st.sampled_from(get_args(section.model_fields[key].annotation))


def between(low, high, **bounds):
    return st.floats(low, high, **bounds).map(lambda x: x + 0.0)  # YAML's -0.0 is 0.0


FRACTIONS = between(0, 1, exclude_max=True)
ABOVE_ZERO = between(0, 1e300, exclude_min=True)
FROM_ZERO = between(0, 1e300)
WARMUPS = between(0, 100_000)

NAMES = st.from_regex(r"[a-zA-Z0-9_é実][a-zA-Z0-9_é実.+=-]{0,30}", fullmatch=True) | (
    st.sampled_from(["1e-3", "1e5", "010", "08", "0x10", "1_0", "null", "true", "on", "1.5", "x="])
)


@st.composite
def models(draw, *, widest=64, input_sides=INPUT_SIDES):
    """A model whose layers all have an output; `widest` bounds channels and dense units."""
    pool = draw(pools(side=4))
    input_side = draw(input_sides)
    convs, side, channels = [], input_side or INPUT_SHAPE[1], INPUT_SHAPE[0]
    for _ in range(draw(st.integers(0, 4))):
        conv, side = draw(convolutions(side, pool, channels, widest))
        convs.append(conv)
        channels = conv.channels
    dense = tuple(draw(st.lists(st.integers(1, widest), max_size=3)))
    return ModelSpec(
        input_side=input_side,
        conv=tuple(convs),
        pool=pool,
        activation=draw(ACTIVATIONS),
        norm=draw(NORMS),
        dense=dense,
        output_codes=draw(st.none() | codes(dense[-1])) if dense else None,
        dropout=draw(FRACTIONS),
        init=draw(words(ModelSpec, "init")),
        bias_init=draw(words(ModelSpec, "bias_init")),
    )


@st.composite
def convolutions(draw, side, model_pool, inputs, widest):
    """A convolution that fits a map of `side` pixels, and the side of the map that it leaves."""
    padding = draw(st.integers(0, 3))
    kernel = draw(st.integers(1, side + 2 * padding))
    stride = draw(st.integers(1, 3))
    side = (side + 2 * padding - kernel) // stride + 1
    own_pool = draw(st.none() | pools(side))
    pool = own_pool or model_pool
    if pool.kind != "none" and pool.size > side + 2 * pool.padding:
        own_pool = pool = draw(pools(side))
    if pool.kind != "none":
        side = (side + 2 * pool.padding - pool.size) // pool.stride + 1
    channels = draw(st.integers(1, widest))
    reads = st.sets(st.integers(0, inputs - 1), min_size=1).map(lambda read: tuple(sorted(read)))
    conv = Conv(
        channels=channels,
        kernel=kernel,
        stride=stride,
        padding=padding,
        padding_value=draw(st.just(0.0) | between(-1, 1)),
        connections=draw(st.none() | st.tuples(*[reads] * channels)),
        bias=(has_bias := draw(st.booleans())),
        unit_bias=has_bias and draw(st.booleans()),
        pool=own_pool,
        activation=draw(st.none() | ACTIVATIONS),
        norm=draw(st.none() | NORMS),
    )
    return conv, side


def codes(units):
    """A code of `units` signs for each class, no two alike; None where there are too few signs."""
    if 2**units < 10:
        return st.none()
    code = st.text("#.", min_size=units, max_size=units)
    return st.lists(code, min_size=10, max_size=10, unique=True).map(tuple)


@st.composite
def pools(draw, side):
    """A pool that fits a map of `side` pixels."""
    padding = draw(st.integers(0, 2))
    size = draw(st.integers(max(1, 2 * padding), side + 2 * padding))
    stride = draw(st.integers(1, 4))
    return Pool(kind=draw(words(Pool, "kind")), size=size, stride=stride, padding=padding)


def augmentations():
    flip = st.builds(Flip, kind=st.just("flip"), p=between(0, 1))
    shift = st.builds(Shift, kind=st.just("shift"), pixels=st.integers(1, 27))
    affine = st.builds(
        Affine,
        kind=st.just("affine"),
        degrees=between(0, 180),
        translate=FRACTIONS,
        scale=FRACTIONS,
        shear=between(0, 90, exclude_max=True),
    )
    erase = st.builds(
        Erase, kind=st.just("erase"), p=between(0, 1), pixels=st.integers(1, INPUT_SHAPE[1])
    )
    return st.lists(flip | shift | affine | erase, max_size=4).map(tuple)


@st.composite
def data_sections(draw):
    dataset = draw(words(DataSpec, "dataset"))
    normalize = draw(words(DataSpec, "normalize"))
    ranges = st.none() | st.tuples(between(-9, 0), between(1, 9))
    folders = st.sampled_from(["photos", "my photos/shirts", "1e3", "été/-x", "null"])
    return DataSpec(
        dataset=dataset,
        folder=draw(folders) if dataset == "folder" else None,
        batch_size=draw(st.integers(1, 1_000_000)),
        validation=draw(st.integers(0, 10_000) | st.floats(0.001, 0.999)),
        normalize=normalize,
        pixel_range=draw(ranges) if normalize == "none" else None,
        augment=draw(augmentations()),
        limit=draw(st.none() | st.integers(1, 60_000)),
    )


def optimizers(*, is_normed):
    sgd = st.builds(
        Sgd,
        kind=st.just("sgd"),
        lr=ABOVE_ZERO,
        momentum=between(0.1, 0.99),
        nesterov=st.booleans(),
        weight_decay=FROM_ZERO,
    ) | st.builds(Sgd, kind=st.just("sgd"), lr=ABOVE_ZERO, weight_decay=FROM_ZERO)
    adams = {"lr": ABOVE_ZERO, "betas": st.tuples(FRACTIONS, FRACTIONS), "eps": ABOVE_ZERO}
    adam = st.builds(Adam, kind=st.just("adam"), weight_decay=FROM_ZERO, **adams)
    adamw = st.builds(AdamW, kind=st.just("adamw"), weight_decay=FROM_ZERO, **adams)
    sdlm = st.builds(
        Sdlm, kind=st.just("sdlm"), lr=ABOVE_ZERO, mu=ABOVE_ZERO, samples=st.integers(1, 10_000)
    )
    return sgd | adam | adamw if is_normed else sgd | adam | adamw | sdlm


def schedules(lr):
    constant = st.builds(Constant, kind=st.just("constant"), warmup=WARMUPS)
    step = st.builds(
        StepDecay,
        kind=st.just("step"),
        step_size=st.integers(1, 100),
        gamma=between(0, 1, exclude_min=True),
        warmup=WARMUPS,
    )
    cosine = st.builds(Cosine, kind=st.just("cosine"), eta_min=between(0, lr), warmup=WARMUPS)
    one_cycle = st.builds(
        OneCycle,
        kind=st.just("one_cycle"),
        pct_start=between(0, 1, exclude_min=True, exclude_max=True),
        div_factor=between(1, 1e9),
        final_div_factor=between(1, 1e9),
    )
    factors = st.lists(between(0, 1000, exclude_min=True), min_size=1, max_size=30).map(tuple)
    by_epoch = st.builds(ByEpoch, kind=st.just("by_epoch"), factors=factors)
    return constant | step | cosine | one_cycle | by_epoch


@st.composite
def training_sections(draw, model, *, may_stop_early):
    stopping = st.none()
    if may_stop_early:
        stopping |= st.builds(EarlyStopping, patience=st.integers(1, 50))
    is_normed = any(layer.kind == "norm" for layer in plan_layers(model))
    optimizer = draw(optimizers(is_normed=is_normed))
    losses = words(TrainingSpec, "loss") if model.output_codes else st.just("cross_entropy")
    loss = draw(losses)
    rubbish = (
        draw(st.none() | between(0, 100, exclude_min=True)) if loss == "cross_entropy" else None
    )
    return TrainingSpec(
        epochs=draw(st.integers(1, 100_000)),
        seed=draw(st.integers(0, 2**63 - 1)),
        optimizer=optimizer,
        schedule=draw(schedules(optimizer.lr)),
        devices=1 if is_normed else draw(st.integers(1, 8)),
        clip_norm=draw(st.none() | ABOVE_ZERO),
        loss=loss,
        rubbish=rubbish,
        label_smoothing=draw(FRACTIONS) if loss == "cross_entropy" and not rubbish else 0.0,
        ema=draw(st.none() | between(0, 1, exclude_min=True, exclude_max=True)),
        early_stopping=draw(stopping),
        precision=draw(words(TrainingSpec, "precision")),
        deterministic=draw(st.booleans()),
    )


@st.composite
def any_spec(draw, *, widest=64):
    """Any valid spec; `widest` bounds the channels and the dense units of its model."""
    data, model = draw(data_sections()), draw(models(widest=widest))
    return Spec(
        name=draw(NAMES),
        description=draw(st.text(max_size=200)),
        data=data,
        model=model,
        training=draw(training_sections(model, may_stop_early=data.validation > 0)),
    )
