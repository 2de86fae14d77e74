"""Records log densities of scipy: python record-logp.py > logp.json (scipy 1.x)."""

import json
import numpy as np
import scipy
from scipy import stats

def row(name, args, value):
    return {"name": name, "args": args, "value": float(value)}

rows = []
for x, m, s in [(0.3, 0.0, 1.0), (-2.0, 1.5, 0.4), (40.0, 10.0, 7.0)]:
    rows.append(row("normal", [x, m, s], stats.norm.logpdf(x, m, s)))
    rows.append(row("cauchy", [x, m, s], stats.cauchy.logpdf(x, m, s)))
    rows.append(row("laplace", [x, m, s], stats.laplace.logpdf(x, m, s)))
    rows.append(row("logistic", [x, m, s], stats.logistic.logpdf(x, m, s)))
    for v in [1.0, 4.5, 300.0]:
        rows.append(row("studentT", [x, v, m, s], stats.t.logpdf(x, v, m, s)))
for x, a, b in [(0.2, 0.7, 2.0), (3.0, 5.0, 1.5), (25.0, 40.0, 2.0)]:
    rows.append(row("halfNormal", [x, b], stats.halfnorm.logpdf(x, scale=b)))
    rows.append(row("halfCauchy", [x, b], stats.halfcauchy.logpdf(x, scale=b)))
    rows.append(row("logNormal", [x, a, b], stats.lognorm.logpdf(x, b, scale=np.exp(a))))
    rows.append(row("exponential", [x, b], stats.expon.logpdf(x, scale=1 / b)))
    rows.append(row("gamma", [x, a, b], stats.gamma.logpdf(x, a, scale=1 / b)))
    rows.append(row("inverseGamma", [x, a, b], stats.invgamma.logpdf(x, a, scale=b)))
    rows.append(row("weibull", [x, a / 5, b], stats.weibull_min.logpdf(x, a / 5, scale=b)))
for x, a, b in [(0.1, 0.5, 0.5), (0.5, 5.0, 5.0), (0.93, 30.0, 2.0)]:
    rows.append(row("beta", [x, a, b], stats.beta.logpdf(x, a, b)))
    rows.append(row("uniform", [x, -1.0, 4.0], stats.uniform.logpdf(x, -1, 5)))
expit = lambda e: 1 / (1 + np.exp(-e))
for eta in [-3.0, 0.4, 6.0]:
    for x in [0, 1]:
        rows.append(row("bernoulliLogit", [x, eta], stats.bernoulli.logpmf(x, expit(eta))))
    for x, n in [(0, 5), (3, 7), (90, 100)]:
        rows.append(row("binomialLogit", [x, n, eta], stats.binom.logpmf(x, n, expit(eta))))
    for x in [0, 4, 60]:
        rows.append(row("poissonLog", [x, eta], stats.poisson.logpmf(x, np.exp(eta))))
        for phi in [0.5, 12.0]:
            rows.append(row("negativeBinomialLog", [x, eta, phi], stats.nbinom.logpmf(x, phi, phi / (phi + np.exp(eta)))))
# Where log Γ is large beside what is asked for. The values are of float32 arguments.
for v in [1e4, 1e6]:
    rows.append(row("studentT", [0.5, v, 0.0, 1.0], stats.t.logpdf(0.5, v)))
for x in [0, 1, 60]:
    for phi in [1e4, 1e6]:
        for eta in [-1.0, 3.0]:
            mu = np.exp(eta)
            rows.append(row("negativeBinomialLog", [x, eta, phi], stats.nbinom.logpmf(x, phi, phi / (phi + mu))))
for a, b in [(1000.0, 1.0), (100000.0, 3.0), (3.0, 100000.0)]:
    rows.append(row("beta", [0.5 ** 10, a, b], stats.beta.logpdf(0.5**10, a, b)))
for x, n in [(2, 100000), (99998, 100000)]:
    rows.append(row("binomialLogit", [x, n, 0.0], stats.binom.logpmf(x, n, 0.5)))
# Where every term of the usual form is large, and their sum is not.
for a in [1e4, 1e5]:
    for z in [-1.0, 2.0]:
        x = float(np.float32(a / 8 + z * np.sqrt(a) / 8))
        rows.append(row("gamma", [x, a, 8.0], stats.gamma.logpdf(x, a, scale=1 / 8)))
        rows.append(row("inverseGamma", [x, a, a * a / 8], stats.invgamma.logpdf(x, a, scale=a * a / 8)))
        rows.append(row("weibull", [1 + z / 512, 500.0, 1.0], stats.weibull_min.logpdf(1 + z / 512, 500.0)))
        k = round(a + z * np.sqrt(a))
        eta = float(np.float32(np.log(a)))
        rows.append(row("poissonLog", [k, eta], stats.poisson.logpmf(k, np.exp(eta))))
        rows.append(row("binomialLogit", [k, 2 * a, 0.0], stats.binom.logpmf(k, 2 * a, 0.5)))
        rows.append(row("beta", [0.5 + z / 256, a, a], stats.beta.logpdf(0.5 + z / 256, a, a)))
        for phi in [0.5, 20.0, 4e4]:
            p = phi / (phi + np.exp(eta))
            rows.append(row("negativeBinomialLog", [k, eta, phi], stats.nbinom.logpmf(k, phi, p)))
print(json.dumps({"scipy": scipy.__version__, "rows": rows}))
