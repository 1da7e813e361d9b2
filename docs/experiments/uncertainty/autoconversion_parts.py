#!/usr/bin/env python3
"""What each source of uncertainty truly does to predictions of autoconversion rates, beside what the account says.

    autoconversion_parts.py PROGRAM FOLDER [--replicates 40] [--rows 1000] [--cases 200] [--seed 1] [--paths 60]

The new input's and the function's parts are known (autoconversion.py). That of the testing data is the variance of predicted means
over tables whose rows are drawn from their exact posterior given what was measured; that of the training data is the variance over tables
whose errors are drawn anew, everything else staying; that of the weights is what networks make that Hamiltonian chains have drawn
from their exact posterior, which training only approximates. Prints variances over the squared mean, averages over cases, with the standard
error of the measured ones by a jackknife over replicates, and, where there is another, what else could be called true.
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
        return {name: np.array(file[name][:]) for name in ["mean", "variance_by_source", "interaction"]}


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
    for name, value in [("replicates", 40), ("rows", 1000), ("cases", 200), ("seed", 1), ("paths", 60)]:
        parser.add_argument(f"--{name}", type=int, default=value)
    parser.add_argument("--set", action="append", default=[])
    a = parser.parse_args()

    def tables(*options):
        subprocess.run(
            [sys.executable, f"{HERE}/autoconversion.py", a.folder, "--rows", str(a.rows), "--new", str(a.cases),
             "--seed", str(a.seed), *options], check=True)

    tables()
    known = np.genfromtxt(f"{a.folder}/known.csv", delimiter=",", names=True)
    own = ["prediction.testing_draws=8", "prediction.new_input_draws=8"]
    account = run(a.program, a.folder, 1, a.set + own + ["networks.each=40"])
    share = lambda one: (one["variance_by_source"][:, :, 0] / one["mean"][None, :, 0] ** 2).mean(1)
    parts = share(account)
    # What the testing data do hardly depends on the number of networks, and needs many draws.
    fewer = a.set + ["prediction.samples=10", "networks.training_draws=2", "networks.each=2"]
    parts[1] = share(run(a.program, a.folder, 1, fewer + ["prediction.testing_draws=512", "prediction.new_input_draws=8"]))[1]
    chained = run(a.program, a.folder, 1, a.set + own + ["networks.each=20", f"networks.paths={a.paths}"])
    chains = share(chained)
    together = lambda one: share(one)[3] + (one["interaction"][:, 0] / one["mean"][:, 0] ** 2).mean()

    def replicates(option, count, settings, seeds=False):
        means = []
        for k in range(count):
            tables(option, str(k + 1))
            exact_inputs(a.folder)
            means.append(run(a.program, a.folder, 1 + (k if seeds else 0), settings)["mean"][:, 0])
        return jackknife(np.array(means))

    few = a.set + ["prediction.samples=10", "prediction.testing_draws=8"]
    testing = replicates("--testing-truth", 6 * a.replicates, fewer)
    training = replicates("--training-errors", a.replicates, few)
    rows = [("new input", (known["new_input"] / known["mean"] ** 2).mean(), 0.0), ("testing data", *testing)]
    rows += [("training data", *training), ("weights", chains[3], 0.0)]
    rows += [("function", (known["function"] / known["mean"] ** 2).mean(), 0.0)]
    print(f"{'source':15s} {'true':>10s} {'error':>10s} {'account':>10s} {'ratio':>7s}")
    for (name, true, error), own in zip(rows, parts):
        print(f"{name:15s} {true:10.6f} {error:10.6f} {own:10.6f} {own / true:7.3f}")
    print("weights with all interactions: account %.6f, chains %.6f" % (together(account), together(chained)))
    print("other: testing data, errors drawn anew: %.6f +- %.6f" % replicates("--testing-errors", 3 * a.replicates, fewer + ["prediction.testing_draws=8"]))
    print("other: training data, exact posterior: %.6f +- %.6f" % replicates("--training-truth", a.replicates, few))
    print("other: weights, scatter and initial weights drawn anew: %.6f +- %.6f" % replicates("--scatter", a.replicates, few, seeds=True))


if __name__ == "__main__":
    main()
