#!/usr/bin/env python3
"""Error of an analysed ensemble of plane.py: plane_rmse.py truth.nc ensemble.nc"""
import sys

import netCDF4
import numpy as np

truth, ensemble = (netCDF4.Dataset(path)["t"][:].astype(float) for path in sys.argv[1:3])
error = np.sqrt(((ensemble.mean(0) - truth) ** 2).mean())
spread = np.sqrt(ensemble.var(0, ddof=1).mean())
print(f"RMSE of the mean {error:.4f}, spread {spread:.4f}")
