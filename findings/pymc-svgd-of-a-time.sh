#!/usr/bin/env bash
# PyMC 5.28.5: SVGD of a parameter far from zero, as a time in seconds since 1970 that is known to a second, ends in
# FloatingPointError: NaN, though all is float64, where NUTS of the same model is right. The kernel takes squared
# distances as |x|² + |y|² − 2 xy: at 1.8e9 that is the difference of numbers of 3e18, whose last bit is 512, so that
# the median of distances is 0 and the bandwidth with it. The message says nothing of distances. SVGD of the same
# parameter counted from another day is right.
# Guess before the run: both are right, as 1.8e9 ± 1 has seven more digits in float64.
# Exits with 1 when that has changed. Needs Python 3.11 or later and a C++ compiler.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3}" -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet pymc==5.28.5 pytensor==2.38.3
PYTHONWARNINGS=ignore "$folder/venv/bin/python" - <<'PY'
import logging
import sys

logging.disable(logging.CRITICAL)
import pymc as pm

print("pymc", pm.__version__)
TIME = 1.8e9


def svgd(mean):
    with pm.Model():
        pm.Normal("t", mean, 1.0, initval=mean)
        run = pm.SVGD(n_particles=100, jitter=1.0, random_seed=1)
        found = run.fit(1000, progressbar=False, obj_optimizer=pm.adagrad_window(learning_rate=0.02))
        particles = found.histogram.eval()[:, 0]
    return f"{particles.mean() - mean:.2f} +- {particles.std():.2f}"


with pm.Model():
    pm.Normal("t", TIME, 1.0, initval=TIME)
    trace = pm.sample(1000, tune=500, chains=1, progressbar=False, random_seed=1)
draws = trace.posterior["t"].to_numpy()
near = svgd(0.0)
print(f"exact 0 +- 1 beside the mean; NUTS at {TIME:.0f}: {draws.mean() - TIME:.2f} +- {draws.std():.2f}")
print(f"SVGD at 0: {near}")
try:
    print(f"SVGD at {TIME:.0f}: {svgd(TIME)}")
    sys.exit(1)
except FloatingPointError as error:
    print(f"SVGD at {TIME:.0f}: FloatingPointError({str(error).splitlines()[0].strip()!r})")
PY
