#!/usr/bin/env python3
"""Rows a processor second that networks of 2 x 16 tanh units are trained on, beside scikit-learn's MLPRegressor.

    training_speed.py PROGRAM FOLDER [--repeats 3] [--batch 64]

The same table of autoconversion rates, the same rows a step, Adam, one thread each, in turn. The program's networks give a
location and a scale for every row, MLPRegressor's a location alone. What both do beside steps is taken out: counted is the
user time of many steps less that of few.
"""
import argparse, os, resource, subprocess, sys

for variable in ["OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"]:
    os.environ[variable] = "1"
import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))
REGRESSOR = """
import sys, warnings
import numpy as np
from sklearn.neural_network import MLPRegressor
warnings.filterwarnings("ignore")
rows = np.genfromtxt(sys.argv[1], delimiter=",", skip_header=1)
x, y = np.log(rows[:, [0, 2]]), np.log(rows[:, 4])
x, y = (x - x.mean(0)) / x.std(0), (y - y.mean()) / y.std()
steps, batch = int(sys.argv[2]), int(sys.argv[3])
MLPRegressor((16, 16), activation="tanh", batch_size=batch, max_iter=max(1, steps * batch // len(y)), tol=0,
             n_iter_no_change=10**9).fit(x, y)
"""


def user_seconds(command):
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("program")
    parser.add_argument("folder")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--batch", type=int, default=64)
    a = parser.parse_args()
    # 1,024 rows: whole batches, so that both take the same number of steps.
    subprocess.run([sys.executable, f"{HERE}/autoconversion.py", a.folder, "--rows", "1024", "--new", "1"], check=True)
    with open(f"{a.folder}/regressor.py", "w") as file:
        file.write(REGRESSOR)

    def own(steps):
        return user_seconds(
            [a.program, "uncertainty", "--quiet", "--training", f"{a.folder}/training.csv", "--testing", f"{a.folder}/testing.csv",
             "--new", f"{a.folder}/new.csv", "--outputs", "rate", "--output", f"{a.folder}/out", "--set", f"networks.steps={steps}",
             "--set", f"networks.batch={a.batch}", "--set", "networks.training_draws=2", "--set", "networks.each=2", "--set", "networks.rounds=1",
             "--set", "networks.hidden_gain=1", "--set", "prediction.samples=10", "--set", "prediction.testing_draws=2"])

    def other(steps):
        return user_seconds([sys.executable, f"{a.folder}/regressor.py", f"{a.folder}/training.csv", str(steps), str(a.batch)])

    rates = []
    for _ in range(a.repeats):
        # Four networks of the ensemble, two for the draws of the training rows.
        ours = 6 * 40000 * a.batch / (own(41000) - own(1000))
        theirs = 8000 * a.batch / (other(8800) - other(800))
        rates.append((ours, theirs, ours / theirs))
        print(f"daunce-mpi {ours:12,.0f} rows/s   MLPRegressor {theirs:12,.0f} rows/s   ratio {ours / theirs:.1f}")
    print(f"means: {np.mean(rates, 0)[0]:,.0f} and {np.mean(rates, 0)[1]:,.0f}, ratio {np.mean(rates, 0)[2]:.1f}")


if __name__ == "__main__":
    main()
