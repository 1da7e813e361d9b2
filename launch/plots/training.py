"""Losses and reward of a training, agent by agent, and what reviews on truths held back found."""

import matplotlib.pyplot as plt
import numpy as np

from plots.results import Missing
from plots.style import PAGE, Drawing, colour

FILES = {"rl": "training.nc", "rl-unconstrained": "training-unconstrained.nc"}


def draw(results):
    training = results.file("training.nc", "methods: [rl] in run, or train, writes it")
    parts = [paint for name, paint in [("common_loss", common), ("warm_start_loss", losses), ("reward", rewards),
                                         ("review_crps", reviews)] if name in training]
    if not parts:
        raise Missing("training.nc has no curves; agents.warm_start.steps or agents.ppo.iterations above 0 gives them")
    columns = min(2, len(parts))
    rows = -(-len(parts) // columns)
    figure, panels = plt.subplots(rows, columns, figsize=(PAGE, 2.6 * rows), squeeze=False)
    for axes in panels.flat[len(parts):]:
        axes.set_visible(False)
    for paint, axes in zip(parts, panels.flat):
        paint(results, axes, training)
    yield Drawing("training", figure)


def common(_, axes, training):
    curve = training["common_loss"]
    axes.plot(curve["common_step"], curve, color=colour("rl"), linewidth=1.6)
    low, high = np.nanmin(curve), np.nanquantile(curve, 0.97)
    axes.set_ylim(low - 0.05 * (high - low), high + 0.15 * (high - low))
    axes.set(xlabel="step", ylabel="negative log-likelihood per action")
    axes.set_title("common training", loc="left")
    axes.margins(x=0.02)


def reviews(_, axes, training):
    """The stages one after another, and the filter that agents learn from."""
    stages = [str(stage) for stage in training["review_stage"].values]
    x = np.arange(len(stages))
    axes.plot(x, training["review_crps"], color=colour("rl"), marker="o", markersize=3, linewidth=1.2, label="agents")
    if "teacher_crps" in training:
        axes.axhline(float(training["teacher_crps"]), color="0.4", linewidth=1, linestyle="--", label="their filter")
    for k in range(1, len(stages)):
        if stages[k] != stages[k - 1]:
            axes.axvline(k - 0.5, color="0.5", linewidth=0.8, linestyle=":")
    scores = training["review_crps"].values
    top = np.nanquantile(scores, 0.9)
    top = max(top, float(training["teacher_crps"])) if "teacher_crps" in training else top
    axes.set_ylim(0, 1.2 * top)
    axes.set(xlabel="review", ylabel="CRPS over the fields' scales")
    axes.set_title("on truths held back", loc="left")
    axes.legend(loc="best")
    axes.margins(x=0.02)


def losses(results, axes, training):
    """The rounds one after another; the agents with and without multipliers share them."""
    curves = training["warm_start_loss"]
    steps = int(training["step"][-1])
    for k in range(curves.sizes["round"]):
        agents = curves.isel(round=k).transpose("step", "member")
        x = agents["step"] + k * steps
        axes.plot(x, agents, color=colour("rl"), linewidth=0.4, alpha=0.5)
        axes.plot(x, agents.mean("member"), color=colour("rl"), linewidth=1.6)
        if k:
            axes.axvline(k * steps, color="0.5", linewidth=0.8, linestyle=":")
    # The first steps are far above all others.
    low, high = np.nanmin(curves), np.nanquantile(curves, 0.97)
    axes.set_ylim(low - 0.05 * (high - low), high + 0.15 * (high - low))
    title = "warm start" + (", then on the agents' own states" if curves.sizes["round"] > 1 else "")
    axes.set(xlabel="step", ylabel="negative log-likelihood per action")
    axes.set_title(title, loc="left")
    axes.margins(x=0.02)


def rewards(results, axes, _):
    for method, name in FILES.items():
        try:
            training = results.file(name, "")
        except Missing:
            continue
        agents = training["reward"].transpose("iteration", "member")
        axes.plot(agents["iteration"], agents, color=colour(method), linewidth=0.4, alpha=0.5)
        axes.plot(agents["iteration"], agents.mean("member"), color=colour(method), linewidth=1.6, label=method)
        ends = [0.5, float(agents["iteration"][-1]) + 0.5]
        axes.plot(ends, training["evaluation_reward"].mean("member"), linestyle="none", marker="D", markersize=4,
                  color=colour(method))
    axes.plot([], [], linestyle="none", marker="D", markersize=4, color="0.4", label="fixed rollouts")
    axes.set(xlabel="iteration of PPO", ylabel="reward per cell and step")
    axes.xaxis.set_major_locator(plt.MaxNLocator(integer=True))
    axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncol=3, columnspacing=1, handlelength=1.2, borderaxespad=0.2)
