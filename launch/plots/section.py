"""Fields over height and x, and their errors with time: what is observed with its places; of what is not, the mean without
observations, the truth, and the mean of the analysis that is nearest to the truth."""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.colors import Normalize

from plots.results import Missing, rank
from plots.style import PAGE, TRUTH, Drawing, colour, legend_above, marker

LONG_NAMES = {"q_v": "vapour", "q_c": "cloud water", "q_i": "cloud ice", "q_r": "rain", "q_s": "snow", "w": "vertical wind",
              "theta": "potential temperature"}
# What is drawn over height and x of what nobody observes.
SECTIONS = ("q_i", "q_s")


def draw(results):
    nature = results.nature
    fields = [name for name, field in nature.data_vars.items() if len(field.dims) == 3 and field.dims[0] == "time"]
    if not fields:
        raise Missing("no field has a height; model.name: convection has them")
    observed = next((v for v in results.observations.data_vars if v in fields), None)
    if observed is None or "free" not in results.methods or len(results.methods) < 2:
        raise Missing("it compares analyses with members that nothing updates; methods: [free, letkf] writes both")
    chosen = [f for f in SECTIONS if f in fields]
    best = nearest(results, chosen or [observed])
    yield Drawing("section-observed", observation(results, observed, best))
    if chosen:
        yield Drawing("section-unobserved", unobserved(results, chosen, best, window(results, observed)))
    shown = [f for f in ("w", "theta", "q_v", "q_c", "q_r", "q_i", "q_s") if f in fields] or fields[:6]
    yield Drawing("section-time", series(results, shown))


def nearest(results, fields):
    """The method with the least error of these fields, over the truth's standard deviation and all truths."""
    errors = results.scores["rmse"].sel(field=fields).mean("field").mean("truth", skipna=False)
    methods = [m for m in results.methods if m != "free" and np.isfinite(errors.sel({"method": m}))]
    if not methods:
        raise Missing("no method but free came through all truths")
    return min(methods, key=lambda m: float(errors.sel({"method": m})))


def places(results, observed):
    """Coordinates of the places that are observed at some time, in kilometres: x and height."""
    field = results.observations[observed]
    seen = np.isfinite(field.values).any(axis=0)
    height, x = (np.asarray(field[d]) / 1000 for d in field.dims[1:])
    k, i = np.nonzero(seen)
    return x[i], height[k]


def window(results, observed):
    """The part of x to show: that of the places, and as much again on both sides."""
    x, _ = places(results, observed)
    width = max(x.max() - x.min(), 10)
    ends = np.asarray(results.nature["x"]) / 1000
    return max(x.min() - width, ends.min()), min(x.max() + width, ends.max())


def paint(axes, field, values, colours, view):
    height, x = (np.asarray(field[d]) / 1000 for d in field.dims[-2:])
    image = axes.pcolormesh(x, height, values, shading="nearest", rasterized=True, **colours)
    axes.set(xlim=view, xlabel="x (km)")
    return image


def last(results, method, field):
    analysis = results.analysis(method)
    return analysis[f"{field}_mean"].isel(time=-1), results.truth_at(analysis["time"])[field].isel(time=-1)


def observation(results, name, best):
    """The observed field: mean without observations, truth with the observed places, mean of the best analysis."""
    view = window(results, name)
    prior, truth = last(results, "free", name)
    posterior, _ = last(results, best, name)
    largest = float(np.quantile(np.abs(truth.values), 0.998))
    colours = dict(cmap="RdBu_r", norm=Normalize(-largest, largest))
    figure, panels = plt.subplots(1, 3, figsize=(PAGE, 2.2), sharey=True)
    for axes, title, values in zip(panels, ("free, mean", "truth", f"{best}, mean"), (prior, truth, posterior)):
        image = paint(axes, truth, values.values, colours, view)
        axes.set_title(title)
        x, height = places(results, name)
        axes.plot(x, height, linestyle="none", marker="o", markersize=2.5, markerfacecolor="none",
                  markeredgecolor=TRUTH, markeredgewidth=0.6)
    panels[0].set_ylabel("height (km)")
    units = results.nature[name].attrs.get("units", "")
    figure.colorbar(image, ax=list(panels), pad=0.01, extend="both").set_label(f"{LONG_NAMES.get(name, name)} ({units})")
    return figure


def unobserved(results, fields, best, view):
    """A row for every field: mean without observations, truth, mean of the best analysis."""
    figure, rows = plt.subplots(len(fields), 3, figsize=(PAGE, 1.9 * len(fields)), sharex=True, sharey=True, squeeze=False)
    for number, (row, name) in enumerate(zip(rows, fields)):
        prior, truth = last(results, "free", name)
        posterior, _ = last(results, best, name)
        colours = dict(cmap="viridis", norm=Normalize(0, 1000 * float(np.quantile(truth.values, 0.998))))
        for axes, title, values in zip(row, ("free, mean", "truth", f"{best}, mean"), (prior, truth, posterior)):
            image = paint(axes, truth, 1000 * values.values, colours, view)
            axes.set_title(title if number == 0 else "")
            if number < len(fields) - 1:
                axes.set_xlabel("")
        row[0].set_ylabel("height (km)")
        figure.colorbar(image, ax=list(row), pad=0.01, extend="max").set_label(f"{LONG_NAMES.get(name, name)} (g/kg)")
    return figure


def series(results, fields):
    """RMSE of every field with time, over the truth's standard deviation over space and time; mean over truths."""
    columns = 4 if len(fields) > 3 else len(fields)
    lines = -(-len(fields) // columns)
    figure, grid = plt.subplots(lines, columns, figsize=(PAGE, 1.7 * lines + 0.4), sharex=True, squeeze=False)
    nature = results.file("nature.nc")
    for axes, name in zip(grid.flat, fields):
        for method in sorted(results.methods, key=lambda m: (m != "free", rank(m))):
            analysis = results.every_analysis(method)
            times = analysis["time"]
            truth = nature[name].sel(time=times, method="nearest", tolerance=1e-6).values
            mean = analysis[f"{name}_mean"].values
            if mean.ndim == 3:
                truth, mean = truth[None], mean[None]
            error = np.sqrt(((mean - truth) ** 2).mean(axis=(-2, -1)))
            sd = truth.std(axis=(1, 2, 3))[:, None]
            minutes = (np.asarray(times) - results.start) * results.days_in_unit * 1440
            axes.plot(minutes, (error / sd).mean(axis=0), label=method, markersize=2.5,
                      **(dict(color="0.3", linestyle="--") if method == "free"
                         else dict(color=colour(method), marker=marker(method))))
        axes.set_title(LONG_NAMES.get(name, name))
    for axes in list(grid.flat)[len(fields):]:
        axes.set_axis_off()
    for axes in grid[-1]:
        axes.set_xlabel("time (minutes)")
    for axes in grid[:, 0]:
        axes.set_ylabel("RMSE / sd of truth")
    handles, names = grid[0, 0].get_legend_handles_labels()
    legend_above(figure, handles, names)
    return figure
