"""Mean and two standard deviations of every field at a point, agents and a filter against the truth (the
paper's figure 3)."""

import matplotlib.pyplot as plt

from plots.style import PAGE, TRUTH, Drawing, colour, label


def draw(results):
    methods = results.agents_and_filter()
    fields = [v for v in results.variables if f"{v}_mean" in results.analysis(methods[0])]
    here = dict(x=results.point)
    figure, panels = plt.subplots(
        len(fields), 1, figsize=(PAGE, 0.8 + 1.25 * len(fields)), sharex=True, squeeze=False)
    for field, axes in zip(fields, panels[:, 0]):
        for method in methods:
            analysis = results.analysis(method).isel(here)
            time = results.days(analysis["time"])
            mean, spread = analysis[f"{field}_mean"], analysis[f"{field}_spread"]
            axes.fill_between(
                time, mean - 2 * spread, mean + 2 * spread, color=colour(method), alpha=0.25, linewidth=0)
            axes.plot(time, mean, color=colour(method), label=f"{method}, ±2 sd")
        truth = results.nature[field].isel(here)
        axes.plot(results.days(truth["time"]), truth, color=TRUTH, linewidth=0.8, label="truth")
        axes.set_ylabel(label(field))
        axes.margins(x=0.01)
    panels[-1, 0].set_xlabel(results.time_label)
    figure.align_ylabels()
    handles, names = panels[0, 0].get_legend_handles_labels()
    panels[0, 0].set_title(f"at {results.where}, model units", loc="left")
    panels[0, 0].legend(handles, names, loc="lower right", bbox_to_anchor=(1, 1), ncol=len(names), borderaxespad=0.2)
    yield Drawing("trajectories", figure)
