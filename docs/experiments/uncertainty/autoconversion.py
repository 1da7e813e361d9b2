#!/usr/bin/env python3
"""Tables of autoconversion rates of stratocumulus with known answers.

    autoconversion.py FOLDER [--rows 1000] [--new 500] [--seed 1] [--training-errors 0] [--testing-errors 0] [--scatter 0]
                      [--training-truth 0] [--testing-truth 0]

writes FOLDER/training.csv, testing.csv, new.csv and known.csv.

The rate is that of Khairoutdinov and Kogan (2000), 1350 q^2.47 N^-1.79 in 1/s for q in kg/kg and N in 1/cm3, times a
lognormal scatter that grows with N. Inputs and outputs of all tables are measured with lognormal errors of known size; the
rates of new.csv are exact, to compare predictions with. known.csv has, for every row of new.csv, what only the generator
knows: the true inputs, the scatter, and the parts of the predictive variance that the new input's error and the function's
own scatter make.

Three numbers draw parts of the tables anew while everything else stays: --training-errors, --testing-errors, and --scatter
of the training rows. Two others write what the rows of a table may truly be, given what was measured: --training-truth and
--testing-truth, draws from the exact posterior of the generator's own law, without error columns. So the variance that each source
makes in a prediction can be measured.
"""
import argparse, csv, os
import numpy as np

Q, N = np.log(4e-4), np.log(100.0)            # medians of the logarithms of q and N
SPREAD, CORRELATION = np.array([0.5, 0.5]), 0.3
INPUT_ERROR, OUTPUT_ERROR = np.array([0.08, 0.08]), 0.2   # standard deviations over the measured values


def log_rate(z):
    return np.log(1350.0) + 2.47 * z[..., 0] - 1.79 * z[..., 1]


def scatter(z):
    """Standard deviation of the logarithm of the rate given the true inputs."""
    return 0.2 + 0.3 / (1 + np.exp(-2 * (z[..., 1] - N) / SPREAD[1]))


def log_deviation(ratio):
    """That of a lognormal law whose standard deviation is `ratio` times its median."""
    return np.sqrt(np.log(0.5 * (1 + np.sqrt(1 + 4 * ratio**2))))


def draw_inputs(rng, rows):
    a = rng.standard_normal((rows, 2))
    a[:, 1] = CORRELATION * a[:, 0] + np.sqrt(1 - CORRELATION**2) * a[:, 1]
    return np.array([Q, N]) + SPREAD * a


def measure(rng, z, y=None):
    z = z + log_deviation(INPUT_ERROR) * rng.standard_normal(z.shape)
    if y is not None:
        y = y + log_deviation(OUTPUT_ERROR) * rng.standard_normal(y.shape)
    return z, y


def truth(rng, z, y, proposals=1000):
    """True rows given measured ones: z | its reading is normal; of draws from that law one is taken by the likelihood of y's reading."""
    covariance = np.outer(SPREAD, SPREAD) * np.array([[1, CORRELATION], [CORRELATION, 1]])
    error = np.diag(log_deviation(INPUT_ERROR) ** 2)
    gain = covariance @ np.linalg.inv(covariance + error)
    root = np.linalg.cholesky(covariance - gain @ covariance)
    middle = np.array([Q, N])
    true_z, true_y = np.empty_like(z), np.empty_like(y)
    own = log_deviation(OUTPUT_ERROR) ** 2
    for row in range(len(y)):
        drawn = middle + gain @ (z[row] - middle) + rng.standard_normal((proposals, 2)) @ root.T
        variance = scatter(drawn) ** 2 + own
        weight = np.exp(-0.5 * (y[row] - log_rate(drawn)) ** 2 / variance) / np.sqrt(variance)
        true_z[row] = drawn[rng.choice(proposals, p=weight / weight.sum())]
        law = scatter(true_z[row]) ** 2
        mean = (log_rate(true_z[row]) * own + y[row] * law) / (own + law)
        true_y[row] = mean + np.sqrt(own * law / (own + law)) * rng.standard_normal()
    return true_z, true_y


def write(path, z, y, y_error, exact=False):
    q, n, rate = np.exp(z[:, 0]), np.exp(z[:, 1]), np.exp(y)
    if exact:
        with open(path, "w", newline="") as file:
            out = csv.writer(file)
            out.writerow(["q", "N", "rate"])
            for row in zip(q, n, rate):
                out.writerow([f"{x:.9g}" for x in row])
        return
    names = ["q [kg/kg]", "q_error", "N [1/cm3]", "N_error", "rate [1/s]"] + (["rate_error"] if y_error else [])
    with open(path, "w", newline="") as file:
        out = csv.writer(file)
        out.writerow(names)
        for row in zip(q, q * INPUT_ERROR[0], n, n * INPUT_ERROR[1], rate, rate * OUTPUT_ERROR):
            out.writerow([f"{x:.9g}" for x in (row if y_error else row[:5])])


def known_parts(z):
    """Variances of the rate that the new input's error and the function's scatter make, by Gauss-Hermite quadrature."""
    x, w = np.polynomial.hermite_e.hermegauss(20)
    w = w / w.sum()
    s = log_deviation(INPUT_ERROR)
    points = z[:, None, None, :] + np.stack(np.meshgrid(s[0] * x, s[1] * x, indexing="ij"), -1)
    weight = (w[:, None] * w[None, :])[None]
    sigma2 = scatter(points) ** 2
    mean = np.exp(log_rate(points) + sigma2 / 2)
    variance = mean**2 * (np.exp(sigma2) - 1)
    m = (weight * mean).sum((1, 2))
    return m, (weight * mean**2).sum((1, 2)) - m**2, (weight * variance).sum((1, 2))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder")
    for name, value in [("rows", 1000), ("new", 500), ("seed", 1), ("training-errors", 0), ("testing-errors", 0), ("scatter", 0),
                        ("training-truth", 0), ("testing-truth", 0)]:
        parser.add_argument(f"--{name}", type=int, default=value)
    a = parser.parse_args()
    os.makedirs(a.folder, exist_ok=True)
    stream = lambda *key: np.random.default_rng([a.seed, *key])
    for number, (name, extra) in enumerate([("training", a.training_errors), ("testing", a.testing_errors)]):
        z = draw_inputs(stream(number, 0), a.rows)
        anew = a.scatter if name == "training" else 0
        y = log_rate(z) + scatter(z) * stream(number, 1, anew).standard_normal(a.rows)
        z, y = measure(stream(number, 2, extra), z, y)
        drawn = a.training_truth if name == "training" else a.testing_truth
        if drawn:
            z, y = truth(stream(number, 3, drawn), z, y)
        write(f"{a.folder}/{name}.csv", z, y, True, exact=drawn > 0)
    z = draw_inputs(stream(2, 0), a.new)
    y = log_rate(z) + scatter(z) * stream(2, 1).standard_normal(a.new)
    measured, _ = measure(stream(2, 2), z)
    write(f"{a.folder}/new.csv", measured, y, False)
    mean, input_part, function_part = known_parts(measured)
    with open(f"{a.folder}/known.csv", "w", newline="") as file:
        out = csv.writer(file)
        out.writerow(["q_true", "N_true", "scatter", "mean", "new_input", "function"])
        for row in zip(np.exp(z[:, 0]), np.exp(z[:, 1]), scatter(z), mean, input_part, function_part):
            out.writerow([f"{x:.9g}" for x in row])


if __name__ == "__main__":
    main()
