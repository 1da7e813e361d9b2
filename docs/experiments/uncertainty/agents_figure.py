#!/usr/bin/env python3
"""Maps over time and place of what agents predict and where its uncertainty comes from.

    agents_figure.py OUT/prediction.nc FIGURE.png [--truth 0] [--fields K a] [--every 3]

OUT is what `daunce-mpi uncertainty --agents ... --output OUT` has written. Of each field, from left to right: the error of the
mean, the standard deviation of the predictive law, and the square root of the variance that each source makes by itself
(where an estimated part is below zero it is drawn as zero), all on one scale.
"""
import argparse
import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import netCDF4
import numpy as np


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("file")
    parser.add_argument("figure")
    parser.add_argument("--truth", type=int, default=0)
    parser.add_argument("--fields", nargs="+", default=["K", "a"])
    parser.add_argument("--every", type=int, default=3, help="times from one row of a map to the next")
    a = parser.parse_args()
    with netCDF4.Dataset(a.file) as file:
        names = [str(name) for name in file["source_name"][:]]
        time, place = np.array(file["time"][:: a.every]), np.array(file["x"][:])
        figure, axes = plt.subplots(
            len(a.fields), 2 + len(names), figsize=(14, 3.4 * len(a.fields)), sharex=True, sharey=True, constrained_layout=True,
            squeeze=False)
        for row, field in zip(axes, a.fields):
            get = lambda name: np.array(file[f"{field}_{name}"][a.truth, :: a.every])
            parts = np.array(file[f"{field}_variance_by_source"][:, a.truth, :: a.every])
            maps = [np.abs(get("mean") - get("truth")), np.sqrt(get("variance"))] + [np.sqrt(np.maximum(part, 0)) for part in parts]
            top = np.quantile(maps[0], 0.99)
            for axis, values, title in zip(row, maps, ["error of the mean", "standard deviation"] + names):
                picture = axis.pcolormesh(place, time - time[0], values, vmin=0, vmax=top, cmap="magma", rasterized=True)
                axis.set_title(f"{field}: {title}", fontsize=9)
            figure.colorbar(picture, ax=row, shrink=0.9, label=field)
            row[0].set_ylabel("time since the first analysis")
        for axis in axes[-1]:
            axis.set_xlabel("x")
    figure.savefig(a.figure, dpi=110)


if __name__ == "__main__":
    main()
