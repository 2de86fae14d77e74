"""numpyro's SVGD on a logistic regression with normal priors, on the CPU.

    python3 svgd_numpyro.py '{"x": [[..]], "y": [..], "particles": 200, "iterations": 1000, "learningRate": 0.1}'

Prints {"firstSeconds", "seconds", "mean", "sd", "versions"} as JSON: the first run, which compiles, and the second; mean
and standard deviation of each coefficient over the particles, the intercept last.
"""

import json
import platform
import sys
import time

import jax
import numpy as np
import numpyro
import numpyro.distributions as dist
from numpyro.contrib.einstein import SVGD, RBFKernel
from numpyro.infer.autoguide import AutoDelta
from numpyro.infer.initialization import init_to_uniform

task = json.loads(sys.argv[1])
x, y = np.asarray(task["x"], np.float32), np.asarray(task["y"], np.float32)


def regression():
    b = numpyro.sample("b", dist.Normal(0, 2).expand([x.shape[1]]).to_event(1))
    a = numpyro.sample("a", dist.Normal(0, 2))
    numpyro.sample("y", dist.Bernoulli(logits=a + x @ b), obs=y)


svgd = SVGD(
    regression, numpyro.optim.Adam(task["learningRate"]), RBFKernel(), num_stein_particles=task["particles"]
)


def fit(seed):
    began = time.perf_counter()
    result = svgd.run(jax.random.PRNGKey(seed), task["iterations"], progress_bar=False)
    found = svgd.get_params(result.state)
    found = {name: np.asarray(value) for name, value in found.items()}
    return time.perf_counter() - began, found


first, _ = fit(0)
seconds, found = fit(1)
draws = np.concatenate([found["b_auto_loc"], found["a_auto_loc"][:, None]], 1)
versions = {"numpyro": numpyro.__version__, "jax": jax.__version__, "python": platform.python_version()}
print(
    json.dumps(
        {
            "firstSeconds": first,
            "seconds": seconds,
            "mean": draws.mean(0).tolist(),
            "sd": draws.std(0).tolist(),
            "versions": versions,
        }
    )
)
