#!/usr/bin/env python3
"""Where to observe a squall line's w: what one analysis by a serial EAKF takes off the error of ice, snow and w, for several
networks of 20 places and several half-widths. Every third run is a truth in turn, fifty of the others are its members, the
error is relative to the truth's deviation over space; mean over truths and its standard error.

    for s in $(seq 101 175); do daunce-mpi simulate --seed $s --cycles 8 --members 2 --set model.name=convection --set model.cells=120 \\
      --set initial.kind=climatology --set truths.spinup_cycles=1 --set 'observations.networks=[{field: w, random: 20, interval: 50, sd: 0.2}]' \\
      --output lines/$s; done
    python3 docs/experiments/squall_line_places.py lines/*/nature.nc
"""
import sys

import netCDF4
import numpy as np

SD = 0.2
# Columns' places in km from the middle of the domain, and heights in km.
NETWORKS = {
    "5 x 4, every 8 km, 4 to 10 km": (range(-24, 9, 8), (4, 6, 8, 10)),
    "5 x 4, every 6 km, 4 to 10 km": (range(-20, 5, 6), (4, 6, 8, 10)),
    "5 x 4, every 8 km, 6 to 12 km": (range(-24, 9, 8), (6, 8, 10, 12)),
    "5 x 4, every 10 km, 3 to 9 km": (range(-28, 13, 10), (3, 5, 7, 9)),
    "10 x 2, every 5 km, 6 and 9 km": (range(-28, 18, 5), (6, 9)),
}


def taper(r):
    """Gaspari and Cohn (1999), (4.10), of distances in half-widths."""
    near = ((((-r / 4 + 0.5) * r + 0.625) * r - 5 / 3) * r * r + 1) * (r <= 1)
    safe = np.maximum(r, 1)
    far = (((((safe / 12 - 0.5) * safe + 0.625) * safe + 5 / 3) * safe - 5) * safe + 4 - 2 / (3 * safe)) * ((r > 1) & (r < 2))
    return near + far


def analysis(fields, truth, members, places, half_width, noise):
    """Error after less error before, of every field; x is periodic, cells are 1 km by 0.5 km."""
    ensemble = {name: values[members].copy() for name, values in fields.items()}
    columns = fields["w"].shape[2]

    def errors():
        return {name: np.sqrt(((values.mean(0) - fields[name][truth]) ** 2).mean()) / fields[name][truth].std()
                for name, values in ensemble.items()}

    before = errors()
    for k, i in places:
        h = ensemble["w"][:, k, i].copy()
        variance, mean = h.var(ddof=1), h.mean()
        posterior = variance * SD**2 / (variance + SD**2)
        centre = posterior * (mean / variance + (fields["w"][truth, k, i] + SD * noise.normal()) / SD**2)
        increments = centre + np.sqrt(posterior / variance) * (h - mean) - h
        for name, values in ensemble.items():
            heights = np.arange(values.shape[1]) + (1 if name == "w" else 0.5)
            across = np.abs(np.arange(columns) - i)
            across = np.minimum(across, columns - across)
            rho = taper(np.hypot(across[None] / half_width, (heights[:, None] - k - 1) / half_width))
            slope = np.einsum("m,mzx->zx", h - mean, values - values.mean(0)) / (len(h) - 1) / variance
            values += increments[:, None, None] * (slope * rho)[None]
            if name != "w":
                np.maximum(values, 0, out=values)
    after = errors()
    return [after[name] - before[name] for name in ("q_i", "q_s", "w")]


def main(paths):
    for time in (1, 5):
        fields = {name: [] for name in ("w", "q_i", "q_s")}
        for path in paths:
            with netCDF4.Dataset(path) as data:
                for name, values in fields.items():
                    values.append(np.asarray(data[name][time], dtype=float))
        fields = {name: np.array(values) for name, values in fields.items()}
        runs, middle = len(paths), fields["w"].shape[2] // 2
        print(f"{time * 5} minutes after the spin-up, {len(range(0, runs, 3))} truths: ice, snow, w")

        def tell(title, network, half_width):
            noise = np.random.default_rng(1)
            places = [(2 * z - 1, middle + x) for z in network[1] for x in network[0]]
            rows = np.array([
                analysis(fields, t, [m for m in range(runs) if m != t][:50], places, half_width, noise)
                for t in range(0, runs, 3)])
            print(f"  {title:42}", "   ".join(f"{column.mean():+.3f} ± {column.std(ddof=1) / len(column) ** 0.5:.3f}"
                                              for column in rows.T), flush=True)

        for name, network in NETWORKS.items():
            tell(name, network, 8)
        for half_width in (4, 6, 12, 20):
            tell(f"the first, half-width {half_width}", NETWORKS["5 x 4, every 8 km, 4 to 10 km"], half_width)


main(sys.argv[1:])
