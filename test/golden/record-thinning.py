"""Records indices of stein-thinning 0.2.0 for draws of a Gaussian chain: python record-thinning.py > thinning.json."""

import json
import numpy as np
from stein_thinning.thinning import thin

rng = np.random.default_rng(3)
n, d = 60, 2
covariance = np.array([[1.0, 0.6], [0.6, 2.0]])
x = np.round(rng.standard_normal((n, d)) @ np.linalg.cholesky(covariance).T + np.array([0.4, -0.2]), 4)
s = -x @ np.linalg.inv(covariance)
indices = {
    f"{name}{'' if standardize else ' raw'}": [int(i) for i in thin(x, s, 20, standardize=standardize, preconditioner=name)]
    for name in ["id", "med", "sclmed"]
    for standardize in [True, False]
}
print(json.dumps({"draws": x.ravel().tolist(), "scores": s.ravel().tolist(), "dimension": d, "indices": indices}))
