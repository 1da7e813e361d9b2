#!/usr/bin/env python3
"""Writes the observation files that ReadersTests read, with numpy and netCDF4 alone: `make_observation_files.py [FOLDER]`.

The same six observations in every format: temperature and wind at three places, of which one temperature is missing.
"""

import os
import sys

import netCDF4
import numpy as np

folder = sys.argv[1] if len(sys.argv) > 1 else os.path.dirname(os.path.abspath(__file__))

NAMES = ["temperature", "wind"]
LONGITUDE = np.array([10.0, 190.5, 359.25])
LATITUDE = np.array([-45.0, 0.0, 60.5])
HEIGHT = np.array([2.0, 500.0, 1500.0])
# Seconds since 2020-01-01T00:00:00Z.
TIME = np.array([0, 3600, 86400])
VALUE = {"temperature": np.array([288.5, np.nan, 270.25]), "wind": np.array([3.5, -7.25, 12.0])}
SD = {"temperature": np.array([0.5, 0.5, 1.5]), "wind": np.array([2.0, 1.0, 0.25])}
UNITS = "seconds since 2020-01-01T00:00:00Z"


def create(name, form="NETCDF4"):
    return netCDF4.Dataset(os.path.join(folder, name), "w", format=form)


def put(owner, name, kind, over, values, fill=None, **notes):
    variable = owner.createVariable(name, kind, over, fill_value=fill)
    for key, value in notes.items():
        variable.setncattr(key, value)
    variable.set_auto_maskandscale(False)
    variable[:] = values
    return variable


def long_form():
    """Names, times, places, values and variances, one observation after the other."""
    rows = []
    for name in NAMES:
        for i in range(3):
            rows.append((name, TIME[i], LONGITUDE[i], LATITUDE[i], HEIGHT[i], VALUE[name][i], SD[name][i] ** 2))
    return rows


def points(name, form):
    rows = long_form()
    with create(name, form) as file:
        file.createDimension("nobs", 6)
        file.createDimension("ens", 2)
        file.createDimension("letters", 12)
        put(file, "longitude", "f8", ("nobs",), [r[2] for r in rows], units="degrees_east")
        put(file, "latitude", "f8", ("nobs",), [r[3] for r in rows], units="degrees_north")
        put(file, "height", "f8", ("nobs",), [r[4] for r in rows], units="m")
        values = np.array([r[5] for r in rows])
        put(file, "value", "f8", ("nobs",), np.where(np.isnan(values), -999.0, values), fill=-999.0)
        put(file, "error_variance", "f8", ("nobs",), [r[6] for r in rows])
        put(file, "time", "f8", ("nobs",), [r[1] for r in rows], units=UNITS)
        if form == "NETCDF4":
            variable = file.createVariable("variable", str, ("nobs",))
            for i, row in enumerate(rows):
                variable[i] = row[0]
        else:
            characters = np.array([list(r[0].ljust(12)) for r in rows], dtype="S1")
            put(file, "variable", "S1", ("nobs", "letters"), characters)
        hx = np.stack([np.arange(6.0), 10 + np.arange(6.0)])
        put(file, "hx", "f8", ("ens", "nobs"), hx)


def packed():
    """Shorts with scale and offset, standard deviations, kinds by number, marks and an index."""
    with create("readers-packed.nc", "NETCDF3_CLASSIC") as file:
        file.createDimension("obs", 3)
        put(file, "obs", "i4", ("obs",), [1, 2, 3])
        put(file, "value", "i2", ("obs",), [100, -32767, 200], fill=np.int16(-32767), scale_factor=0.5, add_offset=10.0)
        put(file, "error", "f4", ("obs",), [0.5, 0.5, 2.0])
        put(file, "x", "f4", ("obs",), [0.25, 0.5, 0.75], units="m")
        meanings = "salt heat"
        put(file, "variable", "i1", ("obs",), [7, 5, 7], flag_values=np.array([5, 7], "i1"), flag_meanings=meanings)
        put(file, "quality", "i4", ("obs",), [0, 0, 3])


