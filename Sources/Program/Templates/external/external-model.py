"""NAME: a model that is a program, and stays alive: Python starts once, not for every forecast.

It reads requests from its standard input, one line each, and answers with a line "ok", or "error" and a text. All else that it
prints is kept in files. A state is in a file of doubles, in the order of model.yaml.
"""
import array
import random
import sys
import traceback
from urllib.parse import quote, unquote

CELLS, STEP, FORCING = 40, 0.05, 8.0


def tendency(u):
    """Lorenz (1996); here goes yours."""
    return [(u[(i + 1) % CELLS] - u[i - 2]) * u[i - 1] - u[i] + FORCING for i in range(CELLS)]


def moved(u, factor, du):
    return [a + factor * b for a, b in zip(u, du)]


def step(u):
    k1 = tendency(u)
    k2 = tendency(moved(u, STEP / 2, k1))
    k3 = tendency(moved(u, STEP / 2, k2))
    k4 = tendency(moved(u, STEP, k3))
    return [x + STEP / 6 * (a + 2 * b + 2 * c + d) for x, a, b, c, d in zip(u, k1, k2, k3, k4)]


def read(name):
    u = array.array("d")
    with open(name, "rb") as file:
        u.fromfile(file, CELLS)
    return list(u)


def write(name, u):
    with open(name, "wb") as file:
        array.array("d", u).tofile(file)


def start(output, seed):
    noise = random.Random(int(seed))
    write(output, [FORCING + 0.01 * noise.gauss(0, 1) for _ in range(CELLS)])


def forecast(source, output, begin, end, seed):
    u = read(source)
    for _ in range(round((float(end) - float(begin)) / STEP)):
        u = step(u)
    write(output, u)


for line in sys.stdin:
    kind, *words = map(unquote, line.split())
    try:
        {"start": start, "forecast": forecast}[kind](*words)
        print("ok", flush=True)
    except Exception:
        print("error", quote(traceback.format_exc().strip()), flush=True)
