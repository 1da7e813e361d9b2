"""Strong and weak scaling, where the time goes, and the network's model, from the folders of `launch/scaling-study`."""

import matplotlib.pyplot as plt

from plots import loggp
from plots.results import Missing
from plots.style import PAGE, Drawing, legend_above


def is_study(folder):
    """Whether `folder` has been written by launch/scaling-study."""
    return any(folder.glob("members-*-ranks-*/benchmark.json"))


class Study:
    """The points of a study."""

    def __init__(self, folder):
        self.folder = folder
        self.points = loggp.read(folder)
        self.methods = sorted({m for _, _, report in self.points for m in report["methods"]})

    @property
    def output(self):
        return self.folder / "figures"

    def prepare_output(self):
        self.output.mkdir(exist_ok=True)

    def series(self, method, value):
        """Values of a method by members, each a list of (ranks, value)."""
        lines = {}
        for members, ranks, report in self.points:
            entry = report["methods"].get(method)
            if entry and "whole_cycles" in entry:
                lines.setdefault(members, []).append((ranks, value(entry)))
        return {members: sorted(line) for members, line in sorted(lines.items())}


PARTS = ["forecast", "waiting", "reduction", "update", "diagnosis", "output"]


def draw_scaling(study):
    """Cycles a second and processor time of a member's cycle against ranks, and where the time goes."""
    for method in study.methods:
        rate = study.series(method, lambda e: e["whole_cycles"]["cycles_per_second"])
        cost = study.series(method, lambda e: e["whole_cycles"]["cpu_seconds_per_member_cycle"])
        user = study.series(method, lambda e: e["whole_cycles"]["user_seconds_per_member_cycle"])
        if not rate:
            continue
        figure, (left, middle, right) = plt.subplots(1, 3, figsize=(PAGE, 2.6))
        shades = plt.get_cmap("viridis")
        names = list(rate)
        for k, members in enumerate(names):
            style = {"color": shades(0.9 * k / max(1, len(names) - 1)), "marker": "o", "markersize": 2.5}
            left.plot(*zip(*rate[members]), label=f"{members} members", **style)
            middle.plot(*zip(*[(r, 1e6 * v) for r, v in cost[members]]), **style)
            middle.plot(*zip(*[(r, 1e6 * v) for r, v in user[members]]), linestyle=":", **{**style, "marker": ""})
        weak = sorted((r, v) for members, line in cost.items() for r, v in line if r == members)
        if len(weak) > 1:
            middle.plot(*zip(*[(r, 1e6 * v) for r, v in weak]), color="0.3", linestyle="--", linewidth=0.8)
        bars(study, method, right)
        for axes, what in [(left, "cycles a second"), (middle, "processor time of a\nmember's cycle (µs)")]:
            axes.set_xscale("log", base=2)
            axes.set_yscale("log")
            axes.set_xlabel("ranks")
            axes.set_ylabel(what)
        legend_above(figure, *left.get_legend_handles_labels())
        yield Drawing(f"scaling-{method}", figure, {"md": table(study, method)})


def bars(study, method, axes):
    """Shares of the parts of a cycle, for the largest ensemble, by ranks."""
    points = [(ranks, report["methods"][method]) for members, ranks, report in study.points
              if method in report["methods"] and members == max(m for m, _, _ in study.points)]
    points.sort(key=lambda point: point[0])
    bottom = [0.0] * len(points)
    for k, part in enumerate(PARTS):
        share = [entry["parts"][part] / entry["seconds_with_output"] for _, entry in points]
        axes.bar([str(r) for r, _ in points], share, bottom=bottom, label=part, color=plt.get_cmap("tab10")(k))
        bottom = [b + s for b, s in zip(bottom, share)]
    axes.set_xlabel(f"ranks, {max(m for m, _, _ in study.points)} members")
    axes.set_ylabel("share of the cycle")
    axes.legend(fontsize=5.5, loc="lower left", frameon=True, framealpha=0.8)


def table(study, method):
    """All points of a method as a table in Markdown."""
    lines = [
        "| members | ranks | cycles/s | CPU a member's cycle, µs | user, µs | waiting | reduction | output |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for members, ranks, report in sorted(study.points, key=lambda p: p[:2]):
        entry = report["methods"].get(method)
        if not entry:
            continue
        run, whole = entry["whole_cycles"], entry["seconds_with_output"]
        shares = " | ".join(f"{100 * entry['parts'][part] / whole:.0f} %" for part in ("waiting", "reduction", "output"))
        lines.append(
            f"| {members} | {ranks} | {run['cycles_per_second']:.0f} | {1e6 * run['cpu_seconds_per_member_cycle']:.1f} "
            f"| {1e6 * run['user_seconds_per_member_cycle']:.1f} | {shares} |")
    return "\n".join(lines) + "\n"


def draw_network(study):
    """Measured collectives, the fitted model, and what it says of 10,000 ranks."""
    times, cores = loggp.collectives(study.points)
    if len({r for r, _ in times}) < 2:
        raise Missing("collectives of at least two numbers of ranks above 1 are missing; launch/scaling-study measures them")
    fitted, checked = loggp.split(times)
    model = loggp.fit(fitted, cores)
    figure, (left, right) = plt.subplots(1, 2, figsize=(PAGE, 2.8))
    ranks = sorted({r for r, _ in times})
    shades = plt.get_cmap("viridis")
    for k, r in enumerate(ranks):
        shade = shades(0.9 * k / max(1, len(ranks) - 1))
        line = sorted((size, 1e6 * seconds) for (q, size), seconds in times.items() if q == r)
        is_fitted = any(q == r for q, _ in fitted)
        left.plot(*zip(*line), "o" if is_fitted else "s", color=shade, markersize=3, mfc=shade if is_fitted else "none",
                  label=f"{r} ranks" + ("" if is_fitted else ", not fitted"))
        sizes = [size for size, _ in line if size <= loggp.LONGEST]
        left.plot(sizes, [1e6 * model.seconds(r, size) for size in sizes], color=shade, linewidth=0.8)
    left.set_xlabel("bytes a rank")
    left.set_ylabel("MPI_Allreduce (µs)")
    counts = [2, 4, 8, 16, 32, 64, 128, 257, 258, 512, 1024, 2048, 4096, 10_000]
    for k, name in enumerate(loggp.INTERCONNECTS):
        rows = [row for row in loggp.predictions(counts) if row[0] == name]
        shade = plt.get_cmap("tab10")(k)
        right.plot([r[1] for r in rows], [1e6 * (r[2] + r[4]) for r in rows], color=shade, label=f"{name}: agents")
        right.plot([r[1] for r in rows], [1e6 * (r[3] + r[4]) for r in rows], color=shade, linestyle="--",
                   label=f"{name}: EAKF")
    right.set_xlabel("ranks, a member each")
    right.set_ylabel("predicted collectives of a cycle (µs)")
    right.legend(fontsize=5)
    for axes in (left, right):
        axes.set_xscale("log")
        axes.set_yscale("log")
    # Room above the points.
    left.set_ylim(top=left.get_ylim()[1] * 12)
    left.legend(fontsize=5.5, ncol=2, loc="upper left")
    yield Drawing("network", figure, {"txt": "\n".join(loggp.summary(study.points)) + "\n"})


DRAWERS = {"scaling": draw_scaling, "network": draw_network}
