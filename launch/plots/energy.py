"""Energy of every member without and with constraint, and the band (the paper's figure 5)."""

import matplotlib.pyplot as plt
import numpy as np

from plots.results import Missing
from plots.style import PAGE, TRUTH, Drawing, colour, legend_above

# Each method without its constraint, and with it.
PAIRS = [("rl-unconstrained", "rl"), ("floored-eakf", "constrained-eakf"), ("enkf", "constrained-enkf")]


def draw(results):
    rows = [pair for pair in PAIRS if any(has_energy(results, m) for m in pair)]
    if not rows:
        raise Missing("no analysis has energies; constraints.energy: conserved gives them, where the model has one")
    figure, panels = plt.subplots(
        len(rows), 2, figsize=(PAGE, 0.4 + 1.9 * len(rows)), sharex=True, sharey="row", squeeze=False)
    for pair, row in zip(rows, panels):
        for method, axes in zip(pair, row):
            if has_energy(results, method):
                paint(results, method, axes)
            else:
                what = "failed at once" if method in results.methods else "was not run"
                axes.text(0.5, 0.5, f"{method} {what}", transform=axes.transAxes, ha="center", color="0.4")
        row[0].set_ylabel("energy (model units)")
    for axes in panels[-1]:
        axes.set_xlabel(results.time_label)
    # The same lines are in all panels that have any.
    names = {name: line for axes in panels.flat for line, name in zip(*axes.get_legend_handles_labels())}
    if names:
        legend_above(figure, names.values(), names.keys())
    yield Drawing("energy", figure)


def has_energy(results, method):
    if method not in results.methods:
        return False
    analysis = results.analysis(method)
    return "energy" in analysis and bool(np.isfinite(analysis["energy"]).any())


def paint(results, method, axes):
    energy = results.analysis(method)["energy"].transpose("time", "member")
    axes.plot(results.days(energy["time"]), energy, color=colour(method), linewidth=0.5, alpha=0.7)
    title = f"{method}, {energy.sizes['member']} members"
    band = energy_band(results)
    if band is not None:
        axes.axhspan(*band, color="0.9", zorder=0, linewidth=0)
        for end, name in zip(band, ["energy band", None]):
            axes.axhline(end, color="0.3", linewidth=0.8, linestyle=(0, (4, 2)), label=name)
        known = energy.values[np.isfinite(energy.values)]
        title += f", {100 * np.mean((known >= band[0]) & (known <= band[1])):.2f} % in the band"
    if "energy" in results.nature:
        truth = results.nature["energy"]
        axes.plot(results.days(truth["time"]), truth, color=TRUTH, linewidth=1, label="truth")
    axes.set_title(title, loc="left")
    axes.margins(x=0.01)


def energy_band(results):
    try:
        scores = results.scores
    except Missing:
        return None
    return scores["energy_band"].values if "energy_band" in scores else None
