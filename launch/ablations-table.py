#!/usr/bin/env python3
"""A Markdown table of the results below a folder: `launch/ablations-table.py RESULTS`.

Every folder RESULTS/NAME with a scores.json gives one row a method. Numbers are means over the truths that the method
came through, with the standard error of the mean behind; `-` where there is none.
"""

import json
import pathlib
import sys

COLUMNS = ["ablation", "method", "MJO RMSE", "a RMSE", "K RMSE", "R RMSE", "spread/error", "in band, %", "failed"]


def number(mean, error, digits, factor=1):
    if mean is None:
        return "-"
    text = f"{factor * mean:.{digits}f}"
    return text if error is None else f"{text} ± {factor * error:.{digits}f}"


def row(name, method, entry):
    errors = entry["standard_error"]
    failures = [cycle for cycle in entry["failure_cycles"] if cycle is not None]
    failed = f"{len(failures)}/{len(entry['failure_cycles'])}, cycle {min(failures)}" if failures else "no"
    rmse = [number(entry["rmse"][v], errors["rmse"][v], 3) for v in "aKR"]
    return [
        name,
        f"`{method}`",
        number(entry["mjo_rmse"], entry["mjo_rmse_standard_error"], 3),
        *rmse,
        number(entry["spread_error_ratio_a"], errors["spread_error_ratio_a"], 2),
        number(entry["energy_in_band"], errors["energy_in_band"], 2, 100),
        failed,
    ]


def main():
    if len(sys.argv) != 2:
        sys.exit("usage: ablations-table.py RESULTS")
    rows = [COLUMNS, ["---"] * len(COLUMNS)]
    for path in sorted(pathlib.Path(sys.argv[1]).glob("*/scores.json")):
        methods = json.loads(path.read_text())["methods"]
        rows += [row(path.parent.name, method, entry) for method, entry in sorted(methods.items())]
    if len(rows) == 2:
        sys.exit(f"{sys.argv[1]}: found no scores.json in any folder there")
    print("\n".join("| " + " | ".join(cells) + " |" for cells in rows))


if __name__ == "__main__":
    main()
