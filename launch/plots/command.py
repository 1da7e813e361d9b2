"""The command line: which folders, which truth, which cell; one line for every figure drawn or left out."""

import argparse
import sys
import warnings

from plots import (
    energy, hovmoller, members, multipliers, observations, ranks, table, training, trajectories, warm_pool)
from plots.results import Missing, Refusal, Results
from plots.style import save, use

# In the order of the paper's figures, then what it doesn't show.
SINGLE = {
    "observations": observations.draw,
    "trajectories": trajectories.draw,
    "hovmoller": hovmoller.draw,
    "energy": energy.draw,
    "profile": warm_pool.draw,
    "table2": table.draw,
    "multipliers": multipliers.draw,
    "training": training.draw,
    "ranks": ranks.draw,
}


class Parser(argparse.ArgumentParser):
    """Ends with the program's exit code for a wrong command line."""

    def error(self, message):
        raise Refusal(64, f"{message}; `launch/figures --help` shows the usage")


def parse(arguments):
    parser = Parser(
        prog="launch/figures", allow_abbrev=False,
        description="Draws figures of results into RESULTS/figures/, as PNG and PDF. Several folders with different "
        "numbers of members also give skill against ensemble size, in the first one's figures.")
    parser.add_argument("folders", metavar="RESULTS", nargs="+", help="folder that daunce-mpi has written")
    parser.add_argument("--truth", type=int, default=0, help="truth to show, from 0 (default: 0)")
    parser.add_argument("--cell", type=int, help="cell to show (default: where the observed variable varies most)")
    return parser.parse_args(arguments)


def tell(message):
    print(f"launch/figures: {message}", file=sys.stderr)


def attempt(name, results, drawings):
    """Saves all drawings, or says why there are none."""
    try:
        for drawing in drawings():
            print(save(drawing, results.output), flush=True)
            for note in drawing.notes:
                tell(f"{drawing.name}: {note}")
    except Missing as reason:
        tell(f"{results.folder}: no {name}: {reason}")


def main(arguments):
    try:
        options = parse(arguments)
        opened = [Results(folder, options.truth, options.cell) for folder in options.folders]
        for results in opened:
            results.prepare_output()
        use()
        # Truths that a method failed on are missing, and a mean of nothing is what it is.
        warnings.filterwarnings("ignore", message="Mean of empty slice")
        warnings.filterwarnings("ignore", message="Degrees of freedom")
        for results in opened:
            for name, draw in SINGLE.items():
                attempt(name, results, lambda: draw(results))
        attempt("members", opened[0], lambda: members.draw(opened))
    except Refusal as refusal:
        tell(refusal)
        return refusal.code
    except OSError as error:
        tell(error)
        return 74
    return 0
