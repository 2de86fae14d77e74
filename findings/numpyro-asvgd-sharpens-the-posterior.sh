#!/usr/bin/env bash
# numpyro 0.22.0: ASVGD, which anneals SVGD up to its target and stays there for the last cycle, ends in another one:
# the density to the power of the number of particles. SVGD sums the scores of its n particles and weighs the sum by
# 1/n; the annealed run replaces that weight by the temperature of its schedule, which ends at 1. So the deviations of
# a posterior come out √n too small, the more particles the smaller. With one cycle the schedule, which is to stay
# within 0 and 1, counts the steps instead and goes into the hundreds on the way.
# Guess before the run: SVGD and ASVGD end with the same deviation. Exits with 1 when that has come true. Needs Python
# 3.11 or later.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3}" -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet numpyro==0.22.0 jax==0.10.2 jaxlib==0.10.2
"$folder/venv/bin/python" - <<'PY'
import sys

import jax
import numpyro
import numpyro.distributions as dist
from numpyro.contrib.einstein import ASVGD, SVGD, RBFKernel
from numpyro.optim import Adagrad

print("numpyro", numpyro.__version__, "jax", jax.__version__)


def model():
    numpyro.sample("x", dist.Normal(0.0, 1.0))


def deviation(method, particles, **cycles):
    inference = method(model, Adagrad(0.5), RBFKernel(), num_stein_particles=particles, **cycles)
    return float(inference.run(jax.random.key(0), 1000, progress_bar=False).params["x_auto_loc"].std())


kept = True
for particles in (10, 50):
    plain = deviation(SVGD, particles)
    annealed = deviation(ASVGD, particles, num_cycles=5)
    once = deviation(ASVGD, particles, num_cycles=1)
    print(
        f"{particles} particles of N(0, 1): deviation {plain:.3f} by SVGD, {annealed:.3f} by ASVGD of 5 cycles, "
        f"{once:.3f} of one; SVGD / √n = {plain / particles**0.5:.3f}"
    )
    kept = kept and plain > 0.85 and abs(annealed * particles**0.5 / plain - 1) < 0.1 and once < annealed / 2
sys.exit(0 if kept else 1)
PY
