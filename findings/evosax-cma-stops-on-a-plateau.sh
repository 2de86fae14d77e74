#!/usr/bin/env bash
# evosax 0.3.2: solutions of equal fitness share one rank, the mean of theirs, which is then cut to a whole number to
# look up the weight. So the weights of a generation with ties do not sum to one: of 16 equal solutions each has the
# weight of the eighth, 0.01. The step of the mean is then far shorter than CMA_ES expects of a step without a signal,
# and it searches more closely. Under equal fitness (a sparse reward before the first success) its step size falls by
# e^-0.3 a generation, to e^-61 in 200; of a reward of two values, drawn by chance, to e^-19. Hansen's rules leave it
# where it started on the average, and so it is where draws have no ties. Nothing warns.
# Guess before the run: without a signal the step size is a random walk about its start, with ties and without.
# Exits with 1 when that has come true. Needs Python 3.11 or later.
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
from evosax.algorithms import CMA_ES

print("evosax", version("evosax"), "jax", jax.__version__)
SIZE, GENERATIONS, RUNS = 16, 200, 10
method = CMA_ES(population_size=SIZE, solution=jnp.zeros(5))
params = method.default_params
FITNESS = {
    "draws without ties": lambda key: jax.random.normal(key, (SIZE,)),
    "draws of two values": lambda key: jax.random.bernoulli(key, 0.5, (SIZE,)).astype(float),
    "equal": lambda key: jnp.zeros(SIZE),
}


def final_log_step(fitness, key):
    def generation(state, key):
        ask, drawn, tell = jax.random.split(key, 3)
        population, state = method.ask(ask, state, params)
        return method.tell(tell, population, fitness(drawn), state, params)[0], None

    start = method.init(key, jnp.zeros(5), params)
    return jnp.log(jax.lax.scan(generation, start, jax.random.split(key, GENERATIONS))[0].std)


found = {}
for name, fitness in FITNESS.items():
    keys = jax.random.split(jax.random.key(0), RUNS)
    found[name] = float(jax.vmap(lambda key: final_log_step(fitness, key))(keys).mean())
    print(f"fitness {name}: step size e^{found[name]:.1f} after {GENERATIONS} generations from 1")
walk, two, equal = found.values()
sys.exit(0 if abs(walk) < 3 and two < -10 and equal < -50 else 1)
PY
