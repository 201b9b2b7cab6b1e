"""Why a net learns or does not: its learning rates, and its layers over the epochs."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, NullFormatter, StrMethodFormatter
from numpy.typing import NDArray

from lenetctl.figures.style import (
    BLUE,
    GREEN,
    MUTED,
    ORANGE,
    SMALL,
    VERMILLION,
    headline,
    new_figure,
    place,
    styled,
    text_width,
)

_PLAIN = StrMethodFormatter("{x:g}")  # mathematics is not parsed in this style


@styled()
def learning_rates(
    tested: tuple[Sequence[float], Sequence[float]],
    marks: Mapping[str, float],
    schedule: tuple[Sequence[float], Sequence[float]],
    title: str = "",
) -> Figure:
    """Return the losses of a range test over its rates, beside a spec's rates over its epochs.

    Args:
        tested: rates, and as many smoothed losses in nats.
        marks: rates to be marked on the range test, by what they are.
        schedule: epochs, from 0, and the learning rate at each.
        title: stands above the picture.

    """
    figure = new_figure(7.4, 3.1)
    axes = place(figure, 0.6, 0.45, 3.9, 2.0)
    rates, losses = tested
    axes.plot(rates, losses, color=BLUE)
    looks = ((GREEN, "--"), (ORANGE, "-."), (VERMILLION, ":"), (MUTED, "-"))
    lines = [
        axes.axvline(rate, color=colour, ls=dash, label=f"{name} {rate:.2g}")
        for (name, rate), (colour, dash) in zip(marks.items(), looks, strict=False)
    ]
    axes.set(xscale="log", xlabel="learning rate", ylabel="loss (nats)")
    axes.xaxis.set_major_formatter(_PLAIN)
    axes.legend(
        handles=lines, loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=4, fontsize=SMALL,
        handlelength=1.6, columnspacing=0.9, handletextpad=0.4,
    )  # fmt: skip
    beside = place(figure, 5.2, 0.45, 2.0, 2.0)
    beside.plot(*schedule, color=BLUE)
    beside.set(xlabel="epoch", ylabel="learning rate")
    beside.set_ylim(bottom=0)
    headline(figure, title)
    return figure


@styled()
def layers_over_epochs(
    tables: Mapping[str, NDArray[np.float64]], layers: Sequence[str], title: str = ""
) -> Figure:
    """Return a panel for each statistic: a row a layer, a column an epoch.

    Args:
        tables: by the statistic's name, (layers, epochs); shares are from 0 to 1, all else is
            drawn by its logarithm.
        layers: names of the rows, the first on top.
        title: stands above the picture.

    """
    left = 0.3 + max(map(text_width, layers))
    panel, gap, high = 1.9, left + 0.75, max(0.9, 0.2 * len(layers))
    columns = 2
    rows = -(-len(tables) // columns)
    width, height = columns * (panel + gap) + 0.1, rows * (high + 0.75) + 0.3
    figure = new_figure(width, height)
    for number, (name, values) in enumerate(tables.items()):
        row, column = divmod(number, columns)
        bottom = height - 0.3 - (row + 1) * (high + 0.75) + 0.5
        axes = place(figure, left + column * (panel + gap), bottom, panel, high)
        is_share = name.endswith("share")
        positive = values[np.isfinite(values) & (values > 0)]
        norm = None if is_share or not positive.size else LogNorm(positive.min(), positive.max())
        limits = {"vmin": 0, "vmax": 1} if norm is None else {"norm": norm}
        end = values.shape[1] + 0.5
        image = axes.imshow(
            values, aspect="auto", cmap="viridis", extent=(0.5, end, len(layers) - 0.5, -0.5),
            interpolation="nearest", **limits,
        )  # fmt: skip
        axes.grid(visible=False)
        axes.set_yticks(range(len(layers)), list(layers))
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=5, min_n_ticks=1))
        axes.set_title(name, size=SMALL)
        bar = place(figure, left + column * (panel + gap) + panel + 0.07, bottom, 0.08, high)
        figure.colorbar(image, cax=bar, format=_PLAIN)
        bar.yaxis.set_minor_formatter(NullFormatter())
        bar.tick_params(labelsize=SMALL)
    headline(figure, title)
    return figure
