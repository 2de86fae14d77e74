#!/usr/bin/env bash
# blackjax 1.7.1: the median heuristic of its SVGD writes the bandwidth into the dictionary of the state that it was
# given, and init() takes one dictionary for all its calls where none is named. So the second run from the same particles
# starts with the last bandwidth of the first one and ends elsewhere, and a state that is stepped twice gives two
# results; under jax.jit, whose function gets a copy, both are equal.
# Guess before the run: init() and step() are functions of what they are given, as everything in blackjax.
# Exits with 1 when that has changed. Needs Python 3.11 or later.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3}" -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet blackjax==1.7.1 jax==0.10.2 jaxlib==0.10.2
"$folder/venv/bin/python" - <<'PY'
import sys

import blackjax
import jax
import jax.numpy as jnp
import optax

print("blackjax", blackjax.__version__, "jax", jax.__version__)
start = jnp.linspace(-30.0, 30.0, 20)


def difference(wrapped):
    """The largest distance of a particle between two runs of fifty steps to N(0, 1)."""
    svgd = blackjax.svgd(lambda x: -x, optax.adagrad(0.5))
    step = wrapped(svgd.step)
    ends = []
    for _ in range(2):
        state = svgd.init(start)
        for _ in range(50):
            state = step(state)
        ends.append(state.particles)
    return float(jnp.abs(ends[0] - ends[1]).max())


svgd = blackjax.svgd(lambda x: -x, optax.adagrad(0.5))
state = svgd.init(start)
before = float(state.kernel_parameters["length_scale"])
once, again = svgd.step(state).particles, svgd.step(state).particles
after = float(state.kernel_parameters["length_scale"])
plain, jitted, twice = difference(lambda f: f), difference(jax.jit), float(jnp.abs(once - again).max())
print(f"two runs from the same particles: {plain:.4f} apart; under jax.jit {jitted:.4f}")
print(f"one state stepped twice: {twice:.4f} apart; the bandwidth in that state: {before:.1f}, then {after:.1f}")
sys.exit(0 if plain > 0.1 and jitted == 0 and twice > 0.1 and before == 1 and after > 100 else 1)
PY
