"""qgs as a model of daunce-mpi: the two-layer quasi-geostrophic atmosphere of Reinhold and Pierrehumbert (1982), 20 variables.

A state is ten coefficients of the stream function (m2 s-1), then ten of the temperature (K), as doubles; time is in hours.
"""
import os
import sys
import traceback
import zlib
from urllib.parse import quote, unquote

os.environ["SPARSE_AUTO_DENSIFY"] = "1"  # qgs 1.0.0 leaves it to the package sparse to make numbers of its scalars

import numpy as np
from numba import njit
from qgs.functions.sparse_mul import sparse_mul3
from qgs.functions.tendencies import create_tendencies
from qgs.params.params import QgParams

TIME_STEP = 0.25  # hours
# qgs takes half a minute to work the model's terms out. Workers have folders side by side, and one file of terms for all: those
# of this script as it is.
with open(__file__, "rb") as script:
    TERMS = f"../qgs-terms-{zlib.crc32(script.read()):08x}.npz"

parameters = QgParams({"phi0_npi": 50 / 180, "hd": 0.3})
parameters.set_atmospheric_channel_fourier_modes(2, 2)
parameters.atmospheric_params.set_params({"sigma": 0.2, "kd": 0.1, "kdp": 0.01})
parameters.ground_params.set_orography(0.4, 1)
parameters.atemperature_params.set_thetas(0.2, 0)
half = parameters.ndim // 2
units = np.repeat([float(parameters.streamfunction_scaling), 2 * float(parameters.temperature_scaling)], half)
step = TIME_STEP * 3600 * float(parameters.scale_params.f0)


def terms():
    """Places and values of the tensor that makes tendencies of products of two variables."""
    if not os.path.exists(TERMS):
        tensor = create_tendencies(parameters, return_qgtensor=True)[2].tensor
        name = f"{TERMS}-{os.getpid()}.npz"
        np.savez(name, places=tensor.coords.T, values=tensor.data)
        os.replace(name, TERMS)  # at once, for the others
    with np.load(TERMS) as file:
        return file["places"], file["values"]


@njit
def tendency(places, values, x):
    whole = np.concatenate((np.ones(1), x))
    return sparse_mul3(places, values, whole, whole)[1:]


@njit
def carry(places, values, x, count, step):
    """Runge-Kutta of fourth order."""
    for _ in range(count):
        k1 = tendency(places, values, x)
        k2 = tendency(places, values, x + step / 2 * k1)
        k3 = tendency(places, values, x + step / 2 * k2)
        k4 = tendency(places, values, x + step * k3)
        x = x + step / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
    return x


def start(output, seed):
    (np.random.default_rng(int(seed)).uniform(0, 0.1, 2 * half) * units).tofile(output)


def forecast(source, output, begin, end, seed):
    x = np.fromfile(source) / units
    (carry(*terms, x, round((float(end) - float(begin)) / TIME_STEP), step) * units).tofile(output)


terms = terms()
for line in sys.stdin:
    kind, *words = map(unquote, line.split())
    try:
        {"start": start, "forecast": forecast}[kind](*words)
        print("ok", flush=True)
    except Exception:
        print("error", quote(traceback.format_exc().strip()), flush=True)