def cf():
    with create("readers-cf.nc", "NETCDF3_64BIT_OFFSET") as file:
        file.featureType = "point"
        file.Conventions = "CF-1.10"
        file.createDimension("i", 3)
        put(file, "t", "f8", ("i",), TIME, standard_name="time", units=UNITS)
        put(file, "lon", "f8", ("i",), LONGITUDE, standard_name="longitude", units="degrees_east")
        put(file, "lat", "f8", ("i",), LATITUDE, units="degrees_north")
        put(file, "alt", "f8", ("i",), HEIGHT, standard_name="height", units="m")
        for name in NAMES:
            values = np.where(np.isnan(VALUE[name]), 1e30, VALUE[name])
            put(file, name, "f4", ("i",), values, fill=np.float32(1e30), coordinates="t lat lon alt",
                standard_name=name, ancillary_variables=f"{name}_flag {name}_error")
            put(file, name + "_error", "f4", ("i",), SD[name], standard_name=f"{name} standard_error")
            notes = {"standard_name": f"{name} status_flag"}
            if name == "wind":
                notes.update(flag_values=np.array([0, 1, 4], "i1"), flag_meanings="not_used PASS Suspect")
            put(file, name + "_flag", "i1", ("i",), [1, 0, 4], **notes)


FLOAT_FILL = np.float32(9.969209968386869e36)


def ioda_values(name, values):
    """The values with the two marks for missing ones that are about."""
    values = values.astype("f4")
    return np.where(np.isnan(values), np.float32(-3.3687953e38), values)


def ioda():
    with create("readers-ioda.nc") as file:
        file._ioda_layout = "ObsGroup"
        file._ioda_layout_version = np.int32(0)
        file.createDimension("Location", 3)
        put(file, "Location", "i8", ("Location",), [0, 0, 0])
        meta = file.createGroup("MetaData")
        put(meta, "latitude", "f4", ("Location",), LATITUDE, fill=FLOAT_FILL, units="degrees_north")
        put(meta, "longitude", "f4", ("Location",), LONGITUDE, fill=FLOAT_FILL, units="degrees_east")
        put(meta, "height", "f4", ("Location",), HEIGHT, fill=FLOAT_FILL, units="m")
        put(meta, "dateTime", "i8", ("Location",), TIME, fill=np.int64(-9223372036854775806), units=UNITS)
        station = meta.createVariable("stationIdentification", str, ("Location",))
        for i, name in enumerate(["A1", "B22", "C"]):
            station[i] = name
        for group in ["ObsValue", "ObsError", "PreQC"]:
            owner = file.createGroup(group)
            for name in NAMES:
                if group == "PreQC":
                    put(owner, name, "i4", ("Location",), [2, 0, 3], fill=np.int32(-2147483643))
                else:
                    values = ioda_values(name, VALUE[name]) if group == "ObsValue" else SD[name]
                    put(owner, name, "f4", ("Location",), values, fill=FLOAT_FILL)


def ioda_channels():
    """Radiances: three channels, of which numbers are given; one value and one error missing, one mark bad."""
    with create("readers-ioda-channels.nc") as file:
        file._ioda_layout = "ObsGroup"
        file.createDimension("Location", 2)
        file.createDimension("Channel", 3)
        put(file, "Channel", "i4", ("Channel",), [4, 7, 9])
        meta = file.createGroup("MetaData")
        put(meta, "latitude", "f4", ("Location",), [1.0, 2.0])
        put(meta, "longitude", "f4", ("Location",), [3.0, 4.0])
        put(meta, "dateTime", "i8", ("Location",), [5, 6], units="seconds since 1970-01-01T00:00:00Z")
        over = ("Location", "Channel")
        put(file.createGroup("ObsValue"), "brightnessTemperature", "f4", over,
            [[200, 201, 202], [203, FLOAT_FILL, 205]], fill=FLOAT_FILL)
        put(file.createGroup("ObsError"), "brightnessTemperature", "f4", over,
            [[1, 2, 3], [4, 5, FLOAT_FILL]], fill=FLOAT_FILL)
        put(file.createGroup("QualityMarker"), "brightnessTemperature", "i4", over, [[0, 3, 4], [15, 0, 1]])


def ioda_flat():
    with create("readers-ioda-flat.nc", "NETCDF3_CLASSIC") as file:
        file.createDimension("nlocs", 3)
        file.createDimension("ndatetime", 20)
        put(file, "latitude@MetaData", "f4", ("nlocs",), LATITUDE)
        put(file, "longitude@MetaData", "f4", ("nlocs",), LONGITUDE)
        put(file, "height@MetaData", "f4", ("nlocs",), HEIGHT)
        dates = ["2020-01-01T00:00:00Z", "2020-01-01T01:00:00Z", "2020-01-02T00:00:00Z"]
        put(file, "datetime@MetaData", "S1", ("nlocs", "ndatetime"), np.array([list(d) for d in dates], dtype="S1"))
        for name in NAMES:
            put(file, name + "@ObsValue", "f4", ("nlocs",), ioda_values(name, VALUE[name]), fill=FLOAT_FILL)
            put(file, name + "@ObsError", "f4", ("nlocs",), SD[name])
            put(file, name + "@PreQC", "i4", ("nlocs",), [0, 1, 0])


