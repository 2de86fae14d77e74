"""Gradients of a population of MLPs with a loss, in torch on the CPU, float32.

    python3 mlp_torch.py '{"n": 16, "widths": [4, 64, 64, 2], "hidden": "tanh", "rows": 512, "threads": 1}' < data

reads float32: theta [n, size] (W [in, out] and b of each layer in turn), x [n, rows, in], action [n, rows],
weight [n, rows] and the expected gradient [n, size], and prints the times of the faster of two forms, stacked products
of all networks or networks one by one, as JSON: {"form", "ms", "min", "max", "samples", "error"}. ms is the median, error
the largest difference from the expected gradient.
"""

import json
import os
import sys
import time

task = json.loads(sys.argv[1])
for variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[variable] = str(task["threads"])  # before torch is imported

import numpy as np
import torch
from torch.nn.functional import log_softmax

torch.set_num_threads(task["threads"])

SECONDS = 1.0
MIN_SAMPLES = 7

n, rows, widths = task["n"], task["rows"], task["widths"]
activate = {"tanh": torch.tanh, "relu": torch.relu}[task["hidden"]]
layers = list(zip(widths[:-1], widths[1:]))
size = sum((a + 1) * b for a, b in layers)


def arrays():
    data = np.frombuffer(sys.stdin.buffer.read(), np.float32).copy()
    shapes = [(n, size), (n, rows, widths[0]), (n, rows), (n, rows), (n, size)]
    ends = np.cumsum([int(np.prod(shape)) for shape in shapes])
    return [torch.from_numpy(part.reshape(shape)) for part, shape in zip(np.split(data, ends[:-1]), shapes)]


theta, x, action, weight, expected = arrays()
action = action.long()


def forward(theta, x):
    """Outputs for theta [..., size] and x [..., rows, in]: the leading axis is there or not."""
    at = 0
    for k, (a, b) in enumerate(layers):
        w = theta[..., at : at + a * b].unflatten(-1, (a, b))
        bias = theta[..., at + a * b : at + (a + 1) * b].unsqueeze(-2)
        at += (a + 1) * b
        x = torch.baddbmm(bias, x, w) if x.dim() == 3 else torch.addmm(bias, x, w)
        if k < len(layers) - 1:
            x = activate(x)
    return x


def gradient(theta, x, action, weight):
    theta.requires_grad_()
    y = forward(theta, x)
    if widths[-1] == 1:
        value = y.squeeze(-1)
    else:
        value = log_softmax(y, -1).gather(-1, action.unsqueeze(-1)).squeeze(-1)
    return torch.autograd.grad((value * weight).sum(), theta)[0]


def stacked():
    return gradient(theta.detach(), x, action, weight)


def one_by_one():
    return torch.stack([gradient(theta[i].detach(), x[i], action[i], weight[i]) for i in range(n)])


def measure(run):
    error = float((run() - expected).abs().max())
    for _ in range(3):
        run()
    times = []
    start = time.perf_counter()
    while len(times) < MIN_SAMPLES or time.perf_counter() - start < SECONDS:
        before = time.perf_counter()
        run()
        times.append((time.perf_counter() - before) * 1e3)
    return {"ms": float(np.median(times)), "min": min(times), "max": max(times), "samples": len(times), "error": error}


forms = {"stacked": stacked, "one by one": one_by_one}
results = [{"form": form, **measure(run)} for form, run in forms.items()]
best = min(results, key=lambda result: result["ms"])
print(json.dumps({**best, "error": max(result["error"] for result in results)}))
