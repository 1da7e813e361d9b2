"""A LogGP model of the collectives that a cycle sends (Alexandrov et al. 1995), fitted to what `daunce-mpi benchmark
--collectives` has measured. Python's own library is all that it needs; `python3 launch/plots/loggp.py FOLDER` prints it.

A reduction of m bytes over P ranks goes through ceil(log2 P) rounds of recursive doubling. In each a rank sends and
receives one message: L of latency, and with s = ceil(P / C) ranks on every one of C cores, s times the overhead 2 o and
s times G for each byte, which is copied and added:

    T(P, m) = ceil(log2 P) (L + s (2 o + m G))

The gap g between messages does not show, since a rank sends one message a round. Overheads of ranks that share a core
contain the turn of the scheduler that hands the core over.
"""

import json
import math
import re
import sys
from pathlib import Path

# Longest message of the fit, in bytes: Open MPI doubles recursively up to about 10 kB, and divides the work beyond.
LONGEST = 4096

# Published one-way times of small messages between processes, L + 2 o in seconds, and seconds a byte.
INTERCONNECTS = {
    # Link rate of 200 Gb/s; the vendor's round figure of a microsecond for a small message.
    "HDR InfiniBand (nominal)": (1.0e-6, 8 / 200e9),
    # Half a round trip of 1.93 us and 37.23 Gb/s, Open MPI 1.8.1, usNIC: news-blogs.cisco.com/performance/mpi-over-40gb-ethernet
    "40 Gb/s Ethernet, usNIC (Cisco)": (1.93e-6, 8 / 37.23e9),
    # A large machine on a busy day.
    "4 us, 10 GB/s (pessimistic)": (4.0e-6, 1e-10),
}


def read(folder):
    """Every point of a study: members, ranks, and the contents of its benchmark.json."""
    points = []
    for path in sorted(Path(folder).glob("members-*-ranks-*/benchmark.json")):
        found = re.fullmatch(r"members-(\d+)-ranks-(\d+)", path.parent.name)
        if found:
            points.append((int(found[1]), int(found[2]), json.loads(path.read_text(encoding="utf-8"))))
    return points


def collectives(points, operation="allreduce", way="mpi"):
    """Shortest measured seconds by (ranks, bytes), and the number of cores."""
    times, cores = {}, 1
    for _, ranks, report in points:
        cores = report["cores"]
        for entry in report.get("collectives", []):
            if entry["operation"] == operation and entry["path"] == way and ranks > 1:
                key = (ranks, entry["bytes"])
                times[key] = min(times.get(key, math.inf), entry["seconds"])
    return times, cores


class Model:
    """L, 2 o and G in seconds, and cores of the machine they were measured on."""

    def __init__(self, latency, overhead, per_byte, cores):
        self.latency, self.overhead, self.per_byte, self.cores = latency, overhead, per_byte, cores

    def seconds(self, ranks, size):
        rounds, share = terms(ranks, self.cores)
        return rounds * (self.latency + share * (self.overhead + size * self.per_byte))


def terms(ranks, cores):
    return math.ceil(math.log2(ranks)), math.ceil(ranks / cores)


def fit(times, cores):
    """Least squares of relative errors; a parameter that would be negative is zero."""
    used = [0, 1, 2]
    while True:
        rows = []
        for (ranks, size), seconds in times.items():
            rounds, share = terms(ranks, cores)
            row = [rounds / seconds, rounds * share / seconds, rounds * share * size / seconds]
            rows.append([row[k] for k in used])
        solution = solve(rows)
        values = [0.0, 0.0, 0.0]
        for k, value in zip(used, solution):
            values[k] = value
        negative = [k for k in used if values[k] < 0]
        if not negative:
            return Model(*values, cores)
        used = [k for k in used if k != min(negative, key=lambda k: values[k])]


