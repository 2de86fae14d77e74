"""Gymnasium's environments under random actions, drawn beforehand, with its automatic resets.

    python3 envs_gymnasium.py '["CartPole-v1", "Pendulum-v1"]' 1024

prints [{"env", "form", "rows", "stepsPerSecond"}, ...] as JSON. Forms: single (one environment), sync (SyncVectorEnv of as many as
given), and vector (the environment's own vectorised implementation, where there is one).
"""

import json
import sys
import time

import gymnasium as gym
import numpy as np

SECONDS = 1.0
DRAWN = 64


def single(name):
    env = gym.make(name, disable_env_checker=True)
    env.action_space.seed(0)
    actions = [env.action_space.sample() for _ in range(DRAWN)]
    env.reset(seed=0)
    count, start = 0, time.perf_counter()
    while time.perf_counter() - start < SECONDS:
        for action in actions:
            _, _, terminated, truncated, _ = env.step(action)
            if terminated or truncated:
                env.reset()
        count += DRAWN
    return count / (time.perf_counter() - start)


def many(name, rows, mode):
    envs = gym.make_vec(name, num_envs=rows, vectorization_mode=mode)
    envs.action_space.seed(0)
    actions = [envs.action_space.sample() for _ in range(DRAWN)]
    envs.reset(seed=0)
    count, start = 0, time.perf_counter()
    while time.perf_counter() - start < SECONDS:
        envs.step(actions[count % DRAWN])
        count += 1
    return rows * count / (time.perf_counter() - start)


def measure(name, rows):
    forms = {"single": (1, single(name)), "sync": (rows, many(name, rows, "sync"))}
    if gym.spec(name).vector_entry_point is not None:
        forms["vector"] = (rows, many(name, rows, "vector_entry_point"))
    return [{"env": name, "form": form, "rows": n, "stepsPerSecond": speed} for form, (n, speed) in forms.items()]


names, rows = json.loads(sys.argv[1]), int(sys.argv[2])
print(json.dumps([line for name in names for line in measure(name, rows)]))
