#!/usr/bin/env bash
# rliable 1.2.0: scores may have a third axis, "evaluation scores at multiple points during training". The bootstrap,
# which is to draw runs within each task, then draws a run anew for every point of the curve: a resampled curve is
# patched together from all runs. For figures of one point nothing changes, but a figure of the whole curve (its mean,
# the area under it, the best point, the steps to a threshold) gets the interval of independent points: with 100 points
# of runs that differ by a constant it is 10 times too narrow, the square root of their number.
# Guess before the run: the interval of the curves' mean is that of the means of the curves. Exits with 1 when that has
# come true.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3}" -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --no-compile --no-deps rliable==1.2.0 arch==7.2.0 absl-py==2.5.1 \
  numpy==2.4.6 scipy==1.17.1 pandas==2.3.3 statsmodels==0.14.6 patsy==1.0.2 packaging==26.4 \
  python-dateutil==2.9.0.post0 pytz tzdata six
"$folder/venv/bin/python" -W ignore - <<'PY'
import sys
from importlib.metadata import version

import numpy as np
from rliable import library

print(*(f"{name} {version(name)}" for name in ("rliable", "arch", "numpy")))
RUNS = 20
level = np.random.default_rng(0).normal(size=(RUNS, 1, 1))  # of each run, in one task
exact = 2 * 1.96 * level.std() / RUNS**0.5
np.random.seed(1)


def width(scores):
    mean = lambda x: np.array([x.mean()])
    low, high = library.get_interval_estimates({"method": scores}, mean, reps=1000)[1]["method"].ravel()
    return high - low


print(f"95 % of the mean of {RUNS} runs, by its standard error: {exact:.3f} wide")
ratios = {}
for points in (1, 4, 25, 100):
    found = width(level * np.ones(points))
    ratios[points] = exact / found
    print(f"curves of {points} equal points: {found:.3f} wide, {ratios[points]:.1f} times too narrow")
sys.exit(0 if all(abs(ratio / points**0.5 - 1) < 0.2 for points, ratio in ratios.items()) else 1)
PY
