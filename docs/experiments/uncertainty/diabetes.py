#!/usr/bin/env python3
"""Calibration on data that nobody here made: scikit-learn's diabetes table (Efron et al. 2004), 442 patients.

    diabetes.py PROGRAM FOLDER [--splits 20]

Again and again the rows are split at random into 200 for training, 121 for testing and 121 that no network has seen. Prints
coverage, CRPS and widths of the full account and of four usual methods, means over the splits, with the standard error of
the coverage over splits, and how often the account's CRPS is the lowest.
"""
import argparse, csv, json, os, subprocess
import numpy as np
from sklearn.datasets import load_diabetes

METHODS = ["minimum", "bagging", "deep-ensemble", "mc-dropout"]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("program")
    parser.add_argument("folder")
    parser.add_argument("--splits", type=int, default=20)
    parser.add_argument("--set", action="append", default=[])
    a = parser.parse_args()
    os.makedirs(a.folder, exist_ok=True)
    data = load_diabetes(scaled=False)
    scores = {}
    for split in range(a.splits):
        order = np.random.default_rng(split + 1).permutation(len(data.target))
        for name, rows in [("training", order[:200]), ("testing", order[200:321]), ("new", order[321:])]:
            with open(f"{a.folder}/{name}.csv", "w", newline="") as file:
                out = csv.writer(file)
                out.writerow(list(data.feature_names) + ["progression"])
                for row in rows:
                    out.writerow([f"{x:.9g}" for x in data.data[row]] + [f"{data.target[row]:g}"])
        command = [a.program, "uncertainty", "--quiet", "--outputs", "progression", "--output", f"{a.folder}/out", "--compare", *METHODS]
        for name in ["training", "testing", "new"]:
            command += [f"--{name}", f"{a.folder}/{name}.csv"]
        for setting in a.set:
            command += ["--set", setting]
        subprocess.run(command, check=True)
        with open(f"{a.folder}/out/scores.json") as file:
            for method, outputs in json.load(file)["methods"].items():
                scores.setdefault(method, []).append(outputs["progression"])
    print(f"{'':14s} {'50 %':>12s} {'80 %':>12s} {'95 %':>12s} {'CRPS':>8s} {'reliab.':>8s} {'80 % width':>10s} {'best':>5s}")
    lowest = np.argmin([[s["crps"] for s in scores[m]] for m in ["full"] + METHODS], 0)
    for k, method in enumerate(["full"] + METHODS):
        own = scores[method]
        coverage = 100 * np.array([s["coverage"] for s in own])
        error = coverage.std(0, ddof=1) / np.sqrt(len(own))
        cells = " ".join(f"{m:6.1f} +- {e:3.1f}" for m, e in zip(coverage.mean(0), error))
        mean = lambda key: np.mean([s[key] for s in own])
        width = np.mean([s["width"][1] for s in own])
        print(f"{method:14s} {cells} {mean('crps'):8.4f} {mean('reliability'):8.4f} {width:10.3f} {(lowest == k).sum():5d}")


if __name__ == "__main__":
    main()
