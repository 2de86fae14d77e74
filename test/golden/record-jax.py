"""Gradients that JAX 0.10.2 gives at kinks, ties, bounds and zeros, into jax-gradients.json beside this file.

pip install jax==0.10.2; python record-jax.py
"""
import json
import pathlib

import jax
import jax.numpy as jnp

S = [-2.0, -1.0, -0.5, 0.0, 0.5, 1.0, 2.0, 6.0, 7.0]
T = [[1.0, 3.0, 3.0], [2.0, 2.0, 2.0], [-1.0, -1.0, 0.0]]
Z = [[2.0, 0.0, 3.0, 4.0], [0.0, 5.0, 0.0, 2.0], [1.0, 2.0, 3.0, 4.0]]
W = jnp.arange(1.0, 5.0)

cases = {
    "abs": (lambda x: jnp.abs(x), S),
    "clip -1 1": (lambda x: jnp.clip(x, -1.0, 1.0), S),
    "maximum 0": (lambda x: jnp.maximum(x, 0.0), S),
    "minimum 0": (lambda x: jnp.minimum(x, 0.0), S),
    "maximum reversed": (lambda x: jnp.maximum(x, x[::-1]), S),
    "relu": (jax.nn.relu, S),
    "relu6": (jax.nn.relu6, S),
    "elu": (jax.nn.elu, S),
    "selu": (jax.nn.selu, S),
    "leaky relu": (lambda x: jax.nn.leaky_relu(x, 0.2), S),
    "sign": (jnp.sign, S),
    "floor": (jnp.floor, S),
    "round": (jnp.round, S),
    "floor divide": (lambda x: jnp.floor_divide(x, 0.75), S),
    "mod": (lambda x: jnp.mod(x, 0.75), S),
    "square": (jnp.square, S),
    "power 2": (lambda x: x ** jnp.full(9, 2.0), S),
    "power 0": (lambda x: x**0, S),
    "power 1": (lambda x: x**1, S),
    "2 to the power": (lambda x: jnp.power(2.0, x), S),
    "0 to the power": (lambda x: jnp.power(jnp.zeros(9), jnp.abs(x) + 1), S),
    "where": (lambda x: jnp.where(x > 0, -x * x, x), S),
    "to whole numbers": (lambda x: x.astype(jnp.int32).astype(jnp.float32) * x, S),
    "softplus": (jax.nn.softplus, S),
    "log sigmoid": (jax.nn.log_sigmoid, S),
    "max along rows": (lambda x: jnp.max(x, 1), T),
    "min along rows": (lambda x: jnp.min(x, 1), T),
    "max along columns": (lambda x: jnp.max(x, 0), T),
    "max of all": (lambda x: jnp.max(x), T),
    "logsumexp": (lambda x: jax.scipy.special.logsumexp(x, 1), T),
    "prod along rows": (lambda x: jnp.prod(x, 1), Z),
    "prod of all": (lambda x: jnp.prod(x), [[2.0, 0.0], [3.0, 4.0]]),
    "cumprod": (lambda x: jnp.cumprod(x, 1) * W, Z),
    "cumsum along columns": (lambda x: jnp.cumsum(x, 0) * W[:3], T),
    "topk": (lambda x: jax.lax.top_k(x, 2)[0] * W[:2], T),
    "reflect": (lambda x: jnp.pad(x, [[1, 1], [2, 2]], mode="reflect")[0] * jnp.arange(1.0, 8.0), T),
    "symmetric": (lambda x: jnp.pad(x, [[1, 1], [2, 2]], mode="symmetric")[0] * jnp.arange(1.0, 8.0), T),
}

recorded = {}
for name, (f, x) in cases.items():
    x = jnp.array(x)
    first = jax.grad(lambda x: jnp.sum(f(x)))(x)
    second = jax.grad(lambda x: jnp.sum(jax.grad(lambda x: jnp.sum(f(x)))(x) * jnp.cos(x)))(x)
    number = lambda v: str(v) if v != v or abs(v) == float("inf") else v
    flat = lambda a: [number(float(v)) for v in a.reshape(-1)]
    recorded[name] = {"shape": list(x.shape), "x": flat(x), "gradient": flat(first), "second": flat(second)}
pathlib.Path(__file__).with_name("jax-gradients.json").write_text(json.dumps(recorded, indent=0) + "\n")
