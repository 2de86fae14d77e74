#!/usr/bin/env bash
# numpyro 0.22.0: two kernels of numpyro.contrib.einstein are not what their pages write down. RandomFeatureKernel is
# to be the mean of √2 cos(w·x/h + b) √2 cos(w·y/h + b) over m features, near a Gaussian: 1 where x = y. It is a sum
# of m times d terms, so it grows with particles and parameters, and its phase b is divided by h as well: where h is
# above 2π all phases are near 0, and moving both points together changes the value. ProbabilityProductKernel of
# normal guides keeps the exponential of equation 5 of Jebara, Kondor and Howard (2004) and leaves out the
# determinants before it: "unnormalized". With scales among the particles these are no constant, and the rest is not
# positive semidefinite: two narrow guides that share nothing are each as near to a wide one as can be. Guides at one
# place are all alike to it, so nothing keeps their scales apart.
# Guess before the run: k(x, x) of random features is 1 ± 0.1 at a thousand, wherever x is; no matrix of the other has
# an eigenvalue below −1e−6. Exits with 1 when either has come true. Needs Python 3.11 or later.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3}" -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet numpyro==0.22.0 jax==0.10.2 jaxlib==0.10.2
"$folder/venv/bin/python" - <<'PY'
import sys

import jax
import numpy as np
import numpyro
import numpyro.distributions as dist
from jax import numpy as jnp, random
from numpyro.contrib.einstein import ProbabilityProductKernel, RandomFeatureKernel
from numpyro.distributions import biject_to
from numpyro.infer.autoguide import AutoNormal

print("numpyro", numpyro.__version__, "jax", jax.__version__)
features = True
for count, size in ((100, 1), (1000, 1), (1000, 4)):
    kernel = RandomFeatureKernel()  # of so many features as there are particles
    kernel.init(random.key(2), (count, size))
    k = kernel.compute(None, random.normal(random.key(1), (count, size)) * 10, {}, None)
    here = jnp.zeros(size)
    own, moved = float(k(here, here)), float(k(here + 20, here + 20))
    print(f"random features, {count} particles of {size}: k(x, x) = {own:.1f} at 0 and {moved:.1f} at 20")
    features = features and abs(own / (2 * count * size) - 1) < 0.1 and moved < 0.9 * own

guide = AutoNormal(lambda: numpyro.sample("x", dist.Normal(0.0, 1.0)))
k = ProbabilityProductKernel(guide).compute(None, None, {"x_auto_loc": (0, 1), "x_auto_scale": (1, 2)}, None)
unbounded = biject_to(guide.scale_constraint).inv
normals = [(0.0, 0.1), (2.0, 0.1), (1.0, 5.0)]
particles = [jnp.array([loc, unbounded(jnp.array(scale))]) for loc, scale in normals]
given = np.array([[float(k(a, b)) for b in particles] for a in particles])
# With the determinants it is the integral of the product of two densities, here divided by that of each with itself.
whole = given * np.array([[(2 * s * t / (s * s + t * t)) ** 0.5 for _, t in normals] for _, s in normals])
print("product kernel of the normals", *normals, "is", given.round(3).tolist())
smallest, mended = np.linalg.eigvalsh(given)[0], np.linalg.eigvalsh(whole)[0]
print(f"smallest eigenvalue {smallest:.3f}; with the determinants {mended:.3f}")
alike = float(k(particles[0], jnp.array([0.0, particles[2][1]])))
print(f"k of N(0, 0.1) and N(0, 5): {alike:.3f}")
sys.exit(0 if features and smallest < -0.1 and mended > 0 and abs(alike - 1) < 1e-3 else 1)
PY
