#!/usr/bin/env python3
"""A large analysis to measure: an ensemble on a periodic plane and point observations of it.

    plane.py FOLDER [cells 1000] [members 40] [observations 10000] [seed 1]

The truth is a smooth random field (sd 3, length 30 cells). Every member is the truth plus a field that all members share
plus one of its own (sd 1 each, length 8): member and truth differ as two members differ. Values are observed at random
places between the cells with error sd 0.5. Writes ensemble.nc t(member, y, x) as float, truth.nc and obs.nc (x, y, value,
error_variance), in cells. Needs numpy and netCDF4; 1000 x 1000 x 40 take some 20 s and 1 GB.
"""
import os
import sys

import netCDF4
import numpy as np


def main(folder, cells=1000, members=40, count=10000, seed=1):
    rng = np.random.default_rng(seed)
    square = (2 * np.pi * np.fft.fftfreq(cells)[:, None]) ** 2 + (2 * np.pi * np.fft.rfftfreq(cells)) ** 2

    def smooth(length, sd):
        spectrum = np.fft.rfft2(rng.standard_normal((cells, cells))) * np.exp(-square * length**2 / 4)
        field = np.fft.irfft2(spectrum, s=(cells, cells))
        return field * (sd / field.std())

    truth = smooth(30, 3)
    shared = truth + smooth(8, 1)
    y, x = rng.uniform(0, cells - 1, count), rng.uniform(0, cells - 1, count)
    j, i = y.astype(int), x.astype(int)
    v, u = y - j, x - i
    at = lambda a, b: truth[(j + a) % cells, (i + b) % cells]
    value = (1 - v) * ((1 - u) * at(0, 0) + u * at(0, 1)) + v * ((1 - u) * at(1, 0) + u * at(1, 1))
    value += 0.5 * rng.standard_normal(count)

    os.makedirs(folder, exist_ok=True)
    axis = np.arange(cells, dtype=float)

    def create(name):
        data = netCDF4.Dataset(os.path.join(folder, name), "w", format="NETCDF3_64BIT_OFFSET")
        for dimension in "yx":
            data.createDimension(dimension, cells)
            data.createVariable(dimension, "f8", (dimension,))[:] = axis
        return data

    with create("truth.nc") as data:
        data.createVariable("t", "f8", ("y", "x"))[:] = truth
    with create("ensemble.nc") as data:
        data.createDimension("member", members)
        t = data.createVariable("t", "f4", ("member", "y", "x"))
        for member in range(members):
            t[member] = shared + smooth(8, 1)
    with netCDF4.Dataset(os.path.join(folder, "obs.nc"), "w", format="NETCDF3_CLASSIC") as data:
        data.createDimension("nobs", count)
        columns = {"x": x, "y": y, "value": value, "error_variance": np.full(count, 0.25)}
        for name, numbers in columns.items():
            data.createVariable(name, "f8", ("nobs",))[:] = numbers


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    main(sys.argv[1], *map(int, sys.argv[2:]))
