#!/usr/bin/env python3
"""Writes the model-*.nc files of this folder, as programs other than this one would have written them.

    python3 make_model_files.py [FOLDER]

The values of a field are 100 * its number + 10 * member + cell / 8, which every type here holds exactly.
"""
import os
import sys

import netCDF4
import numpy as np

folder = sys.argv[1] if len(sys.argv) > 1 else os.path.dirname(os.path.abspath(__file__))
MEMBERS = 3


def create(name, format="NETCDF4"):
    file = netCDF4.Dataset(os.path.join(folder, name), "w", format=format)
    file.title = "fixture"
    return file


def values(shape, field=1, members=MEMBERS):
    cells = np.arange(int(np.prod(shape)), dtype="f8").reshape(shape) / 8
    return np.stack([100 * field + 10 * member + cells for member in range(members)])


def coordinate(file, name, numbers, **attributes):
    file.createDimension(name, len(numbers))
    variable = file.createVariable(name, "f8", (name,))
    variable.setncatts(attributes)
    variable[:] = numbers


# Members first; a land point; a variable that is passed through.
def simple(name, format):
    file = create(name, format)
    file.createDimension("member", MEMBERS)
    coordinate(file, "y", [0.0, 10.0], units="m", axis="Y")
    coordinate(file, "x", [1.0, 2.0, 3.0, 4.0], units="km", axis="X")
    t = file.createVariable("t", "f4", ("member", "y", "x"), fill_value=np.float32(1e20), **packing(format))
    t.units, t.long_name, t.standard_name = "K", "temperature", "air_temperature"
    t.valid_min = np.float32(0)
    numbers = values((2, 4))
    numbers[:, 1, 2] = 1e20
    t[:] = np.ma.masked_values(numbers, 1e20)
    u = file.createVariable("u", "f8", ("y", "member", "x"))
    u.units = "m s-1"
    u[:] = np.moveaxis(values((2, 4), 2), 0, 1)
    mask = file.createVariable("mask", "i4", ("y", "x"))
    mask[:] = np.arange(8).reshape(2, 4)
    count = file.createVariable("count", "i4", ("member", "x"))
    count[:] = np.arange(12).reshape(3, 4)
    file.close()


def packing(format):
    return dict(zlib=True, complevel=4, shuffle=True, chunksizes=(2, 2, 2)) if format == "NETCDF4" else {}


simple("model-classic.nc", "NETCDF3_CLASSIC")
simple("model-offset64.nc", "NETCDF3_64BIT_OFFSET")
simple("model-netcdf4.nc", "NETCDF4")

# A file for each member: a record of time, packed shorts on a sphere with heights, a parameter and a map projection.
for member in range(MEMBERS):
    os.makedirs(os.path.join(folder, f"model-members/mem{member}"), exist_ok=True)
    file = create(f"model-members/mem{member}/restart.nc", "NETCDF4_CLASSIC")
    file.member = np.int32(member)
    file.createDimension("time", None)
    time = file.createVariable("time", "f8", ("time",))
    time.units = "hours since 2000-01-01"
    time[:] = [6.0]
    coordinate(file, "lev", [1000.0, 500.0], units="hPa", positive="down")
    coordinate(file, "lat", [60.0, 0.0, -60.0], units="degrees_north")
    coordinate(file, "lon", [0.0, 90.0, 180.0, 270.0], units="degrees_east")
    q = file.createVariable("q", "i2", ("time", "lev", "lat", "lon"), fill_value=np.int16(-32768))
    q.set_auto_maskandscale(False)
    q.scale_factor, q.add_offset, q.units = 0.125, 200.0, "g kg-1"
    raw = ((values((2, 3, 4), 1)[member] - 200) / 0.125).astype("i2")
    raw[0, 0, 1] = -32768
    q[0] = raw
    ps = file.createVariable("ps", "f4", ("time", "lat", "lon"), zlib=True)
    ps.units = "Pa"
    ps[0] = values((3, 4), 2)[member]
    alpha = file.createVariable("alpha", "f8", ())
    alpha[...] = 0.5 + member
    file.close()

# The same on another grid, and at another time.
for name, lat, hours in (("other-grid", [60.0, 1.0, -60.0], 6.0), ("other-time", [60.0, 0.0, -60.0], 7.0)):
    with netCDF4.Dataset(os.path.join(folder, "model-members/mem1/restart.nc")) as source:
        file = create(f"model-{name}.nc", "NETCDF4_CLASSIC")
        for dimension in source.dimensions.values():
            file.createDimension(dimension.name, None if dimension.isunlimited() else len(dimension))
        for variable in source.variables.values():
            fill = variable.getncattr("_FillValue") if "_FillValue" in variable.ncattrs() else None
            copy = file.createVariable(variable.name, variable.dtype, variable.dimensions, fill_value=fill)
            copy.setncatts({key: variable.getncattr(key) for key in variable.ncattrs() if key != "_FillValue"})
            variable.set_auto_maskandscale(False)
            copy.set_auto_maskandscale(False)
            copy[...] = variable[...]
        file["lat"][:] = lat
        file["time"][:] = [hours]
        file.close()

