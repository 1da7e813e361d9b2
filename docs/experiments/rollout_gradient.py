"""What is reachable by the agents of the default experiment: their policies improved by the analytic gradient of the
ensemble's score over whole rollouts.

PPO estimates a gradient from what actions led to. Here the coarse step, the inputs, the networks and the draws are
written down once more in PyTorch, so that the score of the ensemble in all four fields (the mean CRPS of K, R, Z and a over the
fields' scales) can be differentiated through many cycles. No forecast of its own: the policies that come out are written
back into the agents' files, and `daunce-mpi run --agents` scores them like any others.

    python3 rollout_gradient.py --daunce .build/release/daunce-mpi --agents results/agents-unconstrained --output better

needs torch, numpy, netCDF4 and xxhash. Agents as the default experiment trains them: base coarse-step, inputs of the ensemble, stratified
draws, one control.
"""

import argparse
import pathlib
import shutil
import struct
import subprocess

import netCDF4
import numpy as np
import torch
import xxhash

# The skeleton model in the paper's units: growth, moisture gradient, heating, source; interval between observations.
GAMMA, QT, H, S, DT, LENGTH = 1.66, 0.9, 0.22, 0.022, 0.02, 8.0 / 3
SCALE = torch.tensor([0.015, 0.011, 0.043, 0.18])
FLOOR, NOISE = 1e-4, 0.0063 ** 0.5
UNIT = 1 / (1.5 * SCALE)