def solve(rows):
    """x with rows x = 1 in the sense of least squares, by the normal equations of scaled columns."""
    n = len(rows[0])
    scale = [max(abs(row[k]) for row in rows) for k in range(n)]
    rows = [[row[k] / scale[k] for k in range(n)] for row in rows]
    system = [[sum(row[i] * row[j] for row in rows) for j in range(n)] + [sum(row[i] for row in rows)] for i in range(n)]
    for i in range(n):
        pivot = max(range(i, n), key=lambda k: abs(system[k][i]))
        system[i], system[pivot] = system[pivot], system[i]
        for k in range(n):
            if k != i:
                factor = system[k][i] / system[i][i]
                system[k] = [a - factor * b for a, b in zip(system[k], system[i])]
    return [system[i][n] / system[i][i] / scale[i] for i in range(n)]


def split(times):
    """Points to fit, of every other number of ranks, and points to check."""
    ranks = sorted({r for r, _ in times})
    fitted = {r for k, r in enumerate(ranks) if k % 2 == 0} | {ranks[-1]}
    short = {key: value for key, value in times.items() if key[1] <= LONGEST}
    return ({k: v for k, v in short.items() if k[0] in fitted}, {k: v for k, v in short.items() if k[0] not in fitted})


def error(model, times):
    """Typical factor between model and measurement: the exponential of the root mean square of its logarithm."""
    logs = [math.log(model.seconds(*key) / value) for key, value in times.items()]
    return math.exp(math.sqrt(sum(x * x for x in logs) / len(logs))) if logs else math.nan


def predict(latency, per_byte, ranks, size):
    """A reduction on a cluster with a core to each rank: recursive doubling, or for long messages a division of the work
    (Rabenseifner 2004), whichever is shorter."""
    rounds = math.ceil(math.log2(ranks))
    return min(rounds * (latency + size * per_byte), 2 * rounds * latency + 2 * size * per_byte * (ranks - 1) / ranks)


def gather(latency, per_byte, ranks, size):
    """A gather of `size` bytes a rank on every rank, by recursive doubling."""
    return math.ceil(math.log2(ranks)) * latency + (ranks - 1) * size * per_byte


# What a cycle of the default experiment reduces: the agents' two sums of 64 cells, the moments of 256 elements with 64
# observed ones; gathered it is the state of a member. Then the vote of 4 bytes.
AGENTS, MOMENTS, STATE, VOTE = 2304, 263232, 2048, 4


def predictions(sizes=(10, 100, 257, 1000, 10_000)):
    """Rows (interconnect, ranks, seconds of the agents' reduction, of the filter's, of the vote), a member to a rank."""
    rows = []
    for name, (latency, per_byte) in INTERCONNECTS.items():
        for ranks in sizes:
            filters = (
                gather(latency, per_byte, ranks, STATE) if ranks <= 257 else predict(latency, per_byte, ranks, MOMENTS))
            rows.append((name, ranks, predict(latency, per_byte, ranks, AGENTS), filters,
                         predict(latency, per_byte, ranks, VOTE)))
    return rows


def summary(points):
    """The model and how well it does, as lines of text."""
    times, cores = collectives(points)
    if len({r for r, _ in times}) < 2:
        return ["no model: collectives of at least two numbers of ranks above 1 are needed"]
    fitted, checked = split(times)
    model = fit(fitted, cores)
    lines = [
        f"L = {1e6 * model.latency:.3g} us, 2 o = {1e6 * model.overhead:.3g} us, G = {1e9 * model.per_byte:.3g} ns/byte, "
        f"{cores} cores",
        f"fitted to {len(fitted)} points (ranks {' '.join(map(str, sorted({r for r, _ in fitted})))}): "
        f"typical factor {error(model, fitted):.2f}",
    ]
    if checked:
        lines.append(
            f"checked on {len(checked)} others (ranks {' '.join(map(str, sorted({r for r, _ in checked})))}): "
            f"typical factor {error(model, checked):.2f}")
    return lines


def main(arguments):
    if len(arguments) != 1:
        print("usage: python3 launch/plots/loggp.py FOLDER", file=sys.stderr)
        return 64
    points = read(arguments[0])
    if not points:
        print(f"{arguments[0]}: found no members-*-ranks-*/benchmark.json", file=sys.stderr)
        return 66
    print("\n".join(summary(points)))
    for name, ranks, agents, filters, vote in predictions():
        print(f"{name}: {ranks} ranks: agents {1e6 * agents:.1f} us, EAKF {1e6 * filters:.1f} us, vote {1e6 * vote:.1f} us")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
