#!/usr/bin/env bash
# numpyro 0.22.0: where SteinVI scores the mixture of guides, it puts every bounded parameter of a guide through its
# transform twice: a scale s of AutoNormal counts as softplus(s) there. A mixture of one guide should be plain
# variational inference, and of N(0, 1) it ends with the scale 0.54, whose softplus is 1; of N(0, 0.1), and of all
# whose scale is below softplus(0) = 0.69, the guide has no scale to end with and shrinks to a point. Nothing warns. A
# guide that takes exp of an unbounded parameter by hand is right.
# Guess before the run: SteinVI of one particle and SVI give the same guide. Exits with 1 when that has come true.
# Needs Python 3.11 or later.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3}" -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet numpyro==0.22.0 jax==0.10.2 jaxlib==0.10.2
"$folder/venv/bin/python" - <<'PY'
import math
import sys

import jax
import jax.numpy as jnp
import numpyro
import numpyro.distributions as dist
from numpyro.contrib.einstein import RBFKernel, SteinVI
from numpyro.infer import SVI, Trace_ELBO
from numpyro.infer.autoguide import AutoNormal
from numpyro.optim import Adam

print("numpyro", numpyro.__version__, "jax", jax.__version__)


def model(scale):
    numpyro.sample("x", dist.Normal(0.0, scale))


def by_hand(scale):
    loc, log_scale = numpyro.param("loc", 0.0), numpyro.param("log_scale", -1.0)
    numpyro.sample("x", dist.Normal(loc, jnp.exp(log_scale)))


def ended(inference, scale):
    return inference.run(jax.random.key(0), 2500, scale, progress_bar=False).params


def stein(guide):
    return SteinVI(model, guide, Adam(0.01), RBFKernel(), num_stein_particles=1)


found = {}
for scale in (1.0, 0.1):
    plain = ended(SVI(model, AutoNormal(model), Adam(0.01), Trace_ELBO(10)), scale)["x_auto_scale"]
    mixture = ended(stein(AutoNormal(model)), scale)["x_auto_scale"][0]
    hand = jnp.exp(ended(stein(by_hand), scale)["log_scale"][0])
    found[scale] = [float(plain), float(mixture), float(hand)]
    shown = "SVI {:.3f}, SteinVI of one particle {:.3f}, the same with exp by hand {:.3f}".format(*found[scale])
    print(f"scale of the guide of N(0, {scale}): {shown}")
twice = math.log(1 + math.exp(found[1.0][1]))
print(f"softplus of {found[1.0][1]:.3f}: {twice:.3f}")
right = all(abs(found[scale][k] / scale - 1) < 0.15 for scale in found for k in (0, 2))
sys.exit(0 if right and abs(twice - 1) < 0.05 and found[0.1][1] < 0.03 else 1)
PY
