"""RMSE (4.10) and pattern correlation (4.11) of the MJO at four days: the paper's table 2."""

import textwrap

import matplotlib.pyplot as plt
import numpy as np

from plots.results import Missing, at_times
from plots.style import PAGE, Drawing

# Days of the paper's table, and what it prints for its constrained EnKF and for RL-DAUNCE.
DAYS = np.array([700.0, 800.0, 950.0, 1100.0])
PAPER = {
    "constrained EnKF, paper": ([0.2483, 0.1747, 0.1028, 0.1901], [0.8726, 0.9385, 0.9835, 0.9427]),
    "RL-DAUNCE, paper": ([0.3056, 0.1817, 0.1151, 0.2961], [0.8036, 0.9296, 0.9843, 0.8065]),
}


def draw(results):
    if not results.methods:
        raise Missing("there are no analyses; methods: [rl, constrained-eakf] writes them")
    field = results.derived
    times = results.every_analysis(results.methods[0])["time"].values
    days = results.days(times)
    reached = results.hours is not None and days[-1] >= DAYS[-1] - (days[1] - days[0]) / 2 if len(days) > 1 else False
    wanted = DAYS if reached else days[-1] * DAYS / DAYS[-1]
    cycles = [int(np.abs(days - day).argmin()) for day in wanted]
    shown = days[cycles]
    scores = {method: score(results, method, field, cycles) for method in results.methods}
    scores = {method: both for method, both in scores.items() if np.isfinite(both[0]).any()}
    note = footnote(results, reached, days)
    head = heading(results, shown)
    lines = rows(scores, reached and not results.has_warm_pool)
    texts = dict(csv=comma_separated(scores, shown), md=markdown(lines, head, field, note))
    yield Drawing("table2", picture(lines, head, field, note), texts)


def score(results, method, field, cycles):
    """RMSE and correlation (`[truth, day]` each), NaN where the method had failed."""
    analysis = results.every_analysis(method)[f"{field}_mean"]
    nature = at_times(results.file("nature.nc")[field], analysis["time"])
    mean, truth = ([a.expand_dims("truth") if "truth" not in a.dims else a][0].values[:, cycles]
                   for a in (analysis, nature))
    truth = truth[:len(mean)]
    m, t = mean - mean.mean(-1, keepdims=True), truth - truth.mean(-1, keepdims=True)
    rmse = np.sqrt(((mean - truth) ** 2).mean(-1)) / np.sqrt((t ** 2).mean(-1))
    return rmse, (m * t).sum(-1) / np.sqrt((m ** 2).sum(-1) * (t ** 2).sum(-1))


def rows(scores, with_paper):
    """Lines of the table: title, or method with its four values for RMSE and for correlation."""
    lines = []
    for k, (title, digits) in enumerate([("RMSE", 3), ("correlation", 4)]):
        lines.append((title, None))
        lines += [(method, [statistic(v, digits) for v in both[k].T]) for method, both in scores.items()]
        if with_paper:
            lines += [(name, [f"{v:.4f}" for v in values[k]]) for name, values in PAPER.items()]
    return lines


def statistic(values, digits):
    """Mean over the truths that a method came through, with its standard error where there are several."""
    values = values[np.isfinite(values)]
    if not values.size:
        return "-"
    text = f"{values.mean():.{digits}f}"
    if values.size > 1:
        text += f" ± {values.std(ddof=1) / np.sqrt(values.size):.{digits}f}"
    return text


def footnote(results, reached, days):
    several = f"Mean and standard error over {results.truths} truths. " if results.truths > 1 else "One truth. "
    if reached:
        return several + "Days as in the paper's table 2" + (
            ", which is for the homogeneous background." if results.has_warm_pool else ", whose values are of one run.")
    fractions = "the same fractions of its length as in the paper's table 2, 700, 800, 950 and 1100 parts of 1100."
    if not results.hours:
        return several + f"This run has no days; shown are {fractions}"
    cycles = int(np.ceil(DAYS[-1] / days[0]))
    return several + (f"This run ends after {days[-1]:.0f} days, before the paper's day 1100; shown are {fractions} "
                      f"truths.cycles: {cycles} reaches that day.")


def heading(results, shown):
    return [f"day {day:.0f}" if results.hours else f"time {day:.3g}" for day in shown]


def comma_separated(scores, shown):
    lines = ["score,method,truth,time,value"]
    for k, name in enumerate(["rmse", "correlation"]):
        for method, both in scores.items():
            lines += [f"{name},{method},{truth},{day:.6g},{value:.6g}"
                      for truth, values in enumerate(both[k]) for day, value in zip(shown, values)]
    return "\n".join(lines) + "\n"


def markdown(lines, head, field, note):
    text = [f"| {field} | " + " | ".join(head) + " |", "|---" * 5 + "|"]
    for name, values in lines:
        text.append(f"| **{name}** |" + " |" * 4 if values is None else f"| {name} | " + " | ".join(values) + " |")
    return "\n".join(text + ["", note, ""])


def picture(lines, head, field, note):
    step = 0.19
    height = step * (len(lines) + 4)
    figure, axes = plt.subplots(figsize=(PAGE, height), layout="none")
    axes.set_position([0.01, 0.01, 0.98, 0.98])
    axes.set(xlim=(0, 1), ylim=(height, 0))
    axes.axis("off")
    columns = [0.42, 0.58, 0.74, 0.90]
    axes.text(0.01, step, field, va="center", fontweight="bold")
    for x, name in zip(columns, head):
        axes.text(x, step, name, va="center", ha="center", fontweight="bold")
    axes.plot([0, 1], [1.55 * step] * 2, color="0", linewidth=0.8)
    for k, (name, values) in enumerate(lines):
        y = (k + 2.1) * step
        if values is None:
            axes.text(0.01, y, name, va="center", fontstyle="italic")
        else:
            axes.text(0.03, y, name, va="center")
        for x, value in zip(columns, values or []):
            axes.text(x, y, value, va="center", ha="center")
    axes.plot([0, 1], [(len(lines) + 1.6) * step] * 2, color="0", linewidth=0.8)
    axes.text(0.01, (len(lines) + 2) * step, "\n".join(textwrap.wrap(note, 125)), va="top", fontsize=6.5)
    return figure
