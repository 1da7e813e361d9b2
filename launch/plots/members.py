"""Skill, spread and their ratio against ensemble size, from several folders of results."""

import matplotlib.pyplot as plt
import numpy as np

from plots.results import Missing, rank
from plots.style import PAGE, Drawing, colour, label, legend_above, marker


def draw(opened):
    """Most methods have their run's number of members; a filter may be there with more of them, to compare with."""
    notes = []
    runs = {}
    for results in opened:
        size = int(np.bincount(results.scores["members"]).argmax())
        if runs.setdefault(size, results) is not results:
            notes.append(f"{results.folder} is left out: {runs[size].folder} has {size} members too")
    if len(runs) < 2:
        raise Missing("all results have the same number of members; give folders of runs with different `members`")
    first = runs[min(runs)]
    notes += [f"{r.folder} has other truths or times than {first.folder}: skill depends on them"
              for r in runs.values() if not comparable(r, first)]
    derived, observed = first.derived, first.observed
    methods = sorted({m for r in runs.values() for m in r.scores["method"].values}, key=rank)
    sizes = sorted({int(n) for r in runs.values() for n in r.scores["members"]})
    panels = [
        (f"RMSE of {label(derived)} / sd of truth", lambda s: s["normalised_rmse"].sel(field=derived)),
        (f"RMSE of {label(observed)} / sd of truth", lambda s: s["rmse"].sel(field=observed)),
        (f"spread of {label(observed)} (model units)", lambda s: s["spread"].sel(field=observed)),
        (f"spread / error of {label(observed)}", lambda s: (s["spread"] / s["error"]).sel(field=observed)),
    ]
    figure, grid = plt.subplots(2, 2, figsize=(PAGE, 4.6), sharex=True)
    for axes, (text, value) in zip(grid.flat, panels):
        for k, method in enumerate(methods):
            curve(axes, runs, method, value, shift=1.025 ** (k - (len(methods) - 1) / 2))
        axes.set_ylabel(text)
        axes.set_xscale("log")
        axes.set_xticks(sizes, [str(n) for n in sizes], minor=False)
        axes.set_xticks([], minor=True)
        axes.set_ylim(bottom=0)
    reference = np.geomspace(sizes[0], sizes[-1])
    grid[1, 1].plot(reference, np.sqrt(reference / (reference + 1)), color="0.3", linewidth=0.8,
                    linestyle=(0, (4, 2)), label="reliable ensemble")
    for axes in grid[1]:
        axes.set_xlabel("members")
    handles, names = grid[1, 1].get_legend_handles_labels()
    legend_above(figure, handles[1:] + handles[:1], names[1:] + names[:1])
    yield Drawing("members", figure, notes=tuple(notes))


def comparable(a, b):
    """Whether two runs were scored on the same truths at the same times."""
    one, other = a.file("nature.nc"), b.file("nature.nc")
    return (one.sizes == other.sizes and a.observed == b.observed
            and np.array_equal(one[a.observed], other[b.observed]) and np.array_equal(one["time"], other["time"])
            and a.scores.attrs["spinup_cycles"] == b.scores.attrs["spinup_cycles"])


def curve(axes, runs, method, value, shift):
    """Means over truths with their standard errors, slightly shifted so that error bars don't hide each other."""
    points = {}
    for size in sorted(runs):
        scores = runs[size].scores
        if method not in scores["method"].values:
            continue
        scores = scores.sel({"method": method})
        values = value(scores).values
        values = values[np.isfinite(values)]
        if values.size:
            error = values.std(ddof=1) / np.sqrt(values.size) if values.size > 1 else np.nan
            points.setdefault(int(scores["members"]) * shift, (values.mean(), error))
    if points:
        mean, error = zip(*points.values())
        axes.errorbar(list(points), mean, yerr=error, color=colour(method), marker=marker(method), markersize=4,
                      capsize=2, elinewidth=0.8, label=method)
