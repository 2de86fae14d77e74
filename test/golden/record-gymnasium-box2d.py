"""Records episodes of Gymnasium's Box2D tasks with what they drew: python record-gymnasium-box2d.py, in this folder."""

import json
import re
import sys
import types

# Gymnasium imports it with all Box2D tasks, and these need it for windows only.
if "pygame" not in sys.modules:
    pygame = types.ModuleType("pygame")
    pygame.gfxdraw = types.ModuleType("pygame.gfxdraw")
    sys.modules.update({"pygame": pygame, "pygame.gfxdraw": pygame.gfxdraw})

import Box2D
import gymnasium as gym
import numpy as np
from gymnasium.envs.box2d import bipedal_walker, lunar_lander

KEPT = [1, 20, 100]


def walk():
    """The walk of Gymnasium's heuristic, which has a state of its own for each episode."""
    policy = bipedal_walker.BipedalWalkerHeuristics()
    return lambda env, obs: policy.step_heuristic(obs).copy()


# Clouds are drawn for pictures only.
bipedal_walker.BipedalWalker._generate_clouds = lambda self: setattr(self, "cloud_poly", [])

CASES = {
    "LunarLander-v3": [
        ({}, lunar_lander.heuristic, 1),
        ({}, None, 2),
        (dict(enable_wind=True, wind_power=12.0, turbulence_power=1.0, gravity=-8.0), lunar_lander.heuristic, 1),
    ],
    "LunarLanderContinuous-v3": [({}, lunar_lander.heuristic, 1), ({}, None, 1)],
    "BipedalWalker-v3": [({}, walk, 2), ({}, None, 1)],
    "BipedalWalkerHardcore-v3": [({}, walk, 3), ({}, None, 1)],
}


class Recorder:
    """numpy's generator, and what was drawn from it, one number after the other."""

    def __init__(self, rng, drawn):
        self.rng, self.drawn = rng, drawn

    def keep(self, value):
        self.drawn.extend(np.ravel(value).tolist())
        return value

    def uniform(self, *args, **kwargs):
        return self.keep(self.rng.uniform(*args, **kwargs))

    def integers(self, *args, **kwargs):
        return self.keep(self.rng.integers(*args, **kwargs))

    def random(self):
        return self.keep(self.rng.random())


def camel(name):
    return re.sub(r"_(\w)", lambda m: m[1].upper(), name)


def episode(env, policy, seed, most):
    env.action_space.seed(seed)
    drawn = []
    # super().reset makes the generator; it is watched from there on.
    make = gym.Env.reset

    def reset(self, *, seed=None, options=None):
        make(self, seed=seed, options=options)
        self._np_random = Recorder(self._np_random, drawn)

    gym.Env.reset = reset
    try:
        obs, _ = env.reset(seed=seed)
    finally:
        gym.Env.reset = make
    out = dict(draws=drawn, start=obs.tolist(), actions=[], obs={}, rewards=[])
    terminated = False
    if policy is walk:
        policy = walk()
    while not terminated and len(out["actions"]) < most:
        action = env.action_space.sample() if policy is None else policy(env, obs)
        obs, reward, terminated, _, _ = env.step(action)
        out["actions"].append(np.asarray(action, dtype=np.float64).tolist())
        out["rewards"].append(float(reward))
        count = len(out["actions"])
        if count in KEPT or terminated:
            out["obs"][count] = obs.tolist()
    return out | dict(terminated=bool(terminated))


tasks = {}
for name, cases in CASES.items():
    tasks[name] = []
    for options, policy, count in cases:
        env = gym.make(name, disable_env_checker=True, **options).unwrapped
        spec = gym.spec(name)
        tasks[name].append(dict(
            options={camel(k): v for k, v in options.items()},
            limit=spec.max_episode_steps, threshold=spec.reward_threshold,
            low=env.observation_space.low.tolist(), high=env.observation_space.high.tolist(),
            episodes=[episode(env, policy, seed, spec.max_episode_steps) for seed in range(1, count + 1)],
        ))
with open("gymnasium-box2d.json", "w") as file:
    json.dump(dict(versions=dict(gymnasium=gym.__version__, box2d=Box2D.__version__, numpy=np.__version__), tasks=tasks), file)
    file.write("\n")
for name, cases in tasks.items():
    print(name, [[len(e["actions"]) for e in c["episodes"]] for c in cases])
