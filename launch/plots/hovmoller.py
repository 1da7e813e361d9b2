"""Hovmoller diagrams of the derived field and of the observed variable: truth, analyses, and their errors (the paper's
figure 4)."""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.colors import Normalize, PowerNorm
from matplotlib.ticker import MaxNLocator

from plots.style import PAGE, Drawing, label


def draw(results):
    methods = results.agents_and_filter()
    for field in dict.fromkeys([results.derived, results.observed]):
        yield Drawing(f"hovmoller-{field}", diagram(results, field, methods))


def diagram(results, field, methods):
    times = results.analysis(methods[0])["time"]
    truth = results.truth_at(times)[field].values
    means = {m: results.analysis(m)[f"{field}_mean"].values for m in methods}
    values = [("truth", truth)] + list(means.items())
    errors = [(m, mean - truth) for m, mean in means.items()]
    figure, panels = plt.subplots(1, len(values) + len(errors), figsize=(PAGE, 4.4), sharey=True)
    paint(results, times, panels[:len(values)], values, scale(truth), field)
    colours = balanced([error for _, error in errors])
    paint(results, times, panels[len(values):], errors, colours, f"analysis less truth, {field}")
    panels[0].set_ylabel(results.time_label)
    return figure


def paint(results, times, panels, fields, colours, name):
    """A panel for each (title, values), and a common bar of colours for the quantity `name`."""
    x, time = results.place(results.nature["x"]), results.days(times)
    for axes, (title, values) in zip(panels, fields):
        # The colour of a missing value, where a method has failed.
        axes.set_facecolor("0.8")
        image = axes.pcolormesh(x, time, np.ma.masked_invalid(values), shading="nearest", rasterized=True, **colours)
        axes.set(title=title, xlabel=results.place_label)
    prefix, last = name[:name.rfind(" ") + 1], name.split()[-1]
    bar = panels[0].figure.colorbar(
        image, ax=list(panels), orientation="horizontal", aspect=30, pad=0.02, ticks=MaxNLocator(2 + len(panels)),
        extend="both" if colours["norm"].vmin < 0 else "max")
    bar.set_label(f"{prefix}{label(last)} (model units)")


def scale(truth):
    """Colours of a field: diverging if it has both signs; otherwise from zero by its square root, since a positive
    field has quiet places and rare large events. The largest half per cent saturate."""
    if truth.min() < 0:
        return balanced([truth])
    return dict(cmap="viridis", norm=PowerNorm(0.5, vmin=0, vmax=float(np.quantile(truth, 0.995))))


def balanced(fields):
    values = np.abs(np.concatenate([f[np.isfinite(f)] for f in fields]))
    largest = float(np.quantile(values, 0.995)) if values.size else 1.0
    return dict(cmap="RdBu_r", norm=Normalize(-largest, largest))
