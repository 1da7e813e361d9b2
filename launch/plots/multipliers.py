"""Every agent's Lagrange multiplier in the course of PPO, and the deviation that moves it."""

import matplotlib.pyplot as plt

from plots.results import Missing
from plots.style import COLUMN, PAGE, Drawing, colour


def draw(results):
    training = results.file("training.nc", "methods: [rl] in run, or train, writes it")
    if "multiplier" not in training:
        raise Missing("training.nc has no multipliers; agents.ppo.iterations above 0, with constraints.energy not none "
                      "and agents.multipliers.form not none, gives them")
    names = training["constraint_name"].values.astype(str)
    figure, panels = plt.subplots(
        2, len(names), figsize=(COLUMN if len(names) == 1 else PAGE, 3.6), sharex=True, squeeze=False)
    for k, name in enumerate(names):
        curves = [("multiplier", "multiplier λ"), ("deviation", "deviation / tolerance")]
        for axes, (field, text) in zip(panels[:, k], curves):
            agents = training[field].isel(constraint=k).transpose("iteration", "member")
            axes.plot(agents["iteration"], agents, color=colour("rl"), linewidth=0.5, alpha=0.6)
            axes.plot(agents["iteration"], agents.mean("member"), color=colour("rl"), linewidth=2)
            axes.set_ylabel(text)
        panels[1, k].axhline(1, color="0.3", linewidth=0.8, linestyle=(0, (4, 2)))
        panels[0, k].set_title(f"{name} energy: {agents.sizes['member']} agents, mean in bold", loc="left")
        panels[1, k].set_xlabel("iteration of PPO")
        panels[1, k].xaxis.set_major_locator(plt.MaxNLocator(integer=True))
    figure.align_ylabels()
    yield Drawing("multipliers", figure)
