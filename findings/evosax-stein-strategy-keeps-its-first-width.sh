#!/usr/bin/env bash
# evosax 0.3.2: SV_Open_ES, the Stein variational form of Open_ES, takes the same std_schedule and never follows it: the
# deviation of all populations stays that of step 0. A search that is to narrow down, by exponential_decay of optax for
# one, samples to its end as widely as at first. Open_ES with the same schedule follows it, one generation late.
# Guess before the run: both have the deviation of the schedule. Exits with 1 when that has come true. Needs Python 3.11
# or later.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3}" -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --no-compile evosax==0.3.2 jax==0.10.2 jaxlib==0.10.2 optax==0.2.8
"$folder/venv/bin/python" - <<'PY'
import sys
from importlib.metadata import version

import jax
import jax.numpy as jnp
import optax
from evosax.algorithms import Open_ES, SV_Open_ES

print("evosax", version("evosax"), "jax", jax.__version__)
GENERATIONS = 6
schedule = optax.exponential_decay(1.0, transition_steps=1, decay_rate=0.5)
common = {"population_size": 8, "solution": jnp.zeros(3), "std_schedule": schedule}


def deviations(method, mean):
    params = method.default_params
    key = jax.random.key(0)
    state = method.init(key, mean, params)
    for generation in range(GENERATIONS):
        key, ask, tell = jax.random.split(key, 3)
        population, state = method.ask(ask, state, params)
        state, _ = method.tell(tell, population, jnp.sum(population**2, axis=-1), state, params)
    return jnp.ravel(state.std).tolist()


plain = deviations(Open_ES(**common), jnp.ones(3))
stein = deviations(SV_Open_ES(num_populations=2, **common), jnp.ones((2, 3)))
print(f"the schedule after {GENERATIONS} generations: {float(schedule(GENERATIONS))}")
print(f"Open_ES: {plain}; SV_Open_ES: {stein}")
sys.exit(0 if plain == [float(schedule(GENERATIONS - 1))] and stein == [1.0, 1.0] else 1)
PY
