"""Loss of the warm start and reward of PPO, agent by agent."""

import matplotlib.pyplot as plt
import numpy as np

from plots.results import Missing
from plots.style import PAGE, Drawing, colour

FILES = {"rl": "training.nc", "rl-unconstrained": "training-unconstrained.nc"}


def draw(results):
    training = results.file("training.nc", "methods: [rl] in run, or train, writes it")
    parts = [paint for name, paint in [("warm_start_loss", losses), ("reward", rewards)] if name in training]
    if not parts:
        raise Missing("training.nc has no curves; agents.warm_start.steps or agents.ppo.iterations above 0 gives them")
    figure, panels = plt.subplots(1, len(parts), figsize=(PAGE, 2.6), squeeze=False)
    for paint, axes in zip(parts, panels[0]):
        paint(results, axes, training)
    yield Drawing("training", figure)


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
