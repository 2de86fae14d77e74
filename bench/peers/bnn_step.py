"""One step of SVGD on a Bayesian neural network, in JAX or in torch, float32, one thread.

    python3 bnn_step.py '{"library": "jax", "particles": 20, "inputs": 13, "hidden": 50, "batch": 100, "rows": 455}'

The model is that of bench/bnn/model.ts: one hidden layer of relu, precisions with Gamma priors, all rows of a minibatch seen by
all particles; the score by automatic differentiation of the log density, an RBF kernel, the authors' Adagrad. JAX runs many
steps in one compiled loop (lax.scan), torch one after the other. Rows are made up: a step costs the same for any.

Prints {"ms", "min", "version"} as JSON: the median time of a step.
"""

import json
import os
import statistics
import sys
import time

task = json.loads(sys.argv[1])
for variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[variable] = "1"
os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
os.sched_setaffinity(0, {sorted(os.sched_getaffinity(0))[0]})

import numpy

n, inputs, hidden, batch, rows = (task[name] for name in ("particles", "inputs", "hidden", "batch", "rows"))
first = hidden * (inputs + 1)
weights = first + hidden + 1
size = weights + 2
random = numpy.random.default_rng(0)
X = random.normal(size=(rows, inputs + 1)).astype("float32")
X[:, -1] = 1
Y = random.normal(size=rows).astype("float32")
start = (0.3 * random.normal(size=(n, size))).astype("float32")
scale = rows / batch


def jax_step():
    """A function that takes so many steps, and how many."""
    import jax
    import jax.numpy as jnp

    x_all, y_all = jnp.array(X), jnp.array(Y)

    def log_posterior(theta, x, y):
        w, log_gamma, log_lambda = theta[:weights], theta[weights], theta[weights + 1]
        units = jax.nn.relu(x @ w[:first].reshape(hidden, inputs + 1).T)
        errors = scale * jnp.sum((units @ w[first : first + hidden] + w[-1] - y) ** 2)
        likelihood = (1 + rows / 2) * log_gamma - (0.1 + errors / 2) * jnp.exp(log_gamma)
        return likelihood + (1 + weights / 2) * log_lambda - (0.1 + jnp.sum(w**2) / 2) * jnp.exp(log_lambda)

    scores = jax.vmap(jax.grad(log_posterior), in_axes=(0, None, None))

    def step(state, t):
        theta, history = state
        chosen = (t * batch + jnp.arange(batch)) % rows
        score = scores(theta, x_all[chosen], y_all[chosen])
        squares = jnp.sum((theta[:, None] - theta[None]) ** 2, -1)
        h = 0.5 * jnp.median(squares) / jnp.log(n + 1.0)
        kernel = jnp.exp(-squares / h / 2)
        phi = (kernel @ score + (theta * kernel.sum(1)[:, None] - kernel @ theta) / h) / n
        history = jnp.where(t == 0, phi**2, 0.9 * history + 0.1 * phi**2)
        return (theta + 1e-3 * phi / (1e-6 + jnp.sqrt(history)), history), None

    many = 1000
    run = jax.jit(lambda theta: jax.lax.scan(step, (theta, jnp.zeros_like(theta)), jnp.arange(many))[0][0])
    theta = jnp.array(start)
    return lambda: run(theta).block_until_ready(), many, jax.__version__


def torch_step():
    import torch

    torch.set_num_threads(1)
    x_all, y_all = torch.tensor(X), torch.tensor(Y)

    def run():
        theta = torch.tensor(start)
        history = torch.zeros_like(theta)
        for t in range(many):
            chosen = (t * batch + torch.arange(batch)) % rows
            x, y = x_all[chosen], y_all[chosen]
            leaf = theta.detach().requires_grad_()
            w, log_gamma, log_lambda = leaf[:, :weights], leaf[:, weights], leaf[:, weights + 1]
            units = torch.relu(w[:, :first].reshape(n * hidden, inputs + 1) @ x.T).view(n, hidden, batch)
            outputs = torch.einsum("nhb,nh->nb", units, w[:, first : first + hidden]) + w[:, -1:]
            errors = scale * ((outputs - y) ** 2).sum(1)
            likelihood = (1 + rows / 2) * log_gamma - (0.1 + errors / 2) * log_gamma.exp()
            prior = (1 + weights / 2) * log_lambda - (0.1 + (w**2).sum(1) / 2) * log_lambda.exp()
            (score,) = torch.autograd.grad((likelihood + prior).sum(), leaf)
            squares = torch.cdist(theta, theta) ** 2
            h = 0.5 * squares.median() / torch.log(torch.tensor(n + 1.0))
            kernel = torch.exp(-squares / h / 2)
            phi = (kernel @ score + (theta * kernel.sum(1)[:, None] - kernel @ theta) / h) / n
            history = phi**2 if t == 0 else 0.9 * history + 0.1 * phi**2
            theta = theta + 1e-3 * phi / (1e-6 + history.sqrt())

    many = 200
    return run, many, torch.__version__


run, many, version = {"jax": jax_step, "torch": torch_step}[task["library"]]()
run()
times = []
for _ in range(7):
    before = time.perf_counter()
    run()
    times.append((time.perf_counter() - before) * 1e3 / many)
print(json.dumps({"ms": statistics.median(times), "min": min(times), "version": version}))
