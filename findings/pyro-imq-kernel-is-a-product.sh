#!/usr/bin/env bash
# Pyro 1.9.2 with torch 2.15.0: IMQSteinKernel says (α + |x − y|²/h)^β. SVGD with mode="multivariate" multiplies such
# factors of every parameter instead, so a particle is nearer to itself by α^(βd), 2^(d/2) by default, and to the
# others hardly at all: with ten parameters each particle climbs to the mode alone, and from 256 on k(x, x) is
# infinite and all is NaN. The formula itself, as a kernel of one's own, keeps the particles apart, but not if its
# gradient is written as the page of SteinKernel says, the derivative of the log kernel by x_m: Pyro's kernels return
# minus that, and with the page's sign the particles attract each other.
# Guess before the run: ten parameters of N(0, 1) end with a deviation between 0.6 and 1, by Pyro's kernel and by one
# written from the page. Exits with 1 when either has come true. Needs Python 3.11 or later and 6 GB for torch.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3}" -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --no-cache-dir pyro-ppl==1.9.2 torch==2.15.0
"$folder/venv/bin/python" - <<'PY'
import math
import sys

import pyro
import pyro.distributions as dist
import torch
from pyro.infer import SVGD, IMQSteinKernel
from pyro.infer.svgd import SteinKernel
from pyro.optim import Adam

print("pyro", pyro.__version__, "torch", torch.__version__)
PARTICLES = 20


class Formula(SteinKernel):
    """(1/2 + |x − y|²/h)^(−1/2), all of it in the first coordinate, as SVGD sums the logarithms over them."""

    def __init__(self, sign):
        self.sign = sign

    def log_kernel_and_grad(self, particles):
        apart = particles.unsqueeze(0) - particles.unsqueeze(1)  # [n, m, d] x_m − x_n
        squares = (apart**2).sum(-1)
        h = squares[torch.triu(torch.ones(PARTICLES, PARTICLES), 1) > 0].median() / math.log(PARTICLES + 1)
        base = 0.5 + squares / h
        log_kernel = torch.zeros_like(apart)
        log_kernel[..., 0] = -0.5 * base.log()
        return log_kernel, self.sign * -apart / (h * base).unsqueeze(-1)


def deviation(kernel, size):
    pyro.clear_param_store()
    pyro.set_rng_seed(1)

    def model():
        pyro.sample("x", dist.Normal(torch.zeros(size), 1.0).to_event(1))

    svgd = SVGD(model, kernel, Adam({"lr": 0.05}), PARTICLES, max_plate_nesting=0, mode="multivariate")
    for _ in range(300):
        svgd.step()
    return svgd.get_named_particles()["x"].detach().reshape(PARTICLES, size).std(0).mean().item()


def own(size):
    """k(x, x), as SVGD takes it."""
    log_kernel, _ = IMQSteinKernel().log_kernel_and_grad(torch.randn(PARTICLES, size))
    return log_kernel.sum(-1).exp()[0, 0].item()


kernels = {"Pyro's": IMQSteinKernel(), "the formula": Formula(-1), "the page's sign": Formula(1)}
for size in (1, 10):
    found = {name: deviation(kernel, size) for name, kernel in kernels.items()}
    shown = ", ".join(f"{name} {value:.3f}" for name, value in found.items())
    print(f"deviation of {size} of N(0, 1): {shown}")
print("k(x, x) of 1, 10, 100 and 300 parameters:", *(f"{own(size):.4g}" for size in (1, 10, 100, 300)))
pulled, product, whole = found["the page's sign"], found["Pyro's"], found["the formula"]
sys.exit(0 if product < 0.1 and pulled < 0.1 and whole > 0.5 and math.isinf(own(300)) else 1)
PY