def shifts(cells):
    """Factors on the Fourier modes of K and R for half an interval; the Nyquist mode stays."""
    modes = torch.arange(cells // 2 + 1)
    phase = torch.stack([speed * DT / 2 * cells / LENGTH * modes / cells for speed in (1.0, -1.0 / 3)])
    factors = torch.exp(-2j * torch.pi * phase)
    factors[:, -1] = 1
    return factors


def coarse_step(x, factors):
    """One Strang step over an interval; `x` is [..., K R Z a, cell]."""
    cells = x.shape[-1]

    def displace(waves):
        return torch.fft.irfft(torch.fft.rfft(waves) * factors, n=cells)

    waves = displace(x[..., :2, :])
    k, r, z, a = waves[..., 0, :], waves[..., 1, :], x[..., 2, :], x[..., 3, :]
    first = DT / 2 * (S - H * a)
    moisture = z + QT * (k + r) + (1 - QT / 6) * first
    a = (a * torch.exp(GAMMA * DT * moisture)).clamp(min=FLOOR)
    heating = first + DT / 2 * (S - H * a)
    waves = displace(torch.stack([k + heating / 2, r + heating / 3], -2))
    return torch.cat([waves, torch.stack([z + (1 - QT) * heating, a], -2)], -2)


def window(row, width):
    """The cells around each: [..., place, cell]."""
    half = width // 2
    return torch.stack([row.roll(half - place, -1) for place in range(width)], -2)


def inputs(x, y):
    """What every agent sees of base forecasts `x` [sequence, member, field, cell] and observations `y` [sequence, cell]."""
    k, r, z, a = (x[:, :, v] for v in range(4))
    unit, scale = UNIT[3], SCALE[3]
    y = y[:, None].expand_as(a)
    mean, spread = a.mean(1, keepdim=True), a.std(1, keepdim=True)
    gain = spread ** 2 / (spread ** 2 + NOISE ** 2)
    innovation = ((y - mean) / (2 * NOISE)).clamp(-4, 4)
    q = z + QT * (k + r)
    root = lambda v: (v.clamp(min=0) + 1e-12).sqrt()
    rows = [(v * UNIT[i])[:, :, None] for i, v in enumerate((k, r, z))]
    rows += [window(a * unit, 5), root((a - FLOOR) * unit)[:, :, None], (a / scale).clamp(max=1)[:, :, None]]
    rows += [window(y * unit, 5), root((y - FLOOR) * unit)[:, :, None], torch.zeros_like(a)[:, :, None]]
    mean, spread = mean.expand_as(a), spread.expand_as(a)
    rows += [window(mean * unit, 3), (spread / scale)[:, :, None], (0.3 * (spread / scale + 1e-4).log() + 1)[:, :, None]]
    rows += [innovation[:, :, None], (innovation * gain)[:, :, None]]
    rows += [(q / 0.06)[:, :, None], root(q.abs() * a)[:, :, None], torch.zeros_like(a)[:, :, None]]
    return torch.cat(rows, 2)


class Policies(torch.nn.Module):
    """The networks of all members side by side."""

    def __init__(self, folder):
        super().__init__()
        files = sorted(pathlib.Path(folder).glob("agent-*.nc"))
        networks = []
        for path in files:
            with netCDF4.Dataset(path) as file:
                self.sizes = [int(n) for n in file["policy_sizes"][:]]
                networks.append(np.array(file["policy_parameters"][:]))
                self.persistence = float(file.rank_persistence)
        self.parameters_ = torch.nn.Parameter(torch.tensor(np.stack(networks)))

    def forward(self, rows):
        first = 0
        for layer, (n, m) in enumerate(zip(self.sizes, self.sizes[1:])):
            weights = self.parameters_[:, first : first + n * m].reshape(-1, m, n)
            biases = self.parameters_[:, first + n * m : first + n * m + m, None]
            rows = torch.einsum("moi,smic->smoc", weights, rows) + biases
            if layer < len(self.sizes) - 2:
                rows = rows.tanh()
            first += (n + 1) * m
        return rows[:, :, 0], rows[:, :, 1]

    def write(self, source, target):
        shutil.copytree(source, target, dirs_exist_ok=True)
        for path, row in zip(sorted(pathlib.Path(target).glob("agent-*.nc")), self.parameters_.detach().numpy()):
            with netCDF4.Dataset(path, "a") as file:
                file["policy_parameters"][:] = row
            seal(path)


def seal(path):
    """Ends a file with its length and digest, as daunce-mpi wants its agents' files."""
    mark = b"daunce seal v1: "
    image = path.read_bytes()
    if image[-32:].startswith(mark):
        image = image[:-32]
    path.write_bytes(image + mark + struct.pack("<QQ", len(image), xxhash.xxh64_intdigest(image)))


def places(forecast, persistence):
    """Stratified uniform numbers that keep the order of the forecasts in a share of the cells."""
    members = forecast.shape[1]
    order = forecast.argsort(1).argsort(1)
    shuffled = torch.rand_like(forecast).argsort(1)
    kept = torch.rand_like(forecast[:, :1]) < persistence
    return (torch.where(kept, order, shuffled) + torch.rand_like(forecast)) / members


def act(policies, x, y):
    """Replaces a of every member by its policy's draw from a normal law truncated at the floor."""
    location, log_scale = policies(inputs(x, y))
    anchor = x[:, :, 3].mean(1, keepdim=True)
    scale = SCALE[3] * torch.exp((log_scale - 2).clamp(-5, 1))
    location = torch.maximum(anchor + SCALE[3] * location, FLOOR - 6 * scale)
    alpha = ((FLOOR - location) / scale).double()
    upper = torch.special.ndtr(-alpha) * (1 - places(x[:, :, 3].detach(), policies.persistence).double())
    a = location + scale * -torch.special.ndtri(upper.clamp(1e-30, 1 - 1e-12)).float()
    return torch.cat([x[:, :, :3], a.clamp(min=FLOOR)[:, :, None]], 2)


def crps(x, truth):
    """Score of every sequence and field over the fields' scales: [sequence, field]."""
    ordered = x.sort(1).values
    members = x.shape[1]
    rank = torch.arange(1, members + 1) * 2 - members - 1
    error = (x - truth[:, None]).abs().mean(1)
    distance = (ordered * rank[None, :, None, None]).sum(1) / members ** 2
    return (error - distance).mean(-1) / SCALE


class Truths:
    """Nature runs with their observations and initial ensembles, simulated by daunce-mpi."""

    def __init__(self, program, folder, seeds, cycles):
        states, observations, ensembles = [], [], []
        for seed in seeds:
            path = pathlib.Path(folder) / f"truth-{seed}"
            if not path.exists():
                subprocess.run(
                    [program, "simulate", "--quiet", "--seed", str(seed), "--cycles", str(cycles), "--output", path], check=True)
            fields = lambda file: np.stack([np.array(file[v][:]) for v in "KRZa"], 1)
            with netCDF4.Dataset(path / "nature.nc") as file:
                states.append(fields(file))
            with netCDF4.Dataset(path / "observations.nc") as file:
                observations.append(np.array(file["a"][:]))
            with netCDF4.Dataset(path / "initial.nc") as file:
                ensembles.append(fields(file))
        self.states, self.observations, self.ensembles = (
            torch.tensor(np.stack(v), dtype=torch.float32) for v in (states, observations, ensembles))
        self.cycles = self.observations.shape[1]


def score(policies, truths, factors, spinup=50):
    """Mean score of the fields after the spin-up."""
    x, sums = truths.ensembles, torch.zeros(4)
    with torch.no_grad():
        for t in range(truths.cycles):
            x = act(policies, coarse_step(x, factors), truths.observations[:, t])
            if t >= spinup:
                sums += crps(x, truths.states[:, t + 1]).mean(0)
    return sums / (truths.cycles - spinup)


def train(policies, truths, held_back, factors, options):
    optimiser = torch.optim.Adam(policies.parameters(), lr=options.rate)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, options.steps)
    count = options.sequences
    truth = torch.randint(len(truths.states), (count,))
    time = torch.randint(truths.cycles - options.horizon, (count,))
    # All start with their truth's initial ensemble and get to their places without learning.
    x = truths.ensembles[truth].clone()
    with torch.no_grad():
        for t in range(int(time.max())):
            moved = act(policies, coarse_step(x, factors), truths.observations[truth, t])
            x = torch.where((t < time)[:, None, None, None], moved, x)
    best = None
    for step in range(options.steps + 1):
        if step % options.every == 0:
            fields = score(policies, held_back, factors)
            print(f"step {step}: CRPS of K, R, Z, a: " + ", ".join(f"{v:.4f}" for v in fields) + f", mean {fields.mean():.4f}", flush=True)
            if best is None or fields.mean() < best[0]:
                best = (fields.mean(), policies.parameters_.detach().clone())
        loss = 0
        for _ in range(options.horizon):
            x = act(policies, coarse_step(x, factors), truths.observations[truth, time])
            time = time + 1
            loss = loss + crps(x, truths.states[truth, time]).mean()
        optimiser.zero_grad()
        (loss / options.horizon).backward()
        torch.nn.utils.clip_grad_norm_(policies.parameters(), options.norm)
        optimiser.step()
        schedule.step()
        x = x.detach()
        for s in torch.nonzero(time > truths.cycles - options.horizon).flatten():
            truth[s], time[s] = torch.randint(len(truths.states), ()), 0
            x[s] = truths.ensembles[truth[s]]
    policies.parameters_.data = best[1]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--daunce", default="daunce-mpi", help="the program")
    parser.add_argument("--agents", required=True, help="folder of agents to begin with")
    parser.add_argument("--output", required=True, help="folder for the better agents")
    parser.add_argument("--truths", default="truths", help="folder for nature runs, made where they are missing")
    parser.add_argument("--horizon", type=int, default=48, help="cycles that a gradient goes through")
    parser.add_argument("--steps", type=int, default=600)
    parser.add_argument("--sequences", type=int, default=16)
    parser.add_argument("--rate", type=float, default=1e-3)
    parser.add_argument("--norm", type=float, default=0.01, help="largest norm of a gradient")
    parser.add_argument("--every", type=int, default=50, help="steps between looks at the truths held back")
    parser.add_argument("--training", type=int, default=24, help="truths to learn from")
    parser.add_argument("--held-back", type=int, default=8, help="truths to choose the best policies by")
    options = parser.parse_args()
    torch.manual_seed(1)
    torch.set_num_threads(1)
    policies = Policies(options.agents)
    factors = shifts(64)
    truths = Truths(options.daunce, options.truths, range(7001, 7001 + options.training), 450)
    held_back = Truths(options.daunce, options.truths, range(8001, 8001 + options.held_back), 450)
    train(policies, truths, held_back, factors, options)
    policies.write(options.agents, options.output)


if __name__ == "__main__":
    main()
