"""A folder of results: its files as xarray datasets, and what is said when one of them is not there."""

from pathlib import Path

import numpy as np
import xarray as xr

from plots.style import ORDER


class Missing(Exception):
    """Data that a figure needs are not there; the text says what is missing and which setting gives it."""


class Refusal(Exception):
    """Nothing can be drawn; `code` is the exit code, numbered as in sysexits.h."""

    def __init__(self, code, message):
        super().__init__(message)
        self.code = code


class Results:
    """What `daunce-mpi run` has written, seen from one truth and one cell."""

    def __init__(self, folder, truth=0, cell=None):
        self.folder = Path(folder)
        if not self.folder.is_dir():
            raise Refusal(66, f"{folder}: found no such folder, expected one that daunce-mpi has written")
        self._open = {}
        # What train writes: agents, and how their training went.
        self.is_training = (self.folder / "training.nc").is_file() and not (self.folder / "nature.nc").is_file()
        if self.is_training:
            return
        if not (self.folder / "nature.nc").is_file():
            raise Refusal(65, f"{folder}: found no nature.nc, expected the results of `daunce-mpi run`")
        self.truth = truth
        every = self.file("nature.nc")
        for name in ("time", "x"):
            if name not in every.variables:
                raise Refusal(65, f"{self.folder / 'nature.nc'}: variable {name}: found no such variable, expected it")
        self.truths = every.sizes.get("truth", 1)
        if not 0 <= truth < self.truths:
            raise Refusal(64, f"--truth: found {truth}, expected a number from 0 to {self.truths - 1} for {folder}")
        self.hours = every.attrs.get("time_unit_in_hours")
        self.kilometres = every.attrs.get("length_unit_in_kilometres")
        self.start = float(every["time"][0])
        # Models whose unit of time means something have days in their files, others their own unit.
        is_days = every["time"].attrs.get("units", "").startswith("days since")
        self.days_in_unit = 1 if is_days or not self.hours else self.hours / 24
        self.nature = self.chosen(every)
        self.variables = [v for v, field in self.nature.data_vars.items() if field.dims == ("time", "x")]
        self.methods = sorted(
            (path.name[len("analysis-"):-len(".nc")] for path in self.folder.glob("analysis-*.nc")), key=rank)
        cells = self.nature.sizes["x"]
        if cell is not None and not 0 <= cell < cells:
            raise Refusal(64, f"--cell: found {cell}, expected a number from 0 to {cells - 1} for {folder}")
        self.cell = cell

    # Files

    def file(self, name, setting=None):
        """A dataset of the folder, all truths of it. Throws `Missing`, with the setting that would have written it."""
        path = self.folder / name
        if name not in self._open:
            if not path.is_file():
                raise Missing(f"{name} is missing; {setting}")
            try:
                self._open[name] = xr.open_dataset(path, engine="netcdf4", decode_times=False).load()
            except (OSError, ValueError, RuntimeError) as error:
                raise Refusal(65, f"{path}: cannot be read as NetCDF: {error}") from None
        return self._open[name]

    def chosen(self, dataset):
        """A dataset's part for the truth shown; files of a single truth have no such dimension."""
        return dataset.isel(truth=self.truth) if "truth" in dataset.sizes else dataset

    def every_analysis(self, method):
        return self.file(f"analysis-{method}.nc", f"methods: [{method}] writes it")

    def analysis(self, method):
        return self.chosen(self.every_analysis(method))

    @property
    def observations(self):
        return self.chosen(self.file("observations.nc", "daunce-mpi run or simulate writes it"))

    @property
    def scores(self):
        """Scores by method, truth and field, with their names as coordinates."""
        scores = self.file("scores.nc", "daunce-mpi run writes it")
        names = {d: scores[f"{d}_name"].values.astype(str) for d in ("method", "field", "variable")}
        return scores.assign_coords(names)

    # Names

    @property
    def observed(self):
        """Name of the observed variable."""
        for name, field in self.observations.data_vars.items():
            if field.dims == ("time", "x"):
                return name
        raise Missing("observations.nc has no field over time and x")

    @property
    def derived(self):
        """Name of the derived field (the MJO), or of the observed variable in a model without one."""
        names = [v for v in self.variables if self.nature[v].attrs.get("long_name") == v]
        return names[0] if names else self.observed

    def first_of(self, *methods):
        """The first of these methods that has been run, if any."""
        return next((m for m in methods if m in self.methods), None)

    def agents_and_filter(self):
        """The trained agents and a filter, the constrained one before others, whichever have been run."""
        agents = ["rl", "rl-unconstrained"]
        others = [method for method in self.methods if method not in [*agents, "free"]]
        pair = [self.first_of(*agents), self.first_of("constrained-eakf", "constrained-enkf", *others)]
        pair = [method for method in pair if method]
        if not pair:
            raise Missing("there are no analyses of agents or of a filter; methods: [rl, constrained-eakf] writes them")
        return pair

    @property
    def has_warm_pool(self):
        """Whether the model's background is not the same everywhere."""
        return "S" in self.nature and float(self.nature["S"].max() - self.nature["S"].min()) > 0

    @property
    def has_planes(self):
        """Whether fields have a second dimension beside x."""
        return any(len(field.dims) == 3 and field.dims[0] == "time" for field in self.nature.data_vars.values())

    # Coordinates

    @property
    def point(self):
        """The cell shown: the one asked for, or the one where the observed variable varies most."""
        if self.cell is None:
            self.cell = int(self.nature[self.observed].var("time").argmax("x"))
        return self.cell

    def days(self, time):
        """Time since the start of the assimilation, in days where the model's unit is known."""
        return (np.asarray(time) - self.start) * self.days_in_unit

    @property
    def time_label(self):
        return "time (days)" if self.hours else "time (model units)"

    def place(self, x):
        """Distance along the circle, in thousands of kilometres where the model's unit is known."""
        return np.asarray(x) * (self.kilometres / 1000 if self.kilometres else 1)

    @property
    def place_label(self):
        return "x (1000 km)" if self.kilometres else "x (model units)"

    @property
    def where(self):
        """The cell shown, for a title."""
        x = float(self.place(self.nature["x"][self.point]))
        return f"x = {1000 * x:,.0f} km" if self.kilometres else f"x = {x:g}"

    def truth_at(self, times):
        """The truth at the times of an analysis."""
        return at_times(self.nature, times)

    # Output

    @property
    def output(self):
        return self.folder / "figures"

    def prepare_output(self):
        self.output.mkdir(exist_ok=True)


def at_times(nature, times):
    """Fields at these times, which two files may give with different last digits."""
    return nature.sel(time=times, method="nearest", tolerance=1e-6)


def rank(method):
    """Order of methods in legends and tables: that of the palette, then the alphabet's."""
    return (ORDER.index(method) if method in ORDER else len(ORDER), method)
