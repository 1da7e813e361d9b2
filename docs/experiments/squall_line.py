#!/usr/bin/env python3
"""Figures of a squall line from a nature run of the model `convection`: peak updraught, coldest air at the ground, where the
cold pool's front is over the ground, condensate, and the budgets of dry air and water.

    daunce-mpi simulate --cycles 36 --set model.name=convection --set nature.spinup=0 --set initial.kind=climatology \\
      --set truths.spinup_cycles=0 --output line
    python3 docs/experiments/squall_line.py line/nature.nc
"""
import sys

import netCDF4
import numpy as np

R, CP, P0, FRAME = 287.04, 1005.7, 1.0e5, 12.5


def es(t):
    return 611.2 * np.exp(17.67 * (t - 273.15) / (t - 29.65))


def base(heights):
    """Potential temperature and Exner function of the sounding, every metre by trapezia."""
    z = np.arange(0.0, 20001.0)
    theta = np.where(z <= 12000, 300 + 43 * (z / 12000) ** 1.25, 343 * np.exp(9.81 * (z - 12000) / (CP * 213)))
    humidity = np.where(z <= 12000, 1 - 0.75 * (z / 12000) ** 1.25, 0.25)
    vapour = np.zeros_like(z)
    for _ in range(8):
        inverse = 1 / (theta * (1 + 0.61 * vapour))
        steps = -9.81 / CP * 0.5 * (inverse[1:] + inverse[:-1])
        pi = np.concatenate([[1.0], 1 + np.cumsum(steps)])
        p, t = P0 * pi ** (CP / R), theta * pi
        vapour = np.minimum(0.014, humidity * 0.622 * es(t) / (p - es(t)))
    return np.interp(heights, z, theta), np.interp(heights, z, pi)


def main(path):
    with netCDF4.Dataset(path) as data:
        def field(name):
            values = np.asarray(data[name][:])
            return values.reshape((-1,) + values.shape[-2:])

        heights = np.asarray(data["height"][:])
        theta, pi = base(heights)
        w, warmth, water = field("w"), field("theta"), [field(q) for q in ("q_v", "q_c", "q_i", "q_r", "q_s")]
        exner = pi[:, None] + field("pi")
    moist = (theta[:, None] + warmth) * (1 + water[0] / 0.622)
    density = P0 / R * exner ** ((CP - R) / R) / moist
    cell = 1000 * (heights[1] - heights[0])
    air = density.sum((1, 2)) * cell
    total = (density * sum(water)).sum((1, 2)) * cell
    print("  time  peak w  coldest  front   cold  condensate  rained out       dry air")
    print("     s     m/s        K     km     km        g/kg        kg/m        change")
    for n in range(len(w)):
        cold = np.flatnonzero(warmth[n, 0] < -1)
        front = f"{cold[-1] + 1 + FRAME * 0.3 * n:6.1f}" if len(cold) else "     -"
        condensate = 1000 * sum(q[n] for q in water[1:]).max()
        print(f"{300 * n:6d} {w[n].max():7.1f} {warmth[n, 0].min():8.1f} {front} {len(cold):6d} {condensate:11.1f}"
              f" {total[0] - total[n]:11.0f} {air[n] / air[0] - 1:13.1e}")


main(sys.argv[1])