def csv():
    with open(os.path.join(folder, "readers.csv"), "w", encoding="utf-8", newline="\n") as file:
        file.write("# three stations\nvariable,time,longitude [degrees_east],latitude [degrees_north],height [m],"
                   "value,error_variance\n")
        for name, time, longitude, latitude, height, value, variance in long_form():
            day, rest = divmod(int(time), 86400)
            date = f"2020-01-{1 + day:02d}T{rest // 3600:02d}:{rest % 3600 // 60:02d}:00Z"
            text = "" if np.isnan(value) else repr(float(value))
            file.write(f"{name},{date},{longitude},{latitude},{height},{text},{variance}\n")


def dart():
    """The list runs through the file backwards and then forwards: blocks 4 ... 6 come first in the file."""
    rows = long_form()
    order = [3, 4, 5, 0, 1, 2]  # observation of each block
    block = {row: i + 1 for i, row in enumerate(order)}
    day0 = (np.datetime64("2020-01-01") - np.datetime64("1601-01-01")).astype(int)
    with open(os.path.join(folder, "readers.obs_seq"), "w", encoding="ascii") as file:
        file.write(" obs_sequence\nobs_type_definitions\n           2\n")
        file.write("          11 temperature                     \n           4 wind                            \n")
        file.write("  num_copies:            3  num_qc:            1\n")
        file.write("  num_obs:            6  max_num_obs:            6\n")
        file.write("observation                                                     \n")
        file.write("prior ensemble member      2\nprior ensemble member      1\nData QC\n")
        file.write("  first:            4  last:            3\n")
        for i, k in enumerate(order):
            name, time, longitude, latitude, height, value, variance = rows[k]
            file.write(f" OBS            {i + 1}\n")
            file.write("  -888888.000000000     \n" if np.isnan(value) else f"   {value:.15G}     \n")
            file.write(f"   {10.0 + k}\n   {float(k)}\n   {1.0 if k == 2 else 0.0}\n")
            previous = block[k - 1] if k > 0 else -1
            following = block[k + 1] if k < 5 else -1
            file.write(f"{previous:12d}{following:12d}          -1\nobdef\nloc3d\n")
            file.write(f" {np.radians(longitude):25.16G} {np.radians(latitude):25.16G} {height:25.16G}  3\n")
            file.write(f"kind\n{4 if name == 'wind' else 11:12d}\n")
            if k == 4:
                file.write("platform\n   1.0 2.0 3.0\n           7\n")
            days, seconds = divmod(int(time), 86400)
            file.write(f"{seconds:6d} {day0 + days:10d}\n   {variance:.14E}\n")


def fields():
    """Two fields over (time, y, x) with all kinds of coordinates, and two truths of one more."""
    with create("readers-fields.nc", "NETCDF3_CLASSIC") as file:
        for name, length in [("time", 2), ("y", 2), ("x", 3), ("truth", 2)]:
            file.createDimension(name, length)
        put(file, "time", "f8", ("time",), [6.0, 12.0], units="hours since 2020-01-01")
        put(file, "x", "f8", ("x",), [0.0, 1.0, 2.0], units="km")
        put(file, "depth", "f8", ("y", "x"), np.arange(6.0).reshape(2, 3), units="m")
        values = np.arange(12.0).reshape(2, 2, 3)
        values[1, 0, 2] = np.nan
        put(file, "a", "f8", ("time", "y", "x"), values, coordinates="depth", error_variance=0.25)
        put(file, "b", "f8", ("truth", "x"), [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
        put(file, "b_error_variance", "f8", ("truth", "x"), [[0.1, 0.2, 0.3], [0.4, 0.5, 0.6]])
        put(file, "c", "f8", ("x",), [1.0, 2.0, 3.0])


points("readers-points.nc", "NETCDF4")
points("readers-points-classic.nc", "NETCDF3_CLASSIC")
packed()
cf()
ioda()
ioda_channels()
ioda_flat()
csv()
dart()
fields()
