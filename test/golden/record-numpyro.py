"""Bandwidths of numpyro 0.22.0's RBFKernel, into numpyro-bandwidth.json beside this file.

pip install numpyro==0.22.0; python record-numpyro.py
"""
import json
import pathlib

import jax.numpy as jnp
import numpy as np
from numpyro.contrib.einstein.stein_kernels import RBFKernel, median_bandwidth

factor = RBFKernel().bandwidth_factor
random = np.random.default_rng(0)
cases = []
for n, d in [(1, 3), (2, 1), (3, 2), (4, 5), (5, 1), (8, 20), (21, 6), (50, 3)]:
    x = random.normal(size=(n, d)).astype(np.float32) * np.float32(10.0 ** random.integers(-3, 4))
    cases.append({"x": x.astype(float).tolist(), "bandwidth": float(median_bandwidth(jnp.asarray(x), factor))})
for n, d in [(40, 1), (100, 2)]:
    # Ties, half of the particles in one place.
    x = np.round(random.normal(size=(n, d)) * 4).astype(np.float32) / 4
    x[: n // 2] = x[0]
    cases.append({"x": x.astype(float).tolist(), "bandwidth": float(median_bandwidth(jnp.asarray(x), factor))})
same = np.zeros((6, 2), np.float32)
cases.append({"x": same.tolist(), "bandwidth": float(median_bandwidth(jnp.asarray(same), factor))})
path = pathlib.Path(__file__).with_name("numpyro-bandwidth.json")
path.write_text(json.dumps({"cases": cases}) + "\n")
