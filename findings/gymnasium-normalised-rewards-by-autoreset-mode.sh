#!/usr/bin/env bash
# gymnasium 1.4.0: NormalizeReward divides rewards by the deviation of the discounted return so far. An episode that
# ends by its time limit goes on in that sum: it is cut off at terminations only, and is meant to be. So where tasks
# always last to their limit, as Pendulum does, returns of one endless episode are measured. Vector environments with
# SAME_STEP autoreset start it anew all the same, since 1.4: the same rewards of the same task come out 17 times
# larger than with NEXT_STEP, the default, and than from the wrapper of one environment, through which every reset
# goes. Nothing warns.
# Guess before the run: all three agree with the returns within episodes. Exits with 1 when that has come true.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3}" -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet gymnasium==1.4.0 numpy==2.4.6
"$folder/venv/bin/python" - <<'PY'
import sys

import gymnasium
import numpy as np
from gymnasium.vector import AutoresetMode
from gymnasium.wrappers import NormalizeReward
from gymnasium.wrappers.vector import NormalizeReward as NormalizeRewards

print("gymnasium", gymnasium.__version__)
LIMIT, STEPS = 5, 600
TASK = {"id": "CartPole-v1", "max_episode_steps": LIMIT}  # a reward of 1 a step, and nothing falls in five


def vector(mode):
    settings = {"vectorization_mode": "sync", "vector_kwargs": {"autoreset_mode": mode}}
    envs = NormalizeRewards(gymnasium.make_vec(num_envs=2, **settings, **TASK))
    envs.reset(seed=0)
    for t in range(STEPS):
        _, rewards, terminated, _, _ = envs.step(np.full(2, t % 2))
        assert not terminated.any()
        given = rewards.max() or given  # the step of a reset has the reward 0
    return float(given)


def single():
    env = NormalizeReward(gymnasium.make(**TASK))
    env.reset(seed=0)
    for t in range(STEPS):
        _, reward, _, truncated, _ = env.step(t % 2)
        if truncated:
            env.reset()
    return float(reward)


exact = 1 / np.std([(1 - 0.99**k) / (1 - 0.99) for k in range(1, LIMIT + 1)])
found = {mode.name: vector(mode) for mode in (AutoresetMode.NEXT_STEP, AutoresetMode.SAME_STEP)}
found["one environment"] = single()
print(f"a reward of 1 over the deviation of returns within episodes: {exact:.4f}")
for name, value in found.items():
    print(f"{name}: {value:.4f}")
same = found.pop("SAME_STEP")
sys.exit(0 if abs(same / exact - 1) < 0.02 and all(value < exact / 10 for value in found.values()) else 1)
PY
