#!/usr/bin/env python3
"""What weighted means of agents are worth: errors of both kinds of means on a run's unseen truths.

    weighted_agents.py RESULTS [--spinup 50]

RESULTS is the folder of `daunce-mpi run --agents AGENTS --set methods=[rl] --set agents.weights=tempered` (or proper). Prints the
RMSE of equal and of weighted means over the truth's standard deviation, means over truths, and the difference truth by truth
with its standard error.
"""
import argparse
import netCDF4
import numpy as np


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("results")
    parser.add_argument("--spinup", type=int, default=50)
    a = parser.parse_args()
    with netCDF4.Dataset(f"{a.results}/analysis-rl.nc") as analysis, netCDF4.Dataset(f"{a.results}/nature.nc") as nature:
        print("weights", *np.array(analysis["weight"][:]).round(4))
        fields = [name[: -len("_mean_weighted")] for name in analysis.variables if name.endswith("_mean_weighted")]
        times = analysis["time"].size
        for field in fields:
            truth = np.array(nature[field][:])[:, -times:][:, a.spinup:]
            spread = truth.std(axis=(1, 2))
            errors = []
            for kind in ["mean", "mean_weighted"]:
                mean = np.array(analysis[f"{field}_{kind}"][:])[:, a.spinup:]
                errors.append(np.sqrt(((mean - truth) ** 2).mean(axis=(1, 2))) / spread)
            d = errors[1] - errors[0]
            print(f"{field:5s} equal {errors[0].mean():.4f}  weighted {errors[1].mean():.4f}  "
                  f"difference {d.mean():.4f} +- {d.std(ddof=1) / np.sqrt(len(d)):.4f}")


if __name__ == "__main__":
    main()
