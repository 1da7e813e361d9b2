#!/usr/bin/env python3
"""Two modes, one component observed: every method of `analyze` against the exact posterior.

The prior is half N((3, 3), s^2 I) and half N((0.8, 0.8), s^2 I), s = 0.1 unless given, of which 100 members are drawn anew for every
seed; the first component is observed. Prints for every case and method the mean over seeds of the absolute error of both
means, and the analysis spread over the exact one, as a Markdown table.

    DAUNCE=.build/release/daunce-mpi docs/experiments/two_modes.py [seeds] [method ...]

A method may have settings behind a colon: diffusion:likelihood=ad-hoc,steps=300.
"""

import os
import subprocess
import sys
import tempfile
import time

import netCDF4
import numpy as np

MEMBERS = 100
MODES = np.array([3.0, 0.8])
# Observation, its sd, the modes' sd.
CASES = [(4, 0.1, 0.1), (6, 0.1, 0.1), (2.5, 0.1, 0.1), (1.9, 0.1, 0.1), (0.8, 0.1, 0.1), (2.2, 0.8, 0.3), (1.8, 0.8, 0.3)]
METHODS = [
    "eakf", "letkf", "rank-histogram", "rank-histogram:regression=linear", "rank-histogram:regression=local",
    "kernel-density", "kernel-density:regression=local",
    "particle-filter", "particle-filter:tempered_share=0.5", "localized-particle-filter", "transport", "transport:second_order=false",
    "schroedinger-bridge", "particle-flow", "langevin", "langevin:rotation=1,diffusivity=0", "interpolants", "diffusion",
    "diffusion:likelihood=local-moments", "diffusion:likelihood=joint-gaussian", "diffusion:likelihood=ad-hoc",
]


def exact(y, r, s):
    """Mean and spread of both components of the posterior."""
    variance = s * s + r * r
    logs = -0.5 * (y - MODES) ** 2 / variance
    weights = np.exp(logs - logs.max())
    weights /= weights.sum()
    observed = MODES + s * s / variance * (y - MODES)
    means = np.stack([observed, MODES])
    squares = means**2 + np.array([[s * s * r * r / variance], [s * s]])
    mean = means @ weights
    return mean, np.sqrt(squares @ weights - mean**2)


def analysed(program, method, y, r, s, seed, folder):
    """Members of an analysis, and its seconds."""
    random = np.random.default_rng(seed)
    members = MODES[random.integers(0, 2, MEMBERS)][:, None] + s * random.standard_normal((MEMBERS, 2))
    with netCDF4.Dataset(f"{folder}/ensemble.nc", "w") as file:
        file.createDimension("member", MEMBERS)
        for k, name in enumerate("uv"):
            file.createVariable(name, "f8", ("member",))[:] = members[:, k]
    with open(f"{folder}/obs.csv", "w") as file:
        file.write(f"variable,value,error_variance\nu,{y},{r * r}\n")
    name, _, settings = method.partition(":")
    keys = [a for one in settings.split(",") if one for a in ("--set", f"filter.nonlinear.{one}")]
    start = time.perf_counter()
    subprocess.run(
        [program, "analyze", "--quiet", "--method", name, "--ensemble", f"{folder}/ensemble.nc", "--observations", f"{folder}/obs.csv",
         "--output", f"{folder}/out", "--seed", str(seed + 1), *keys], check=True, stderr=subprocess.DEVNULL)
    seconds = time.perf_counter() - start
    with netCDF4.Dataset(f"{folder}/out/ensemble.nc") as file:
        return np.stack([file["u"][:], file["v"][:]]), seconds


def main():
    program = os.path.abspath(os.environ.get("DAUNCE", ".build/release/daunce-mpi"))
    seeds = int(sys.argv[1]) if len(sys.argv) > 1 else 50
    methods = sys.argv[2:] or METHODS
    with tempfile.TemporaryDirectory() as folder:
        for y, r, s in CASES:
            mean, sd = exact(y, r, s)
            print(f"\n**y = {y}**, sd {r}, modes' sd {s}: mean {mean[0]:.2f}, {mean[1]:.2f}, sd {sd[0]:.3f}, {sd[1]:.3f}\n")
            print("| method | error of the means | spread over the exact one |\n|---|---|---|")
            for method in methods:
                moments = []
                for seed in range(seeds):
                    members, _ = analysed(program, method, y, r, s, seed, folder)
                    moments.append([members.mean(axis=1), members.std(axis=1, ddof=1)])
                moments = np.array(moments)
                errors = np.abs(moments[:, 0] - mean).mean(axis=0)
                ratios = moments[:, 1].mean(axis=0) / sd
                print(f"| `{method}` | {errors[0]:.3f}, {errors[1]:.3f} | {ratios[0]:.2f}, {ratios[1]:.2f} |", flush=True)


if __name__ == "__main__":
    main()
