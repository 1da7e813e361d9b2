"""Rank histograms of every variable for every method: flat for a reliable ensemble."""

import matplotlib.pyplot as plt
import numpy as np

from plots.results import Missing, rank
from plots.style import PAGE, Drawing, colour, label


def draw(results):
    counts = results.scores["rank_histogram"].sum("truth")
    methods = sorted((m for m in counts["method"].values if counts.sel({"method": m}).sum() > 0), key=rank)
    if not methods:
        raise Missing("no method came through a truth; methods: [rl, constrained-eakf] do")
    variables = list(counts["variable"].values)
    figure, panels = plt.subplots(
        len(methods), len(variables), figsize=(PAGE, 0.5 + 1.25 * len(methods)), sharex=True, sharey=True,
        squeeze=False)
    for method, row in zip(methods, panels):
        members = int(results.scores["members"].sel({"method": method}))
        # Ensembles of different sizes on one axis: where the truth is among the members.
        place = np.arange(members + 1) / members
        for variable, axes in zip(variables, row):
            histogram = counts.sel({"method": method, "variable": variable}).values[:members + 1]
            axes.bar(place, histogram / histogram.mean(), width=0.9 / members, color=colour(method))
            axes.axhline(1, color="0", linewidth=0.7)
        row[0].set_ylabel(method)
    for variable, axes in zip(variables, panels[0]):
        axes.set_title(label(variable))
    for axes in panels[-1]:
        axes.set_xlabel("share of members\nbelow the truth")
        axes.set_xticks([0, 0.5, 1], ["0", "½", "1"])
    figure.align_ylabels()
    figure.supylabel("frequency over that of a flat histogram", fontsize=8)
    yield Drawing("ranks", figure)
