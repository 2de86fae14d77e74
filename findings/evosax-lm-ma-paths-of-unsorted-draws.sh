#!/usr/bin/env bash
# evosax 0.3.2: LM_MA_ES keeps the directions in which good solutions lay, as Loshchilov, Glasmachers and Beyer (2019)
# do, and bends its draws along them. It weighs the draws in the order in which they were drawn, not by fitness: the
# directions come out the same for a fitness f and for -f, they are noise. The paper's rate of the first of them, the
# number of solutions over that of parameters, is also taken as it is where it is above 2: the square root of
# c (2 - c) is then NaN, and so is the mean after a few generations. Nothing warns.
# Guess before the run: opposite fitness makes other directions; 16 solutions of 5 parameters, which Sep_CMA_ES takes,
# are refused or searched. Exits with 1 when either has come true. Needs Python 3.11 or later.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3}" -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --no-compile evosax==0.3.2 jax==0.10.2 jaxlib==0.10.2
"$folder/venv/bin/python" - <<'PY'
import sys
from importlib.metadata import version

import jax
import jax.numpy as jnp
from evosax.algorithms import LM_MA_ES, Sep_CMA_ES

print("evosax", version("evosax"), "jax", jax.__version__)
key = jax.random.key(0)


def one_generation(method, sign, size):
    """The state after one generation of the fitness sign * sum(x)."""
    params = method.default_params
    population, state = method.ask(key, method.init(key, jnp.zeros(size), params), params)
    return method.tell(key, population, sign * population.sum(axis=-1), state, params)[0]


def final_mean(method, size):
    params = method.default_params
    state = method.init(key, jnp.ones(size), params)
    for k in jax.random.split(key, 4):
        population, state = method.ask(k, state, params)
        state, _ = method.tell(k, population, jnp.sum(population**2, axis=-1), state, params)
    return method.get_mean(state)


large = LM_MA_ES(population_size=16, solution=jnp.zeros(100))
up, down = (one_generation(large, sign, 100) for sign in (1.0, -1.0))
same = bool((up.M == down.M).all() and jnp.abs(up.M).max() > 0)
turned = float(jnp.vdot(up.mean, down.mean) / jnp.linalg.norm(up.mean) / jnp.linalg.norm(down.mean))
print(f"100 parameters, fitness f and -f: cosine of the two means {turned:.2f}; the same directions: {same}")
small = [final_mean(kind(population_size=16, solution=jnp.zeros(5)), 5) for kind in (LM_MA_ES, Sep_CMA_ES)]
print(f"5 parameters, four generations: mean of LM_MA_ES {small[0]}, of Sep_CMA_ES {small[1]}")
broken = bool(jnp.isnan(small[0]).all()) and bool(jnp.isfinite(small[1]).all())
sys.exit(0 if same and turned < 0.5 and broken else 1)
PY
