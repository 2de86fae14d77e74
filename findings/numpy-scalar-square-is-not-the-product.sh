#!/usr/bin/env bash
# numpy 2.4.6: x ** 2 of a numpy scalar goes through the C library's power and is not always the nearest number, while
# x ** 2 of an array is x * x. So a task that squares its scalars, as Gymnasium's Pendulum-v1 does for its cost, and the
# same task written for rows of an array differ in the last bit, in float32 and in float64, about once in a thousand.
# Guess before the run: numpy squares scalars as it squares arrays. Exits with 1 when that has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet numpy==2.4.6 gymnasium==1.4.0
"$folder/venv/bin/python" - <<'PY'
import inspect
import platform
import sys

import gymnasium
import numpy as np
from gymnasium.envs.classic_control.pendulum import PendulumEnv

print(f"numpy {np.__version__}, gymnasium {gymnasium.__version__}, {' '.join(platform.libc_ver())}")
squared = [line.strip() for line in inspect.getsource(PendulumEnv.step).splitlines() if "**" in line]
print("Pendulum-v1:", *squared)
random = np.random.default_rng(0)
differing = []
for kind in (np.float32, np.float64):
    numbers = random.uniform(-10, 10, 200_000).astype(kind)
    scalars = np.array([x**2 for x in numbers])
    products = int((numbers**2 != numbers * numbers).sum())
    differing.append(int((scalars != numbers * numbers).sum()))
    print(f"{kind.__name__}: of 200,000 squares {differing[-1]} of scalars and {products} of the array are not x * x")
sys.exit(0 if all(differing) else 1)
PY
