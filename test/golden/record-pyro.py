"""Bandwidths and steps of Pyro 1.9.2's SVGD with its RBF kernel, in both modes, into pyro-svgd.json beside this file.

pip install pyro-ppl==1.9.2 torch; python record-pyro.py
"""
import json
import pathlib

import numpy as np
import pyro
import pyro.distributions as dist
import torch
from pyro.infer import SVGD, Trace_ELBO
from pyro.infer.svgd import RBFSteinKernel
from pyro.optim import SGD

random = np.random.default_rng(0)


def step(x, mode):
    """How far one step of rate 1 moves the particles of a standard normal."""
    pyro.clear_param_store()
    n, d = x.shape

    def model():
        pyro.sample("x", dist.Normal(torch.zeros(d), 1.0).to_event(1))

    svgd = SVGD(model, RBFSteinKernel(), SGD({"lr": 1.0}), num_particles=n, max_plate_nesting=0, mode=mode)
    svgd.step()
    (parameter,) = [p.unconstrained() for _, p in pyro.get_param_store().items()]
    with torch.no_grad():
        parameter.copy_(torch.tensor(x).reshape(parameter.shape))
    svgd.step()
    return parameter.detach().numpy().reshape(n, d) - x


shapes = [(2, 1), (3, 2), (4, 5), (5, 1), (8, 20), (21, 6), (50, 3)]
sets = [(random.normal(size=(n, d)) * 10.0 ** random.uniform(-1, 1, size=d)).astype(np.float32) for n, d in shapes]
# Ties, a third of the particles in one place.
sets += [np.round(random.normal(size=(n, d)) * 4).astype(np.float32) / 4 for n, d in [(30, 1), (60, 2)]]
for x in sets[-2:]:
    x[: len(x) // 3] = x[0]

cases = []
for x in sets:
    delta = torch.tensor(x)[None] - torch.tensor(x)[:, None]
    bandwidths = RBFSteinKernel()._bandwidth(delta**2)
    moved = {mode: step(x, mode).astype(float).tolist() for mode in ["univariate", "multivariate"]}
    cases.append({"x": x.astype(float).tolist(), "bandwidths": bandwidths.double().tolist(), **moved})
versions = {"pyro": pyro.__version__, "torch": torch.__version__.split("+")[0]}
pathlib.Path(__file__).with_name("pyro-svgd.json").write_text(json.dumps({"versions": versions, "cases": cases}) + "\n")
