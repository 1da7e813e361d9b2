#!/usr/bin/env python3
"""What each source of uncertainty truly does to predictions of autoconversion rates, beside what the account says.

    autoconversion_parts.py PROGRAM FOLDER [--replicates 40] [--rows 1000] [--cases 200] [--seed 1]

The new input's and the function's parts are known (autoconversion.py). Those of the testing data, of the training data and
of the weights are measured: that source alone is drawn anew again and again (errors of the testing table; errors of the
training table; scatter of the training rows with the networks' initial weights), everything else stays, and the variance of
the predicted means over the replicates is what the source does. Prints variances over the squared mean, averages over
cases, with the standard error of the measured ones by a jackknife over replicates.
"""
import argparse, csv, os, subprocess, sys
import netCDF4
import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))


def run(program, folder, seed, settings):
    command = [program, "uncertainty", "--quiet", "--outputs", "rate", "--seed", str(seed), "--output", f"{folder}/out"]
    for name in ["training", "testing", "new"]:
        command += [f"--{name}", f"{folder}/{name}.csv"]
    for setting in settings:
        command += ["--set", setting]
    subprocess.run(command, check=True)
    with netCDF4.Dataset(f"{folder}/out/prediction.nc") as file:
        return {name: np.array(file[name][:]) for name in ["mean", "variance_by_source"]}


def exact_inputs(folder):
    """Predictions at the true inputs: the new input's error is left out."""
    known = np.genfromtxt(f"{folder}/known.csv", delimiter=",", names=True)
    with open(f"{folder}/new.csv", "w", newline="") as file:
        out = csv.writer(file)
        out.writerow(["q", "N"])
        for row in known:
            out.writerow([f"{row['q_true']:.9g}", f"{row['N_true']:.9g}"])


def jackknife(means):
    """Mean over cases of the variance over replicates of (mean / its average), and its standard error."""
    relative = means / means.mean(0)
    value = relative.var(0, ddof=1).mean()
    left_out = [np.delete(relative, k, 0).var(0, ddof=1).mean() for k in range(len(relative))]
    n = len(relative)
    return value, np.sqrt((n - 1) / n * ((np.array(left_out) - np.mean(left_out)) ** 2).sum())


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("program")
    parser.add_argument("folder")
    for name, value in [("replicates", 40), ("rows", 1000), ("cases", 200), ("seed", 1)]:
        parser.add_argument(f"--{name}", type=int, default=value)
    parser.add_argument("--set", action="append", default=[])
    a = parser.parse_args()

    def tables(*options):
        subprocess.run(
            [sys.executable, f"{HERE}/autoconversion.py", a.folder, "--rows", str(a.rows), "--new", str(a.cases),
             "--seed", str(a.seed), *options], check=True)

    tables()
    known = np.genfromtxt(f"{a.folder}/known.csv", delimiter=",", names=True)
    # Many draws of what is cheap, so that the account's own sampling error is small.
    account = run(a.program, a.folder, 1, a.set + ["prediction.testing_draws=64", "prediction.new_input_draws=8"])
    share = account["variance_by_source"][:, :, 0] / account["mean"][None, :, 0] ** 2
    few = a.set + ["prediction.samples=10", "prediction.testing_draws=8"]
    # What the testing data do hardly depends on the number of networks.
    fewer = few + ["networks.training_draws=2", "networks.each=2"]
    measured = {}
    for name, option in [("testing data", "--testing-errors"), ("training data", "--training-errors"), ("weights", "--scatter")]:
        means = []
        is_testing = name == "testing data"
        for k in range(4 * a.replicates if is_testing else a.replicates):
            tables(option, str(k + 1))
            exact_inputs(a.folder)
            means.append(run(a.program, a.folder, 1 + (k if name == "weights" else 0), fewer if is_testing else few)["mean"][:, 0])
        measured[name] = jackknife(np.array(means))
    rows = [("new input", (known["new_input"] / known["mean"] ** 2).mean(), 0.0)]
    rows += [(name, *measured[name]) for name in ["testing data", "training data", "weights"]]
    rows += [("function", (known["function"] / known["mean"] ** 2).mean(), 0.0)]
    print(f"{'source':15s} {'true':>10s} {'error':>10s} {'account':>10s} {'ratio':>7s}")
    for (name, true, error), own in zip(rows, share.mean(1)):
        print(f"{name:15s} {true:10.6f} {error:10.6f} {own:10.6f} {own / true:7.3f}")


if __name__ == "__main__":
    main()
