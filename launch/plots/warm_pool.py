"""The observed variable with the background that drives it (the paper's figure 6): profiles of the mean over time, and
Hovmoller diagrams where the background is not the same everywhere."""

import matplotlib.pyplot as plt

from plots.hovmoller import paint, scale
from plots.style import COLUMN, PAGE, TRUTH, Drawing, colour, label


def draw(results):
    methods = results.agents_and_filter()
    if results.has_warm_pool:
        figure, panels = plt.subplots(
            1, 2 + len(methods), figsize=(PAGE, 3.8), gridspec_kw=dict(width_ratios=[1] * (1 + len(methods)) + [1.6]))
        diagrams(results, panels[:-1], methods)
        profiles(results, panels[-1], methods, results.nature["S"])
        yield Drawing("warm-pool", figure)
    else:
        figure, axes = plt.subplots(figsize=(COLUMN, 2.6))
        profiles(results, axes, methods, None)
        yield Drawing("profile", figure)


def diagrams(results, panels, methods):
    field = results.observed
    times = results.analysis(methods[0])["time"]
    truth = results.truth_at(times)[field].values
    fields = [("truth", truth)] + [(m, results.analysis(m)[f"{field}_mean"].values) for m in methods]
    paint(results, times, panels, fields, scale(truth), field)
    panels[0].set_ylabel(results.time_label)
    for axes in panels[1:]:
        axes.tick_params(labelleft=False)


def profiles(results, axes, methods, background):
    field = results.observed
    x = results.place(results.nature["x"])
    truth = results.truth_at(results.analysis(methods[0])["time"])[field]
    axes.plot(x, truth.mean("time"), color=TRUTH, label="truth")
    for method in methods:
        mean = results.analysis(method)[f"{field}_mean"].mean("time")
        axes.plot(x, mean, color=colour(method), linestyle=(0, (3, 1)), label=method)
    axes.set(xlabel=results.place_label, ylabel=f"mean of {label(field)} over time (model units)")
    axes.margins(x=0.01)
    axes.set_ylim(bottom=min(0, axes.get_ylim()[0]) if float(truth.min()) < 0 else 0)
    if background is not None:
        other = axes.twinx()
        other.plot(x, background, color="0.5", linestyle=":", linewidth=1.4)
        other.spines["right"].set_visible(True)
        other.set_ylabel("$S$ (model units), dotted", color="0.35")
        other.tick_params(axis="y", colors="0.35")
        other.set_ylim(0, 1.1 * float(background.max()))
    axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncol=1 + len(methods), columnspacing=1, handlelength=1.5,
                borderaxespad=0.2)
