#!/usr/bin/env python3
"""Methods of several runs over the same truths beside each other, truth by truth, as a Markdown table.

    docs/experiments/truth_by_truth.py FOLDER:METHOD FOLDER:METHOD ...

For every field: RMSE over the truth's standard deviation, CRPS in the field's unit, spread over error, means over truths with the
standard error of the mean; and what the first one is better by than each of the others, truth by truth (CRPS in per cent).
"""
import json
import sys
from statistics import mean, stdev


def pair(values, form):
    error = stdev(values) / len(values) ** 0.5 if len(values) > 1 else float("nan")
    return f"{mean(values):{form}} ± {error:{form.lstrip('+')}}"


def main(names):
    entries = {}
    for name in names:
        folder, method = name.rsplit(":", 1)
        with open(f"{folder}/scores.json") as file:
            entries[name] = json.load(file)["methods"][method]
        failed = [k + 1 for k, cycle in enumerate(entries[name]["failure_cycles"]) if cycle is not None]
        if failed:
            sys.exit(f"{name}: found failures on truths {failed}, expected a method that came through all of them")
    first = entries[names[0]]
    counts = {len(entry["failure_cycles"]) for entry in entries.values()}
    if len(counts) > 1:
        sys.exit(f"found runs over {sorted(counts)} truths, expected the same truths in all of them")
    print("| | field | RMSE | first is better by | on | CRPS | first is better by, % | spread/error | s/cycle |")
    print("|---|---|---|---|---|---|---|---|---|")
    for name, entry in entries.items():
        for field, rmse in entry["rmse_by_truth"].items():
            crps = entry["crps_by_truth"][field]
            gains = [a - b for a, b in zip(rmse, first["rmse_by_truth"][field])]
            shares = [100 * (a - b) / a for a, b in zip(crps, first["crps_by_truth"][field])]
            alone = entry is first
            print(f"| `{name}` | {field} | {pair(rmse, '.3f')} | {'' if alone else pair(gains, '+.3f')} "
                  f"| {'' if alone else f'{sum(g > 0 for g in gains)} of {len(gains)}'} | {pair(crps, '.0f')} "
                  f"| {'' if alone else pair(shares, '+.1f')} | {entry['spread_error_ratio'][field]:.2f} "
                  f"| {entry['seconds_per_cycle']:.2f} |")


main(sys.argv[1:])
