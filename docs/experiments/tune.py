#!/usr/bin/env python3
"""The best error of filters over half-widths, relaxations and inflations, by number of members.

    docs/experiments/tune.py CONFIG MEMBERS,MEMBERS,... [key=value ...]

Every line of the output is a method with a number of members: its least error of the mean over the test truths (the
column "error" of the table), its standard error, and the settings that have it. Failed settings don't count.
"""
import json, os, subprocess, sys, tempfile

program = os.environ.get("DAUNCE", ".build/release/daunce-mpi")
config, members, settings = sys.argv[1], sys.argv[2].split(","), sys.argv[3:]
methods = os.environ.get("METHODS", "eakf,letkf").split(",")
widths = os.environ.get("WIDTHS", "4,6,8,10").split(",")
relaxations = os.environ.get("RTPS", "0,0.2,0.4").split(",")
inflations = os.environ.get("INFLATION", "1,1.02,1.05").split(",")


def run(method, count, width, relaxation, inflation):
    with tempfile.TemporaryDirectory() as folder:
        own = [f"methods=[{method}]", f"members={count}", f"filter.half_width={width}", f"filter.rtps={relaxation}",
               f"filter.inflation={inflation}"]
        command = [program, "run", "--config", config, "--output", folder + "/out", "--quiet"]
        for setting in settings + own:
            command += ["--set", setting]
        if subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode:
            return None
        entry = json.load(open(folder + "/out/scores.json"))["methods"][method]
        if entry["diverged"] > 0:
            return None
        field, error = next(iter(entry["absolute_rmse"].items()))
        # Errors in the field's unit; their standard errors are of errors over the truth's sd.
        return error, entry["standard_error"]["rmse"][field] * error / entry["rmse"][field]


for method in methods:
    for count in members:
        found = []
        for width in widths:
            for relaxation in relaxations:
                for inflation in inflations:
                    score = run(method, count, width, relaxation, inflation)
                    if score:
                        found.append((*score, width, relaxation, inflation))
        if not found:
            print(f"{method:8} {count:>4} members: every setting failed", flush=True)
            continue
        error, spread, width, relaxation, inflation = min(found)
        print(f"{method:8} {count:>4} members: {error:.3f} +- {spread:.3f} (half_width {width}, rtps {relaxation}, "
              f"inflation {inflation})", flush=True)
