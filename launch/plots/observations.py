"""Observations and truth of the observed variable at a point (the paper's figure 2)."""

import matplotlib.pyplot as plt

from plots.style import OBSERVED, PAGE, TRUTH, Drawing, label


def draw(results):
    observed = results.observed
    here = dict(x=results.point)
    truth = results.nature[observed].isel(here)
    values = results.observations[observed].isel(here)
    figure, axes = plt.subplots(figsize=(PAGE, 2.3))
    axes.plot(results.days(values["time"]), values, linestyle="none", marker="o", markersize=2, color=OBSERVED,
              markerfacecolor="none", markeredgewidth=0.6, label="observation")
    axes.plot(results.days(truth["time"]), truth, color=TRUTH, label="truth")
    axes.set(xlabel=results.time_label, ylabel=f"{label(observed)} (model units)")
    axes.set_title(f"at {results.where}", loc="left")
    axes.margins(x=0.01)
    axes.legend(loc="lower right", bbox_to_anchor=(1, 1), ncol=2, borderaxespad=0.2)
    yield Drawing("observations", figure)
