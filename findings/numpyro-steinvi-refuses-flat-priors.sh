#!/usr/bin/env bash
# numpyro 0.22.0: a model with a flat prior (ImproperUniform), which NUTS and SVI fit, cannot be given to SVGD or SteinVI
# of numpyro.contrib.einstein, also where their particles are to start from init_to_uniform, which needs no draw of the
# prior: the model is traced by drawing from every prior before that, and the flat one has no draws. What is raised is a
# NotImplementedError without a word. Stan's models, most of whose parameters have no prior, must be written anew.
# Guess before the run: SVGD starts its particles as it is told and needs no draw of the prior, as NUTS.
# Exits with 1 when that has changed. Needs Python 3.11 or later.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3}" -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet numpyro==0.22.0 jax==0.10.2 jaxlib==0.10.2
"$folder/venv/bin/python" - <<'PY'
import sys
from functools import partial

import jax
import numpyro
import numpyro.distributions as dist
from numpyro.contrib.einstein import SVGD, RBFKernel
from numpyro.distributions import constraints
from numpyro.infer import MCMC, NUTS, init_to_uniform

print("numpyro", numpyro.__version__, "jax", jax.__version__)


def model(prior):
    mu = numpyro.sample("mu", prior)
    numpyro.sample("y", dist.Normal(mu, 1.0), obs=1.0)


def nuts(prior):
    run = MCMC(NUTS(model), num_warmup=200, num_samples=1000, progress_bar=False)
    run.run(jax.random.key(0), prior)
    return float(run.get_samples()["mu"].mean())


def svgd(prior):
    start = {"init_loc_fn": partial(init_to_uniform, radius=2)}
    run = SVGD(model, numpyro.optim.Adagrad(0.5), RBFKernel(), num_stein_particles=20, guide_kwargs=start)
    return float(run.run(jax.random.key(0), 500, prior, progress_bar=False).params["mu_auto_loc"].mean())


flat, wide = dist.ImproperUniform(constraints.real, (), ()), dist.Normal(0.0, 1000.0)
print(f"exact mean 1; wide normal prior: NUTS {nuts(wide):.2f}, SVGD {svgd(wide):.2f}; flat prior: NUTS {nuts(flat):.2f}")
try:
    print(f"flat prior: SVGD {svgd(flat):.2f}")
    sys.exit(1)
except NotImplementedError as error:
    print(f"flat prior: SVGD NotImplementedError({str(error)!r})")
PY
