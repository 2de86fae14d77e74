"""The Stein direction (RBF kernel, median bandwidth) in torch on the CPU, float32, one thread.

    python3 svgd_torch.py '[[64, 5000], [100, 2]]'

prints the times of each size as JSON: [{"n", "d", "ms", "min", "max", "samples"}, ...]. ms is the median.
"""

import json
import math
import os
import sys
import time

for variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[variable] = "1"  # before torch is imported

import torch

torch.set_num_threads(1)

SECONDS = 1.5
MIN_SAMPLES = 5


def stein(n, d):
    """A function of particles and scores [n, d] to phi [n, d], without allocation but for the median."""
    upper = torch.ones(n, n).triu(1).flatten().nonzero().flatten()
    centred, mixed, phi = (torch.empty(n, d) for _ in range(3))
    kernel = torch.empty(n, n)
    pairs = torch.empty(len(upper))
    middle = len(upper) // 2

    def median():
        torch.index_select(kernel.view(-1), 0, upper, out=pairs)
        lower = pairs.median()  # of an even count torch gives the lower of the two
        higher = lower
        if len(upper) % 2 == 0:
            above = pairs > lower
            if int(above.sum()) == middle:
                higher = pairs.masked_fill_(~above, math.inf).min()
        return (math.sqrt(lower) + math.sqrt(higher)) / 2

    def direction(x, score):
        torch.sub(x, x.mean(0), out=centred)
        torch.mm(centred, centred.T, out=kernel)
        norms = kernel.diagonal().clone()
        kernel.mul_(-2).add_(norms).add_(norms[:, None]).clamp_(min=0)
        h = median() ** 2 / math.log(n + 1)
        kernel.mul_(-1 / h).exp_().mul_(1 / n)
        torch.add(score, centred, alpha=-2 / h, out=mixed)
        torch.mm(kernel, mixed, out=phi)
        pull = kernel.sum(1).mul_(2 / h)
        return phi.addcmul_(centred, pull[:, None])

    return direction


def reference(x, rows):
    """A function of scores to the given rows of phi in float64, for the particles x."""
    n = len(x)
    x = x.double()
    norms = (x * x).sum(1)
    d2 = (norms[:, None] + norms - 2 * x @ x.T).clamp(min=0)
    pairs = d2[torch.ones(n, n).triu(1).bool()].sqrt().sort().values
    h = float((pairs[(len(pairs) - 1) // 2] + pairs[len(pairs) // 2]) / 2) ** 2 / math.log(n + 1)
    k = torch.exp(-d2[rows] / h)

    def direction(score):
        drive = k @ score.double()
        repulsion = torch.stack([(2 / h) * w @ (x[i] - x) for w, i in zip(k, rows)])
        return (drive + repulsion) / n

    return direction


def relative_error(a, b):
    return float((a - b).abs().max() / b.abs().max())


def varied(n, d):
    """Small inputs change from call to call, or the processor learns the branches of the selection by heart."""
    return 64 if n * d <= 1024 else 1


def measure(n, d):
    torch.manual_seed(0)
    inputs = [(torch.randn(n, d), torch.randn(n, d)) for _ in range(varied(n, d))]
    x, score = inputs[0]
    direction = stein(n, d)
    rows = torch.linspace(0, n - 1, 16).long().unique()
    expected = reference(x, rows)
    # Without scores as well: where d is large the repulsion is so small a part of phi that it could be missing.
    for s in (torch.zeros_like(score), score):
        error = relative_error(direction(x, s)[rows], expected(s))
        if not error < 1e-3:
            sys.exit(f"torch {n} x {d}: relative error {error:.1e}")
    times = []
    start = time.perf_counter()
    while len(times) < MIN_SAMPLES or time.perf_counter() - start < SECONDS:
        before = time.perf_counter()
        direction(*inputs[len(times) % len(inputs)])
        times.append((time.perf_counter() - before) * 1e3)
    times.sort()
    ms = (times[(len(times) - 1) // 2] + times[len(times) // 2]) / 2
    return {"n": n, "d": d, "ms": ms, "min": times[0], "max": times[-1], "samples": len(times)}


with torch.inference_mode():
    print(json.dumps([measure(n, d) for n, d in json.loads(sys.argv[1])]))
