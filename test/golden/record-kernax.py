"""Records indices of kernax 0.3.0 for the draws of thinning.json: python record-kernax.py > thinning-kernax.json."""

import json
from pathlib import Path

import jax

jax.config.update("jax_enable_x64", True)

import jax.numpy as jnp  # noqa: E402
from kernax import SteinThinning  # noqa: E402

given = json.loads((Path(__file__).parent / "thinning.json").read_text())
x, s = (jnp.array(given[name]).reshape(-1, given["dimension"]) for name in ["draws", "scores"])
lengthscales = {"id": 1.0, "med": None}
print(json.dumps({name: [int(i) for i in SteinThinning(x, s, scale)(20)] for name, scale in lengthscales.items()}))
