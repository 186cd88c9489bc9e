"""The picture of growth: time against batch, width and depth."""

from collections.abc import Mapping
from statistics import median

from .rows import GROWTH
from .runner import Measured


def draw(measured: Mapping[str, Measured], path: str) -> None:
    """Draw the measured rows of growth, on doubly logarithmic axes, into a file."""
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(1, len(GROWTH), figsize=(12, 4), sharey=True, layout="constrained")
    for axis, (size, nets) in zip(axes, GROWTH.items(), strict=True):
        for name in measured[f"{size} {min(nets)}"].rounds:
            times = {n: measured[f"{size} {n}"].rounds.get(name) for n in nets}
            known = {n: median(values) * 1e3 for n, values in times.items() if values}
            axis.loglog(list(known), list(known.values()), marker="o", label=name)
        axis.set_xticks(list(nets), list(map(str, nets)), minor=False)
        axis.set_xticks([], minor=True)
        axis.set_xlabel(size)
        axis.grid(alpha=0.3)
    axes[0].set_ylabel("milliseconds a step")
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside upper center", ncols=6, frameon=False)
    figure.savefig(path)
    pyplot.close(figure)
