"""How all figures look: one palette, one font size, one way to save."""

import os
from pathlib import Path
from typing import NamedTuple

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt  # noqa: E402

# Okabe and Ito's colours, which remain distinct in every common form of colour blindness, and a wine red of Tol's. The
# truth is black.
TRUTH = "#000000"
OBSERVED = "#7F7F7F"
COLOURS = {
    "rl": "#0072B2",
    "rl-unconstrained": "#56B4E9",
    "constrained-eakf": "#D55E00",
    "constrained-eakf-large": "#882255",
    "floored-eakf": "#E69F00",
    "eakf": "#CC79A7",
    "constrained-enkf": "#009E73",
    "enkf": "#666666",
    "letkf": "#332288",
    "localized-particle-filter": "#999933",
    "transport": "#44AA99",
    "particle-flow": "#AA3377",
    "diffusion": "#117733",
    "rank-histogram": "#EE6677",
}
# For methods that have no colour yet, in the order of their names.
SPARE = ["#661100", "#88CCEE", "#DDCC77", "#6699CC"]
ORDER = list(COLOURS)
MARKERS = dict(zip(COLOURS, "osD*^vPX<>hpd8"))

# Inches: a column of a journal's page, and the whole page.
COLUMN, PAGE = 3.5, 7.2


class Drawing(NamedTuple):
    """A figure, its file name without ending, texts to be saved beside it by their endings, and what the user should
    know of it."""

    name: str
    figure: plt.Figure
    texts: dict = {}
    notes: tuple = ()


def colour(method):
    if method in COLOURS:
        return COLOURS[method]
    return SPARE[sum(method.encode()) % len(SPARE)]


def marker(method):
    return MARKERS.get(method, "H")


def use():
    """Sets the style of everything drawn from now on."""
    plt.rcParams.update({
        "font.size": 8, "axes.titlesize": 8, "axes.labelsize": 8, "legend.fontsize": 7.5,
        "xtick.labelsize": 7.5, "ytick.labelsize": 7.5, "font.family": "DejaVu Sans",
        "lines.linewidth": 1.0, "axes.linewidth": 0.6, "xtick.major.width": 0.6, "ytick.major.width": 0.6,
        "axes.spines.top": False, "axes.spines.right": False, "legend.frameon": False,
        "figure.constrained_layout.use": True, "pdf.fonttype": 42, "savefig.dpi": 200, "axes.grid": False,
    })


def label(field):
    """A field's name in a figure: variables in italics."""
    return f"${field}$" if len(field) == 1 else field


def legend_above(figure, handles, names):
    """A legend for all panels in a line of its own, or two, which leaves their width alone."""
    lines = 1 if len(names) <= 7 else 2
    figure.suptitle("\n".join(" " * lines), fontsize=8 if lines == 1 else 11)
    columns = -(-len(names) // lines)
    figure.legend(handles, names, loc="upper center", ncol=columns, columnspacing=1.2, handlelength=1.8)


def save(drawing, folder):
    """Writes PNG, PDF and texts; each appears under its name when it is complete. Returns the PNG's path."""
    figure, name = drawing.figure, drawing.name
    # Once for both formats.
    figure.draw_without_rendering()
    figure.set_layout_engine("none")
    for ending, metadata in [("png", {"Software": None}), ("pdf", {"CreationDate": None})]:
        replace(folder / f"{name}.{ending}", lambda path: figure.savefig(path, format=ending, metadata=metadata))
    for ending, text in drawing.texts.items():
        replace(folder / f"{name}.{ending}", lambda path: Path(path).write_text(text, encoding="utf-8"))
    plt.close(figure)
    return folder / f"{name}.png"


def replace(path, write):
    temporary = path.with_name(f".{path.name}.part")
    try:
        write(temporary)
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
