"""The Stein direction (RBF kernel, median bandwidth) in numpy, float32, one thread.

    python3 svgd_numpy.py '[[64, 5000], [100, 2]]'

prints the times of each size as JSON: [{"n", "d", "ms", "min", "max", "samples"}, ...]. ms is the median.
"""

import json
import os
import sys
import time

for variable in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "BLIS_NUM_THREADS"):
    os.environ[variable] = "1"  # before numpy is imported

import numpy as np

SECONDS = 1.5
MIN_SAMPLES = 5


def stein(n, d):
    """A function of particles and scores [n, d] to phi [n, d], without allocation but for the median."""
    upper = np.flatnonzero(np.triu(np.ones((n, n), bool), 1))
    centred, mixed, phi = (np.empty((n, d), np.float32) for _ in range(3))
    kernel = np.empty((n, n), np.float32)
    pairs = np.empty(upper.size, np.float32)
    middle = upper.size // 2
    mean, ones = np.full(n, 1 / n, np.float32), np.ones(n, np.float32)

    def median():
        kernel.ravel().take(upper, out=pairs, mode="clip")
        # One rank: numpy selects it with AVX-512, for two it takes a path twelve times slower.
        pairs.partition(middle)
        higher = pairs[middle]
        lower = higher if upper.size % 2 else pairs[:middle].max()
        return (np.sqrt(float(lower)) + np.sqrt(float(higher))) / 2

    def direction(x, score):
        np.subtract(x, mean @ x, out=centred)
        np.matmul(centred, centred.T, out=kernel)  # numpy recognises the symmetric product: half the work
        norms = kernel.diagonal().copy()
        np.multiply(kernel, -2, out=kernel)
        np.add(kernel, norms, out=kernel)
        np.add(kernel, norms[:, None], out=kernel)
        np.maximum(kernel, 0, out=kernel)
        h = float(median()) ** 2 / np.log(n + 1)
        np.multiply(kernel, np.float32(-1 / h), out=kernel)
        np.exp(kernel, out=kernel)
        np.multiply(kernel, np.float32(1 / n), out=kernel)
        np.multiply(centred, np.float32(-2 / h), out=mixed)
        np.add(mixed, score, out=mixed)
        np.matmul(kernel, mixed, out=phi)
        pull = np.float32(2 / h) * (kernel @ ones)
        np.multiply(centred, pull[:, None], out=mixed)
        return np.add(phi, mixed, out=phi)

    return direction


def reference(x, rows):
    """A function of scores to the given rows of phi in float64, for the particles x."""
    n = len(x)
    x = x.astype(np.float64)
    norms = (x * x).sum(1)
    d2 = np.maximum(norms[:, None] + norms - 2 * x @ x.T, 0)
    h = np.median(np.sqrt(d2[np.triu_indices(n, 1)])) ** 2 / np.log(n + 1)
    k = np.exp(-d2[rows] / h)

    def direction(score):
        drive = k @ score.astype(np.float64)
        repulsion = np.stack([(2 / h) * w @ (x[i] - x) for w, i in zip(k, rows)])
        return (drive + repulsion) / n

    return direction


def relative_error(a, b):
    return np.abs(a - b).max() / np.abs(b).max()


def varied(n, d):
    """Small inputs change from call to call, or the processor learns the branches of the selection by heart."""
    return 64 if n * d <= 1024 else 1


def measure(n, d):
    rng = np.random.default_rng(0)
    inputs = [[rng.standard_normal((n, d), dtype=np.float32) for _ in range(2)] for _ in range(varied(n, d))]
    x, score = inputs[0]
    direction = stein(n, d)
    rows = np.unique(np.linspace(0, n - 1, 16).astype(int))
    expected = reference(x, rows)
    # Without scores as well: where d is large the repulsion is so small a part of phi that it could be missing.
    for s in (np.zeros_like(score), score):
        error = relative_error(direction(x, s)[rows], expected(s))
        if not error < 1e-3:
            sys.exit(f"numpy {n} x {d}: relative error {error:.1e}")
    times = []
    start = time.perf_counter()
    while len(times) < MIN_SAMPLES or time.perf_counter() - start < SECONDS:
        before = time.perf_counter()
        direction(*inputs[len(times) % len(inputs)])
        times.append((time.perf_counter() - before) * 1e3)
    return {"n": n, "d": d, "ms": float(np.median(times)), "min": min(times), "max": max(times), "samples": len(times)}


print(json.dumps([measure(n, d) for n, d in json.loads(sys.argv[1])]))
