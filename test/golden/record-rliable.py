"""Records what rliable makes of scores: python record-rliable.py > rliable.json, or of those on standard input."""

import importlib.metadata
import json
import sys

import numpy as np
from rliable import library, metrics


def record(tasks_x, tasks_y, thresholds, replicates):
    """tasks_x, tasks_y: [tasks][runs]; rliable takes [runs][tasks]."""
    np.random.seed(1)
    x, y = np.array(tasks_x).T, np.array(tasks_y).T

    def interval(scores, statistic):
        key = {"x": scores}
        _, ends = library.get_interval_estimates(key, statistic, reps=replicates)
        return np.array(ends["x"]).T.tolist()

    profile = lambda scores: library.score_distributions(scores, thresholds)
    return {
        "x": tasks_x,
        "y": tasks_y,
        "thresholds": thresholds,
        "interquartileMean": float(metrics.aggregate_iqm(x)),
        "interquartileMeanInterval": interval(x, lambda s: np.array([metrics.aggregate_iqm(s)]))[0],
        "probability": float(metrics.probability_of_improvement(x, y)),
        "probabilityInterval": interval([x, y], lambda a, b: np.array([metrics.probability_of_improvement(a, b)]))[0],
        "profile": profile(x).tolist(),
        "profileIntervals": interval(x, profile),
    }


def scores(rng, tasks, runs, shift):
    spread = rng.standard_gamma(2.0, (tasks, runs)) + shift + np.arange(tasks)[:, None] / 4
    return np.round(spread, 3).tolist()


if __name__ == "__main__":
    if not sys.stdin.isatty() and (given := sys.stdin.read().strip()):
        cases = [record(**case) for case in json.loads(given)]
    else:
        rng = np.random.default_rng(11)
        thresholds = [0.5, 1.0, 1.5, 2.0, 3.0, 4.0]
        cases = [
            record(scores(rng, tasks, n, 0.4), scores(rng, tasks, m, 0.0), thresholds, 2000)
            for tasks, n, m in [(1, 3, 3), (1, 10, 8), (3, 5, 7)]
        ]
        # Ties within and between, and scores that are the same.
        cases.append(record([[1.0, 1.0, 2.0, 3.0]], [[1.0, 2.0, 2.0, 0.0]], thresholds, 2000))
        cases.append(record([[1.0, 2.0, 3.0]], [[1.0, 2.0, 3.0]], thresholds, 2000))
    versions = {name: importlib.metadata.version(name) for name in ["rliable", "arch", "numpy", "scipy", "pandas"]}
    print(json.dumps({"versions": versions, "cases": cases}))
