#!/usr/bin/env python3
"""Tables of a squall line's scores, in Markdown: every field by every method, truth by truth against the members that nothing
updates and against the LETKF; places that are observed and the others; what updates add to air and water.

    mpirun -np 2 daunce-mpi run --config docs/experiments/squall-line.yaml --output squall
    python3 docs/experiments/squall_line_scores.py squall
"""
import json
import sys

import netCDF4
import numpy as np

LAST = 3
FIELDS = {"w": 1, "theta": 1, "q_v": 1000, "q_c": 1000, "q_r": 1000, "q_i": 1000, "q_s": 1000}


def texts(values):
    return [str(text) for text in values[:]]


def pair(values, digits=3, sign=""):
    """Mean over truths and its standard error."""
    values = np.asarray(values, dtype=float)
    if not np.isfinite(values).all():
        return "failed"
    return f"{values.mean():{sign}.{digits}f} ± {values.std(ddof=1) / len(values) ** 0.5:.{digits}f}"


def table(title, header, rows):
    print(f"\n**{title}**\n\n| | {' | '.join(header)} |\n|{'---|' * (len(header) + 1)}")
    for name, cells in rows:
        print(f"| {name} | {' | '.join(cells)} |")


def last(folder, method, fields):
    """RMSE over the last times of each truth, over the truth's standard deviation over space and all times."""
    with netCDF4.Dataset(f"{folder}/nature.nc") as nature, netCDF4.Dataset(f"{folder}/analysis-{method}.nc") as analysis:
        errors = {}
        for field in fields:
            truth, mean = np.asarray(nature[field][:, 1:]), np.asarray(analysis[f"{field}_mean"][:])
            rmse = np.sqrt(((mean - truth) ** 2).mean(axis=(2, 3)))[:, -LAST:].mean(axis=1)
            errors[field] = rmse / truth.std(axis=(1, 2, 3))
        return errors


def main(folder):
    with netCDF4.Dataset(f"{folder}/scores.nc") as data:
        methods, fields = texts(data["method_name"]), texts(data["field_name"])
        scores = {name: np.asarray(data[name][:]) for name in ("rmse", "bias", "error", "spread", "crps")}
    with open(f"{folder}/scores.json") as file:
        entries = json.load(file)["methods"]

    def of(score, method, field):
        return scores[score][methods.index(method), :, fields.index(field)]

    named = [(f"`{m}`", m) for m in methods]
    others = [(text, m) for text, m in named if m != "free"]
    table("RMSE over the truth's standard deviation", [f"`{f}`" for f in FIELDS],
          [(text, [pair(of("rmse", m, f)) for f in FIELDS]) for text, m in named])
    table("RMSE less that of `free`, truth by truth", [f"`{f}`" for f in FIELDS],
          [(text, [pair(of("rmse", m, f) - of("rmse", "free", f), sign="+") for f in FIELDS]) for text, m in others])
    if "letkf" in methods:
        table("RMSE less that of `letkf`, truth by truth", [f"`{f}`" for f in FIELDS],
              [(text, [pair(of("rmse", m, f) - of("rmse", "letkf", f), sign="+") for f in FIELDS])
               for text, m in others if m != "letkf"])
    table("CRPS over that of `free`", [f"`{f}`" for f in FIELDS],
          [(text, [pair(of("crps", m, f) / of("crps", "free", f), 2) for f in FIELDS]) for text, m in others])
    table("Spread over error", [f"`{f}`" for f in FIELDS],
          [(text, [f"{np.mean(of('spread', m, f) / of('error', m, f)):.2f}" for f in FIELDS]) for text, m in named])
    table("Bias, 10^-3 of the field's unit (water: mg/kg)", [f"`{f}`" for f in FIELDS],
          [(text, [pair(of("bias", m, f) * 1000 * scale, 1, "+") for f, scale in FIELDS.items()]) for text, m in named])
    places = [("at_observations", "at the places"), ("elsewhere", "elsewhere")]
    table("w at the observed places and elsewhere", [f"{score}, {text}" for score in ("RMSE", "CRPS", "spread/error") for _, text in places],
          [(text, [f"{entries[m][part]['w'][score]:.3f}" for score in ("rmse", "crps", "spread_error_ratio")
                   for part, _ in places]) for text, m in named])
    budgets = ["dry_air", "water", "condensate"]
    table("What an update adds, in the mean of members (and its size in a member), %", [b.replace("_", " ") for b in budgets],
          [(text, [f"{100 * entries[m]['update_change'][b]['mean']:+.4f} ({100 * entries[m]['update_change'][b]['size']:.4f})"
                   for b in budgets]) for text, m in others])
    late = {m: last(folder, m, FIELDS) for m in methods}
    table(f"RMSE less that of `free` over the last {LAST} times, truth by truth", [f"`{f}`" for f in FIELDS],
          [(text, [pair(late[m][f] - late["free"][f], sign="+") for f in FIELDS]) for text, m in others])
    print("\nSnow, by truth: " + "; ".join(f"{m} " + ", ".join(f"{v:+.3f}" for v in late[m]["q_s"] - late["free"]["q_s"])
                                         for m in methods if m != "free"))
    least = min(entries[m][f"min_{q}"] for m in methods for q in ("q_v", "q_c", "q_i", "q_r", "q_s"))
    print(f"\nLeast water in any member at any time: {least:g}")
    print("Seconds of a cycle (median): " + ", ".join(f"{m} {entries[m]['seconds_per_cycle']:.2f}" for m in methods))


main(sys.argv[1])
