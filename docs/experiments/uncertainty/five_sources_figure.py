#!/usr/bin/env python3
"""The five sources of a learned prediction's uncertainty along one input.

    five_sources_figure.py PROGRAM FOLDER FIGURE.png [--rows 300] [--seed 1]

Autoconversion rates at N = 100 /cm3 for liquid water from a tenth to ten times the usual: few rows far out. Above, training rows
near that N, the predictions' mean and 80 and 95 % intervals; below, the standard deviation of the rate over its mean, by source.
"""
import argparse, csv, os, subprocess, sys
import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import netCDF4
import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
import autoconversion as known


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("program")
    parser.add_argument("folder")
    parser.add_argument("figure")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rows", type=int, default=300)
    a = parser.parse_args()
    subprocess.run(
        [sys.executable, f"{HERE}/autoconversion.py", a.folder, "--rows", str(a.rows), "--seed", str(a.seed)], check=True)
    q = np.exp(np.linspace(np.log(5e-5), np.log(3e-3), 41))
    with open(f"{a.folder}/line.csv", "w", newline="") as file:
        out = csv.writer(file)
        out.writerow(["q", "q_error", "N", "N_error"])
        for x in q:
            out.writerow([f"{x:.6g}", f"{x * known.INPUT_ERROR[0]:.6g}", 100, 100 * known.INPUT_ERROR[1]])
    subprocess.run(
        [a.program, "uncertainty", "--quiet", "--training", f"{a.folder}/training.csv", "--testing", f"{a.folder}/testing.csv",
         "--new", f"{a.folder}/line.csv", "--outputs", "rate", "--output", f"{a.folder}/line"], check=True)
    with netCDF4.Dataset(f"{a.folder}/line/prediction.nc") as file:
        mean, parts = np.array(file["mean"][:, 0]), np.array(file["variance_by_source"][:, :, 0])
        quantile, names = np.array(file["quantile"][:, 0]), [str(n) for n in file["source_name"][:]]
        levels = list(np.array(file["probability"][:]).round(3))
    rows = np.genfromtxt(f"{a.folder}/training.csv", delimiter=",", skip_header=1)
    near = abs(np.log(rows[:, 2] / 100)) < 0.2
    at = lambda p: quantile[:, levels.index(p)]
    figure, (top, bottom) = plt.subplots(2, 1, figsize=(8, 8), sharex=True, constrained_layout=True)
    top.fill_between(q * 1e3, at(0.025), at(0.975), color="0.85", label="95 %")
    top.fill_between(q * 1e3, at(0.1), at(0.9), color="0.7", label="80 %")
    top.plot(q * 1e3, at(0.5), "k", label="median")
    top.plot(q * 1e3, np.exp(known.log_rate(np.stack([np.log(q), np.full_like(q, np.log(100))], -1))), "r--", label="truth without scatter")
    top.errorbar(rows[near, 0] * 1e3, rows[near, 4], rows[near, 5], rows[near, 1] * 1e3, fmt=".", ms=3, lw=0.6, label="training rows, N near 100")
    top.set_yscale("log")
    top.set_xscale("log")
    top.set_ylabel("autoconversion rate (1/s)")
    top.legend(fontsize=8)
    for name, part, colour in zip(names, parts, ["tab:blue", "tab:green", "tab:orange", "tab:red", "0.3"]):
        bottom.plot(q * 1e3, np.sqrt(np.maximum(part, 0)) / mean, color=colour, label=name)
    bottom.set_yscale("log")
    bottom.set_ylim(3e-3, 3)
    bottom.set_ylabel("standard deviation / mean, by source")
    bottom.set_xlabel("liquid water q (g/kg)")
    bottom.legend(fontsize=8)
    figure.savefig(a.figure, dpi=130)


if __name__ == "__main__":
    main()