# A curvilinear ocean with depths, two unplaced cells; and staggered velocities.
file = create("model-ocean.nc")
file.createDimension("member", MEMBERS)
file.createDimension("time", 1)
coordinate(file, "depth", [5.0, 50.0], units="m", positive="down", standard_name="depth")
file.createDimension("j", 2)
file.createDimension("i", 3)
for name, standard, numbers in (
    ("nav_lon", "longitude", [[0.0, 10.0, 20.0], [0.0, 12.0, 24.0]]),
    ("nav_lat", "latitude", [[60.0, 60.0, 60.0], [70.0, 71.0, 72.0]]),
):
    variable = file.createVariable(name, "f4", ("j", "i"), fill_value=np.float32(-1e20))
    variable.standard_name, variable.units = standard, "degrees"
    variable[:] = numbers
    variable[0, 2] = -1e20
for name, dims, field in (("thetao", ("time", "depth", "j", "i"), 1), ("zos", ("time", "j", "i"), 2)):
    variable = file.createVariable(name, "f4", (dims[0], "member") + dims[1:])
    variable.coordinates = "nav_lon nav_lat"
    shape = tuple(len(file.dimensions[d]) for d in dims[1:])
    variable[0] = values(shape, field)
file.close()

# Velocities at the sides of cells, periodic along x.
file = create("model-staggered.nc", "NETCDF3_CLASSIC")
file.createDimension("realization", MEMBERS)
coordinate(file, "x", [0.5, 1.5, 2.5, 3.5], units="m", axis="X")
coordinate(file, "xu", [0.0, 1.0, 2.0, 3.0], units="m", axis="X")
coordinate(file, "yc", [0.0, 1.0], units="m")
coordinate(file, "yv", [0.5, 1.5], units="m")
for name, dims, field in (("h", ("yc", "x"), 1), ("u", ("yc", "xu"), 2), ("v", ("yv", "x"), 3)):
    variable = file.createVariable(name, "f4", ("realization",) + dims)
    variable[:] = values(tuple(len(file.dimensions[d]) for d in dims), field)
file.close()

# Stations, and parameters without a place.
file = create("model-stations.nc", "NETCDF3_CLASSIC")
file.createDimension("number", MEMBERS)
file.createDimension("station", None)
for name, units, numbers in (("lat", "degrees_north", [1.0, 5.0, 3.0]), ("lon", "degrees_east", [350.0, 10.0, 20.0])):
    variable = file.createVariable(name, "f8", ("station",))
    variable.units = units
    variable[:] = numbers
t = file.createVariable("t", "f8", ("station", "number"))
t.coordinates = "lat lon"
t[:] = np.moveaxis(values((3,)), 0, 1)
file.close()

file = create("model-parameters.nc", "NETCDF3_CLASSIC")
file.createDimension("member", MEMBERS)
for number, name in enumerate("ab"):
    file.createVariable(name, "f8", ("member",))[:] = values((), number + 1)
file.close()

# Two times; one member; unsigned packed bytes with a default fill and a missing value.
file = create("model-two-times.nc", "NETCDF3_CLASSIC")
file.createDimension("time", None)
file.createDimension("member", MEMBERS)
file.createDimension("x", 2)
file.createVariable("t", "f4", ("time", "member", "x"))[:] = np.zeros((2, MEMBERS, 2))
file.close()

file = create("model-one-member.nc", "NETCDF3_CLASSIC")
file.createDimension("member", 1)
file.createVariable("a", "f8", ("member",))[:] = [1.0]
file.close()

# Coordinates to refuse: along four directions, in disorder; and longitudes that jump by a turn.
file = create("model-coordinates.nc", "NETCDF3_CLASSIC")
file.createDimension("member", MEMBERS)
for name in "abcd":
    coordinate(file, name, [0.0, 1.0])
coordinate(file, "x", [0.0, 2.0, 1.0])
coordinate(file, "lon", [350.0, 355.0, 0.0, 5.0], units="degrees_east")
for name, dims in (("four", "abcd"), ("disorder", "x"), ("jump", ["lon"])):
    variable = file.createVariable(name, "f4", ("member",) + tuple(dims))
    variable[:] = values(tuple(len(file.dimensions[d]) for d in dims))
file.close()

file = create("model-bytes.nc", "NETCDF3_CLASSIC")
file.createDimension("member", 2)
file.createDimension("x", 4)
b = file.createVariable("b", "i1", ("member", "x"), fill_value=np.int8(-1))
b.set_auto_maskandscale(False)
b.setncattr("_Unsigned", "true")
b.scale_factor, b.add_offset = np.float32(0.5), np.float32(1)
b.missing_value = np.int8(-2)
b[:] = np.array([[0, 127, -128, -1], [-2, 1, 2, 3]], dtype="i1")
file.createVariable("words", "S1", ("member", "x"))
file.close()
