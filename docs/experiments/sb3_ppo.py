"""Training speed of Stable-Baselines3's PPO in the setting of docs/results/training-speed.md.

The same sizes as in daunce-mpi's command there: 27 inputs, a policy of 2 x 16 and a value function of 16 tanh units,
rollouts of 32 steps, 4 epochs of 4 minibatches, one thread. The environments cost next to nothing: all of them step
together in a few numpy operations, so what is timed is PPO.

A sample is one step of one environment: one action drawn in a rollout, with everything that is learned from it. The
clock starts after the first iteration. Two rates are printed: by wall time and by the process's CPU time.

    python3 -m venv sb3 && sb3/bin/pip install stable-baselines3 gymnasium torch
    sb3/bin/python docs/experiments/sb3_ppo.py
"""

import argparse
import os
import time

os.environ["OMP_NUM_THREADS"] = "1"
os.environ["MKL_NUM_THREADS"] = "1"

import gymnasium
import numpy as np
import stable_baselines3
import torch
from stable_baselines3 import PPO
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.vec_env import VecEnv


class Relaxation(VecEnv):
    """Environments side by side: inputs decay, the action moves the first one, the reward is minus its square."""

    def __init__(self, count: int, inputs: int):
        super().__init__(
            count,
            gymnasium.spaces.Box(-np.inf, np.inf, (inputs,), np.float32),
            gymnasium.spaces.Box(-10, 10, (1,), np.float32),
        )
        self.generator = np.random.default_rng(1)
        self.state = self.generator.standard_normal((count, inputs), np.float32)
        self.done = np.zeros(count, bool)
        self.information = [{} for _ in range(count)]

    def reset(self):
        return self.state.copy()

    def step_async(self, actions):
        self.actions = actions

    def step_wait(self):
        self.state *= 0.9
        self.state[:, 0] += self.actions[:, 0]
        return self.state.copy(), -self.state[:, 0] ** 2, self.done, self.information

    def close(self):
        pass

    def env_is_wrapped(self, wrapper_class, indices=None):
        return [False] * self.num_envs

    def env_method(self, method_name, *args, indices=None, **kwargs):
        raise NotImplementedError

    def get_attr(self, attr_name, indices=None):
        return [None] * self.num_envs

    def set_attr(self, attr_name, value, indices=None):
        raise NotImplementedError


class Clock(BaseCallback):
    """Starts after the first iteration: its rollout and update are warm-up."""

    def __init__(self):
        super().__init__()
        self.rollouts = 0

    def _on_rollout_start(self):
        self.rollouts += 1
        if self.rollouts == 2:
            self.start(self.num_timesteps)

    def start(self, samples):
        self.samples, self.wall, self.cpu = samples, time.perf_counter(), time.process_time()

    def _on_step(self):
        return True


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--environments", type=int, default=1024)
    parser.add_argument("--inputs", type=int, default=27)
    parser.add_argument("--steps", type=int, default=32, help="steps of a rollout")
    parser.add_argument("--minibatches", type=int, default=4)
    parser.add_argument("--iterations", type=int, default=10, help="timed iterations")
    options = parser.parse_args()
    torch.set_num_threads(1)
    samples = options.environments * options.steps
    model = PPO(
        "MlpPolicy",
        Relaxation(options.environments, options.inputs),
        n_steps=options.steps,
        batch_size=samples // options.minibatches,
        n_epochs=4,
        gamma=0.9,
        learning_rate=3e-4,
        policy_kwargs={"net_arch": {"pi": [16, 16], "vf": [16]}, "activation_fn": torch.nn.Tanh},
        device="cpu",
        seed=1,
    )
    clock = Clock()
    model.learn((options.iterations + 1) * samples, callback=clock)
    wall, cpu = time.perf_counter() - clock.wall, time.process_time() - clock.cpu
    counted = model.num_timesteps - clock.samples
    print(f"stable-baselines3 {stable_baselines3.__version__}, torch {torch.__version__}, one thread")
    print(f"{options.environments} environments x {options.steps} steps, {options.inputs} inputs, {counted} samples")
    print(f"{counted / wall:.0f} samples per second, {counted / cpu:.0f} samples per CPU second")


if __name__ == "__main__":
    main()
