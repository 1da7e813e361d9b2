#!/usr/bin/env python3
"""Experiments that others published scores of, each from its file in docs/experiments/published, as Markdown tables.

    DAUNCE=.build/release/daunce-mpi docs/experiments/published.py NAME [key=value ...]

Runs the program with docs/experiments/published/NAME.yaml (and --set key=value) in a folder that is removed again. For every
method: the root mean square error over all values of the state, its mean over times and over the truths that the
method came through, and the standard error of the mean over truths; spread over error; truths that failed; seconds a cycle.
"""

import json
import os
import subprocess
import sys
import tempfile

import netCDF4
import numpy as np


def states(file, suffix, truth, times):
    """All fields whose names end so, side by side (`[time, element]`)."""
    names = [n for n, v in file.variables.items() if n.endswith(suffix) and v.dimensions[:2] == ("truth", "time")]
    if not suffix:
        names = [n for n in names if file[n].dimensions[2:] != ("member",)]
    return np.concatenate([np.asarray(file[n][truth])[times].reshape(len(range(*times.indices(file[n].shape[1]))), -1) for n in names], axis=1)


def main():
    program = os.path.abspath(os.environ.get("DAUNCE", ".build/release/daunce-mpi"))
    here = os.path.dirname(os.path.abspath(__file__))
    name, settings = sys.argv[1], [a for s in sys.argv[2:] for a in ("--set", s)]
    with tempfile.TemporaryDirectory() as folder:
        out = f"{folder}/out"
        subprocess.run(
            [program, "run", "--config", f"{here}/published/{name}.yaml", "--quiet", "--output", out, *settings], check=True,
            stdout=subprocess.DEVNULL)
        with open(f"{out}/scores.json") as file:
            scores = json.load(file)
        spinup = scores["spinup_cycles"]
        print("| | error | spread/error | failed | s/cycle |\n|---|---|---|---|---|")
        rows = []
        with netCDF4.Dataset(f"{out}/nature.nc") as nature:
            for method, score in scores["methods"].items():
                with netCDF4.Dataset(f"{out}/analysis-{method}.nc") as analysis:
                    errors, ratios = [], []
                    for truth, failure in enumerate(score["failure_cycles"]):
                        if failure is not None:
                            continue
                        mean = states(analysis, "_mean", truth, slice(spinup, None))
                        spread = states(analysis, "_spread", truth, slice(spinup, None))
                        squares = (mean - states(nature, "", truth, slice(spinup + 1, None))) ** 2
                        errors.append(np.sqrt(squares.mean(axis=1)).mean())
                        ratios.append(np.sqrt((spread**2).mean() / squares.mean()))
                count = len(score["failure_cycles"])
                rows.append((np.mean(errors) if errors else np.inf, method, errors, ratios, count, score["seconds_per_cycle"]))
        for mean, method, errors, ratios, count, seconds in sorted(rows):
            if not errors:
                print(f"| `{method}` | | | {count} of {count} | |")
                continue
            error = np.std(errors, ddof=1) / np.sqrt(len(errors)) if len(errors) > 1 else np.nan
            print(f"| `{method}` | {mean:.3f} ± {error:.3f} | {np.mean(ratios):.2f} | {count - len(errors)} of {count} | {seconds:.1e} |")


if __name__ == "__main__":
    main()
