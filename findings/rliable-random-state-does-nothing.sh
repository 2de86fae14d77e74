#!/usr/bin/env bash
# rliable 1.2.0: get_interval_estimates takes a `random_state`, "if specified, ensures reproducibility in uncertainty
# estimates". It reaches the bootstrap of arch, where it is kept and never drawn from: rliable draws its indices from
# the global generator of numpy. So two calls with the same RandomState(1) give two intervals, and only
# np.random.seed, of which no page speaks, makes them equal.
# Guess before the run: equal states give equal intervals. Exits with 1 when that has come true.
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
from rliable import library, metrics

print(*(f"{name} {version(name)}" for name in ("rliable", "arch", "numpy")))
scores = {"method": np.random.RandomState(0).normal(size=(10, 5))}


def interval(state=None, seed=None):
    if seed is not None:
        np.random.seed(seed)
    aggregate = lambda x: np.array([metrics.aggregate_iqm(x)])
    return library.get_interval_estimates(scores, aggregate, reps=500, random_state=state)[1]["method"].ravel()


by_state = [interval(state=np.random.RandomState(1)) for _ in range(2)]
by_seed = [interval(seed=1) for _ in range(2)]
print("random_state=RandomState(1), twice:", *by_state)
print("np.random.seed(1), twice:", *by_seed)
sys.exit(0 if (by_state[0] != by_state[1]).all() and (by_seed[0] == by_seed[1]).all() else 1)
PY
