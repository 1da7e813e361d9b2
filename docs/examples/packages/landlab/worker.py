"""landlab as a model of daunce-mpi: showers come and go over a valley of 2 x 3 km, and their water runs off.

A state is the depth of the water (m) and the logarithm of the rain over 4 mm/h, each at 20 x 30 nodes, in NetCDF; time is in hours.
"""
import sys
import traceback
from urllib.parse import quote, unquote

import numpy as np
from landlab import RasterModelGrid
from landlab.components import LinearDiffusionOverlandFlowRouter
from netCDF4 import Dataset
from scipy.ndimage import gaussian_filter

SHAPE, SPACING = (20, 30), 100.0  # m
TIME_STEP = 0.1  # hours
RAIN, INFILTRATION = 4.0e-3, 1.0e-3  # m/h
PERSISTENCE = np.exp(-TIME_STEP / 2)  # of the rain, within a step: two hours
SHOWER, SPREAD = 4.0, 0.8  # size of showers in nodes, standard deviation of the logarithm

# The nodes at the edge are landlab's boundary: closed, but for the valley's lower end, where water leaves.
grid = RasterModelGrid((SHAPE[0] + 2, SHAPE[1] + 2), xy_spacing=SPACING)
middle = grid.y_of_node.mean()
grid.add_field("topographic__elevation", 0.02 * grid.x_of_node + 0.005 * abs(grid.y_of_node - middle), at="node")
grid.set_closed_boundaries_at_grid_edges(True, True, False, True)
flow = LinearDiffusionOverlandFlowRouter(grid, roughness=0.1, rain_rate=0.0, infilt_rate=INFILTRATION / 3600)
water = grid.at_node["surface_water__depth"].reshape(grid.shape)[1:-1, 1:-1]  # a view


def pattern(noise):
    """Normal numbers with a standard deviation of SPREAD, alike at neighbours."""
    return gaussian_filter(noise.normal(size=SHAPE), SHOWER, mode="wrap") * (SPREAD / size)


impulse = np.zeros(SHAPE)
impulse[0, 0] = 1
size = np.sqrt((gaussian_filter(impulse, SHOWER, mode="wrap") ** 2).sum())


def write(output, depth, rain):
    with Dataset(output, "w", format="NETCDF3_64BIT_OFFSET") as file:
        for name, length in zip(("y", "x"), SHAPE):
            file.createDimension(name, length)
        for name, values in (("depth", depth), ("rain", rain)):
            file.createVariable(name, "f8", ("y", "x"))[:] = values


def start(output, seed):
    write(output, np.zeros(SHAPE), pattern(np.random.default_rng(int(seed))))


def forecast(source, output, begin, end, seed):
    noise = np.random.default_rng(int(seed))
    with Dataset(source) as file:
        water[:] = np.maximum(file["depth"][:], 0)
        rain = np.array(file["rain"][:])
    for _ in range(round((float(end) - float(begin)) / TIME_STEP)):
        rain = PERSISTENCE * rain + np.sqrt(1 - PERSISTENCE**2) * pattern(noise)
        water[:] += RAIN * np.exp(rain) * TIME_STEP
        flow.run_one_step(TIME_STEP * 3600)
    write(output, water, rain)


for line in sys.stdin:
    kind, *words = map(unquote, line.split())
    try:
        {"start": start, "forecast": forecast}[kind](*words)
        print("ok", flush=True)
    except Exception:
        print("error", quote(traceback.format_exc().strip()), flush=True)
