#!/usr/bin/env python3
"""Predictive laws of autoconversion rates for four inputs: the full account, four usual methods, and the truth.

    autoconversion_figure.py PROGRAM FOLDER FIGURE.png [--seed 1] [--rows 2000]

Makes the tables with autoconversion.py, lets the program predict four rows, and draws. The truth is the law of the rate for
what is known of the new input, its reading and that reading's error, by the generator's own formulas.
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

CASES = [(2e-4, 60.0), (4e-4, 100.0), (7e-4, 180.0), (9e-4, 60.0)]  # q in kg/kg, N in 1/cm3


def true_density(log_rate, q, n):
    """Density of the logarithm of the rate given the readings q and N."""
    x, w = np.polynomial.hermite_e.hermegauss(20)
    s = known.log_deviation(known.INPUT_ERROR)
    z = np.stack(np.meshgrid(np.log(q) + s[0] * x, np.log(n) + s[1] * x, indexing="ij"), -1)
    weight = np.outer(w, w) / w.sum() ** 2
    mean, deviation = known.log_rate(z), known.scatter(z)
    d = (log_rate[:, None, None] - mean) / deviation
    return (weight * np.exp(-0.5 * d**2) / deviation / np.sqrt(2 * np.pi)).sum((1, 2))


def smoothed(samples, points):
    s = np.log(samples)
    width = max(0.9 * s.std() * len(s) ** -0.2, 1e-3)
    return np.exp(-0.5 * ((points[:, None] - s) / width) ** 2).mean(1) / width / np.sqrt(2 * np.pi)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("program")
    parser.add_argument("folder")
    parser.add_argument("figure")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rows", type=int, default=2000)
    a = parser.parse_args()
    subprocess.run(
        [sys.executable, f"{HERE}/autoconversion.py", a.folder, "--rows", str(a.rows), "--seed", str(a.seed)], check=True)
    with open(f"{a.folder}/four.csv", "w", newline="") as file:
        out = csv.writer(file)
        out.writerow(["q", "q_error", "N", "N_error"])
        for q, n in CASES:
            out.writerow([q, q * known.INPUT_ERROR[0], n, n * known.INPUT_ERROR[1]])
    subprocess.run(
        [a.program, "uncertainty", "--quiet", "--training", f"{a.folder}/training.csv", "--testing", f"{a.folder}/testing.csv",
         "--new", f"{a.folder}/four.csv", "--outputs", "rate", "--output", f"{a.folder}/four", "--set", "prediction.samples=4000",
         "--compare", "minimum", "bagging", "deep-ensemble", "mc-dropout"], check=True)
    full = netCDF4.Dataset(f"{a.folder}/four/prediction.nc")
    usual = netCDF4.Dataset(f"{a.folder}/four/comparison.nc")
    names = [str(name) for name in usual["method_name"][:]]
    figure, axes = plt.subplots(2, 2, figsize=(10, 7), constrained_layout=True)
    for k, ((q, n), ax) in enumerate(zip(CASES, axes.flat)):
        value, density = np.array(full["value"][k, 0]), np.array(full["pdf"][k, 0])
        logs = np.log(value)
        ax.fill_between(value, true_density(logs, q, n), color="0.85", label="truth")
        ax.plot(value, density * value, "k", lw=2, label="full account")
        for name, colour in [("deep-ensemble", "tab:blue"), ("mc-dropout", "tab:green")]:
            samples = np.array(usual["sample"][names.index(name), k, 0])
            ax.plot(value, smoothed(samples[np.isfinite(samples)], logs), color=colour, label=name)
        bags = np.array(usual["sample"][names.index("bagging"), k, 0])
        bags = bags[np.isfinite(bags)]
        ax.plot(bags, np.full(len(bags), 0.03), "|", color="tab:red", ms=14, label="bagging, 20 networks")
        ax.axvline(np.array(usual["sample"][names.index("minimum"), k, 0])[0], color="tab:orange", ls="--", label="cost function's minimum")
        ax.set_xscale("log")
        ax.set_ylim(0)
        ax.set_title(f"q = {q * 1e3:g} g/kg, N = {n:g} /cm$^3$", fontsize=10)
        ax.set_xlabel("autoconversion rate (1/s)")
        ax.set_ylabel("density of its logarithm")
    axes.flat[0].legend(fontsize=8)
    figure.savefig(a.figure, dpi=130)


if __name__ == "__main__":
    main()
