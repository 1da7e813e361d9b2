#!/usr/bin/env python3
"""The two modes as a figure: prior, the way back through the noise, and posterior, of the component that is observed and the one that is not.

    DAUNCE=.build/release/daunce-mpi docs/experiments/two_modes_figure.py FIGURE.png [observation ...]

Prior and posterior are the program's (`analyze --method diffusion`). The way is drawn by itself: in one dimension the flow keeps every
member's quantile, so at each noise it is where the posterior with so much noise has that quantile. Its end is held to the program's
members, whose way has ten steps; the largest difference is printed.
"""

import os
import sys
import tempfile

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt  # noqa: E402
import numpy as np  # noqa: E402
from math import erf, sqrt  # noqa: E402

from two_modes import MEMBERS, MODES, analysed, exact  # noqa: E402

PRIOR, POSTERIOR, TRUTH = "#56B4E9", "#D55E00", "#000000"
SD = 0.1
BANDWIDTH, WINDOW, SUPPORT = 0.9, 0.3, 2.65
cdf = np.vectorize(lambda z: 0.5 * (1 + erf(z / sqrt(2))))


def windows(h, least):
    """Weights of the members around each (`[i, n]`), and their means and unbiased variances."""
    distance = np.abs(h[:, None] - h)
    reach = np.maximum(SUPPORT * WINDOW * h.std(ddof=1), 1.2 * np.sort(distance, axis=1)[:, least])
    weights = np.maximum(0, 1 - (distance / reach[:, None]) ** 2) ** 2
    weights /= weights.sum(axis=1, keepdims=True)
    means = weights @ h
    variances = (weights * (h - means[:, None]) ** 2).sum(axis=1) / (1 - (weights**2).sum(axis=1))
    return weights, means, variances


def quantiles(probabilities, weights, centres, variances):
    """Where a mixture of normal kernels has so much probability below it, by bisection."""
    low, high = np.full(len(probabilities), -1e3), np.full(len(probabilities), 1e3)
    for _ in range(60):
        middle = 0.5 * (low + high)
        below = (weights * cdf((middle[:, None] - centres) / np.sqrt(variances))).sum(axis=1)
        low, high = np.where(below < probabilities, middle, low), np.where(below < probabilities, high, middle)
    return 0.5 * (low + high)


def way(h, v, y, r, levels):
    """Both components of every member at each noise (`[level, member]`)."""
    _, means, variances = windows(h, 12)
    centres, variances = means + np.sqrt(1 - BANDWIDTH**2) * (h - means), BANDWIDTH**2 * variances
    probabilities = cdf((h[:, None] - centres) / np.sqrt(variances)).mean(axis=1)
    logs = -0.5 * (y - centres) ** 2 / (variances + r) - 0.5 * np.log(variances + r)
    weights = np.exp(logs - logs.max())
    weights /= weights.sum()
    after, left = centres + variances / (variances + r) * (y - centres), variances * r / (variances + r)
    near, around, _ = windows(h, 30)
    squares = (near * (h - around[:, None]) ** 2).sum(axis=1)
    slopes = (near * (h - around[:, None])) @ v / squares
    levels_of_v = near @ v
    line = lambda i, at: levels_of_v[i] + slopes[i] * (at - around[i])
    places, others = [], []
    for noise in levels:
        x = quantiles(probabilities, weights, after, left + noise**2)
        nearest = np.abs(x[:, None] - h).argmin(axis=1)
        places.append(x)
        others.append(v + line(nearest, x) - line(np.arange(len(h)), h))
    return np.array(places), np.array(others)


def main():
    program = os.path.abspath(os.environ.get("DAUNCE", ".build/release/daunce-mpi"))
    target, observations = sys.argv[1], [float(y) for y in sys.argv[2:]] or [4.0, 2.5]
    levels = np.geomspace(8, 0.004, 60)
    figure, panels = plt.subplots(len(observations), 3, figsize=(7.2, 2.5 * len(observations)), squeeze=False, layout="constrained")
    with tempfile.TemporaryDirectory() as folder:
        for row, y in zip(panels, observations):
            random = np.random.default_rng(0)
            h, v = (MODES[random.integers(0, 2, MEMBERS)][:, None] + SD * random.standard_normal((MEMBERS, 2))).T
            (a, b), _ = analysed(program, "diffusion", y, SD, SD, 0, folder)
            places, others = way(h, v, y, SD * SD, levels)
            print(f"y = {y:g}: {abs(places[-1] - a).max():.4f} and {abs(others[-1] - b).max():.4f} between the way's end and the program's members")
            mean, sd = exact(y, SD, SD)
            row[0].plot(h, v, "o", ms=2.5, color=PRIOR, label="prior")
            row[0].plot(a, b, "o", ms=2.5, color=POSTERIOR, label="posterior")
            row[0].errorbar(mean[0], mean[1], 2 * sd[1], 2 * sd[0], fmt="+", color=TRUTH, capsize=2, lw=0.8, label="exact, 2 sd")
            row[0].axvline(y, color="#7F7F7F", lw=0.8, ls=":")
            row[0].set(xlabel="observed component", ylabel="other component", title=f"y = {y:g}")
            for panel, path, start, name in ((row[1], places, h, "observed component"), (row[2], others, v, "other component")):
                panel.plot(levels, path, lw=0.4, color=POSTERIOR, alpha=0.5)
                panel.plot(np.full(MEMBERS, levels[0] * 1.6), start, "_", ms=5, color=PRIOR, clip_on=False)
                panel.set(xscale="log", xlim=(levels[0] * 1.6, levels[-1]), xlabel="noise", ylabel=name)
            row[1].axhline(y, color="#7F7F7F", lw=0.8, ls=":")
            row[1].set_ylim(min(-1, y - 4), max(y + 3, 6))
            row[2].set_ylim(0, 4)
    panels[0, 0].legend(loc="center left", fontsize=6.5)
    figure.savefig(target, dpi=130)


if __name__ == "__main__":
    main()
