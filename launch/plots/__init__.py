"""Figures of a results folder, drawn from its NetCDF files alone. Started by launch/figures."""
