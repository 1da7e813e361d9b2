#!/usr/bin/env python3
"""Whether the ensemble's analyses are those of daunce-mpi: compare.py RESULT ANALYSIS.nc

SPDX-License-Identifier: Apache-2.0"""
import sys

import netCDF4
import numpy

ours = numpy.fromfile(sys.argv[1])
with netCDF4.Dataset(sys.argv[2]) as file:
    program = numpy.stack([file["u_mean"][:], file["u_spread"][:]], axis=1)
same = ours.tobytes() == numpy.ascontiguousarray(program, dtype="f8").tobytes()
print(f"{len(program)} analyses, mean and spread: {'the same bits' if same else 'other bits'}")
sys.exit(not same)
