"""The command line: which folders, which truth, which cell; one line for every figure drawn or left out."""

import argparse
import os
import sys
import warnings
from pathlib import Path

from plots import (
    energy, hovmoller, members, multipliers, observations, ranks, scaling, section, table, training, trajectories,
    warm_pool)
from plots.results import Missing, Refusal, Results
from plots.style import save, use

# In the order of the paper's figures, then what it doesn't show.
DRAWERS = {
    "observations": observations.draw,
    "trajectories": trajectories.draw,
    "hovmoller": hovmoller.draw,
    "energy": energy.draw,
    "profile": warm_pool.draw,
    "table2": table.draw,
    "multipliers": multipliers.draw,
    "training": training.draw,
    "ranks": ranks.draw,
    "section": section.draw,
}
# Those of models with a height, which others don't miss.
OF_PLANES = {"section"}
# Those that a folder of `daunce-mpi train` has the files for.
OF_TRAINING = {"multipliers", "training"}
# Draws from all folders together.
TOGETHER = "members"


class Parser(argparse.ArgumentParser):
    """Ends with the program's exit code for a wrong command line."""

    def error(self, message):
        raise Refusal(64, f"{message}; `launch/figures --help` shows the usage")


def parse(arguments):
    parser = Parser(
        prog="launch/figures", allow_abbrev=False,
        description="Draws figures of results into RESULTS/figures/, as PNG and PDF. Several folders with different "
        "numbers of members also give skill against ensemble size, in the first one's figures. A folder of "
        "launch/scaling-study gives scaling and network.")
    parser.add_argument("folders", metavar="RESULTS", nargs="+", help="folder that daunce-mpi has written")
    parser.add_argument("--only", action="append", choices=[*DRAWERS, TOGETHER, *scaling.DRAWERS],
                        metavar="NAME", help="draw this one alone; several times for several: "
                        + ", ".join([*DRAWERS, TOGETHER, *scaling.DRAWERS]))
    parser.add_argument("--truth", type=int, default=0, help="truth to show, from 0 (default: 0)")
    parser.add_argument("--cell", type=int, help="cell to show (default: where the observed variable varies most)")
    return parser.parse_args(arguments)


def tell(message):
    print(f"launch/figures: {message}", file=sys.stderr)


def announce(path):
    """Names a file on standard output; a closed stream is no reason to fail."""
    try:
        print(path, flush=True)
    except BrokenPipeError:
        sys.stdout = open(os.devnull, "w")


def attempt(name, results, drawings):
    """Saves all drawings, or says why there are none."""
    try:
        for drawing in drawings():
            announce(save(drawing, results.output))
            for note in drawing.notes:
                tell(f"{drawing.name}: {note}")
    except Missing as reason:
        tell(f"{results.folder}: no {name}: {reason}")
    except KeyError as key:
        tell(f"{results.folder}: no {name}: the files lack {key}; daunce-mpi run writes them together")


def main(arguments):
    try:
        options = parse(arguments)
        use()
        studies = [scaling.Study(Path(folder)) for folder in options.folders if scaling.is_study(Path(folder))]
        opened = [Results(folder, options.truth, options.cell) for folder in options.folders
                  if not scaling.is_study(Path(folder))]
        for results in [*studies, *opened]:
            results.prepare_output()
        for study in studies:
            for name, draw in scaling.DRAWERS.items():
                if not options.only or name in options.only:
                    attempt(name, study, lambda: draw(study))
        # Truths that a method failed on are missing, and a mean of nothing is what it is.
        warnings.filterwarnings("ignore", message="Mean of empty slice")
        warnings.filterwarnings("ignore", message="Degrees of freedom")
        wanted = options.only or [*DRAWERS, TOGETHER]
        for results in opened:
            for name, draw in DRAWERS.items():
                if name in wanted and (not results.is_training or name in OF_TRAINING or options.only):
                    if results.is_training and name not in OF_TRAINING:
                        tell(f"{results.folder}: no {name}: train has written no nature run")
                        continue
                    if name in OF_PLANES and not options.only and not results.has_planes:
                        continue
                    attempt(name, results, lambda: draw(results))
        runs = [results for results in opened if not results.is_training]
        if runs and TOGETHER in wanted:
            attempt(TOGETHER, runs[0], lambda: members.draw(runs))
    except Refusal as refusal:
        tell(refusal)
        return refusal.code
    except OSError as error:
        tell(f"{error.filename}: {error.strerror}")
        return 74
    return 0
