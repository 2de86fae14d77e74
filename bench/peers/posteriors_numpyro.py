"""numpyro on posteriors with known answers: its SVGD and its AutoMultivariateNormal, at as many gradients as ours took.

    python3 posteriors_numpyro.py '{"data": "DIRECTORY", "sets": [{"set": "arK-arK", "evaluations": 17168}], "particles": 100, "seed": 0}'

SVGD as its documentation has it: Adagrad(0.05), RBFKernel, evaluations / particles steps. AutoMultivariateNormal: Adam(0.01),
one particle of the ELBO a step, as many steps as evaluations; 10,000 draws of it. Prints {"versions", "rows": [{"set", "method",
"error", "least", "most", "seconds"}, ...]} as JSON: largest error of a mean in standard deviations of the reference, smallest
and largest ratio of standard deviations, and the time of the fit with its compilation.
"""

import json
import os
import platform
import sys
import time

import jax
import jax.numpy as jnp
import numpy as np
import numpyro
import numpyro.distributions as dist
from numpyro import sample
from numpyro.contrib.einstein import SVGD, RBFKernel
from numpyro.distributions import constraints
from numpyro.infer import SVI, Trace_ELBO
from numpyro.infer.autoguide import AutoMultivariateNormal


class Flat(dist.ImproperUniform):
    """A flat prior that SteinVI can trace: it draws from every prior once."""

    def sample(self, key, sample_shape=()):
        free = jax.random.uniform(key, sample_shape + self.batch_shape + self.event_shape, minval=-2, maxval=2)
        return dist.biject_to(self.support)(free)


def flat(name, support=constraints.real, shape=()):
    return sample(name, Flat(support, (), shape))


def regression(columns, y, sigma_prior=None, beta_prior=None):
    """y ~ N(X beta, sigma); what has no prior is flat."""
    x, y = np.stack([np.asarray(c, float) for c in columns], 1), np.asarray(y, float)

    def model():
        shape = (x.shape[1],)
        beta = sample("beta", beta_prior.expand(shape).to_event(1)) if beta_prior else flat("beta", shape=shape)
        sigma = sample("sigma", sigma_prior) if sigma_prior else flat("sigma", constraints.positive)
        sample("y", dist.Normal(x @ beta, sigma), obs=y)

    return model


def nothing(_):
    return {}


CAUCHY = dist.HalfCauchy(2.5)


def kidiq(d, columns):
    return regression([np.ones(len(d["kid_score"])), *columns], d["kid_score"], CAUCHY), nothing


def centred(d, h, q):
    return regression([np.ones(len(h)), h, q, h * q], d["kid_score"]), nothing


def working_mothers(d):
    work = [d["mom_work"] == k for k in (2, 3, 4)]
    return regression([np.ones(len(d["kid_score"])), *work], d["kid_score"]), nothing


def nes(d):
    age = d["age_discrete"]
    ages = [age == k for k in (2, 3, 4)]
    columns = [np.ones(len(age)), d["real_ideo"], d["race_adj"], *ages, d["educ1"], d["gender"], d["income"]]
    return regression(columns, d["partyid7"]), nothing


def mesquite(d, names, function, target):
    columns = [function(d[name]) for name in names]
    return regression([np.ones(len(d["weight"])), *columns, d["group"]], target(d["weight"])), nothing


SIZES = ["diam1", "diam2", "canopy_height", "total_height", "density"]


def identity(values):
    return values


def logvolume(d):
    volume = np.log(d["diam1"] * d["diam2"] * d["canopy_height"])
    return regression([np.ones(len(volume)), volume], np.log(d["weight"])), nothing


def earnings(d, y, *columns):
    return regression([np.ones(len(y)), *columns], y), nothing


def kilpisjarvi(d):
    def model():
        alpha = sample("alpha", dist.Normal(d["pmualpha"], d["psalpha"]))
        beta = sample("beta", dist.Normal(d["pmubeta"], d["psbeta"]))
        sample("y", dist.Normal(alpha + beta * d["x"], flat("sigma", constraints.positive)), obs=d["y"])

    return model, nothing


def autoregression(d):
    lags = int(d["K"])
    x = np.stack([d["y"][lags - k - 1 : len(d["y"]) - k - 1] for k in range(lags)], 1)

    def model():
        alpha = sample("alpha", dist.Normal(0, 10))
        beta = sample("beta", dist.Normal(0, 10).expand([lags]).to_event(1))
        sample("y", dist.Normal(alpha + x @ beta, sample("sigma", CAUCHY)), obs=d["y"][lags:])

    return model, nothing


def eight_schools(d):
    def model():
        theta_trans = sample("theta_trans", dist.Normal(0, 1).expand([8]).to_event(1))
        mu, tau = sample("mu", dist.Normal(0, 5)), sample("tau", dist.HalfCauchy(5))
        sample("y", dist.Normal(mu + tau * theta_trans, d["sigma"]), obs=d["y"])

    return model, lambda v: {"theta": v["mu"][:, None] + v["tau"][:, None] * v["theta_trans"]}


def mixture(d):
    def model():
        mu = flat("mu", constraints.ordered_vector, (2,))
        numpyro.factor("mu_prior", dist.Normal(0, 2).log_prob(mu).sum())
        sigma = sample("sigma", dist.HalfNormal(2).expand([2]).to_event(1))
        theta = sample("theta", dist.Beta(5, 5))
        parts = dist.Categorical(probs=jnp.stack([theta, 1 - theta]))
        sample("y", dist.MixtureSameFamily(parts, dist.Normal(mu, sigma)), obs=d["y"])

    return model, nothing


def gaussian_process(d):
    squares = (d["x"][:, None] - d["x"][None]) ** 2

    def model():
        rho, alpha = sample("rho", dist.Gamma(25, 4)), sample("alpha", dist.HalfNormal(2))
        sigma = sample("sigma", dist.HalfNormal(1))
        covariance = alpha**2 * jnp.exp(-squares / (2 * rho**2)) + sigma * jnp.eye(len(d["x"]))
        sample("y", dist.MultivariateNormal(jnp.zeros(len(d["x"])), covariance), obs=d["y"])

    return model, nothing


def garch(d):
    def model():
        mu, alpha0 = flat("mu"), flat("alpha0", constraints.positive)
        alpha1, share = flat("alpha1", constraints.unit_interval), flat("share", constraints.unit_interval)
        numpyro.factor("room", jnp.log1p(-alpha1))
        squares = (d["y"] - mu) ** 2

        def step(variance, square):
            following = alpha0 + alpha1 * square + (1 - alpha1) * share * variance
            return following, following

        first = jnp.asarray(float(d["sigma1"]) ** 2)
        _, later = jax.lax.scan(step, first, squares[:-1])
        sample("y", dist.Normal(mu, jnp.sqrt(jnp.concatenate([first[None], later]))), obs=d["y"])

    return model, lambda v: {"beta1": (1 - v["alpha1"]) * v["share"]}


MODELS = {
    "kidiq-kidscore_momhs": lambda d: kidiq(d, [d["mom_hs"]]),
    "kidiq-kidscore_momiq": lambda d: kidiq(d, [d["mom_iq"]]),
    "kidiq-kidscore_momhsiq": lambda d: kidiq(d, [d["mom_hs"], d["mom_iq"]]),
    "kidiq-kidscore_interaction": lambda d: kidiq(d, [d["mom_hs"], d["mom_iq"], d["mom_hs"] * d["mom_iq"]]),
    "kidiq_with_mom_work-kidscore_interaction_c": lambda d: centred(
        d, d["mom_hs"] - d["mom_hs"].mean(), d["mom_iq"] - d["mom_iq"].mean()
    ),
    "kidiq_with_mom_work-kidscore_interaction_c2": lambda d: centred(d, d["mom_hs"] - 0.5, d["mom_iq"] - 100),
    "kidiq_with_mom_work-kidscore_mom_work": working_mothers,
    "mesquite-mesquite": lambda d: mesquite(d, SIZES, identity, identity),
    "mesquite-logmesquite": lambda d: mesquite(d, SIZES, np.log, np.log),
    "mesquite-logmesquite_logvolume": logvolume,
    "earnings-earn_height": lambda d: earnings(d, d["earn"], d["height"]),
    "earnings-logearn_height": lambda d: earnings(d, np.log(d["earn"]), d["height"]),
    "earnings-logearn_interaction": lambda d: earnings(
        d, np.log(d["earn"]), d["height"], d["male"], d["height"] * d["male"]
    ),
    "nes1972-nes": nes,
    "nes2000-nes": nes,
    "sblri-blr": lambda d: (regression(d["X"].T, d["y"], dist.HalfNormal(10), dist.Normal(0, 10)), nothing),
    "kilpisjarvi_mod-kilpisjarvi": kilpisjarvi,
    "arK-arK": autoregression,
    "eight_schools-eight_schools_noncentered": eight_schools,
    "low_dim_gauss_mix-low_dim_gauss_mix": mixture,
    "gp_pois_regr-gp_regr": gaussian_process,
    "garch-garch11": garch,
}


def by_svgd(model, evaluations, particles, seed):
    svgd = SVGD(model, numpyro.optim.Adagrad(0.05), RBFKernel(), num_stein_particles=particles)
    result = svgd.run(jax.random.key(seed), max(1, evaluations // particles), progress_bar=False)
    found = svgd.get_params(result.state)
    return {name.removesuffix("_auto_loc"): np.asarray(value) for name, value in found.items()}


def by_normal(model, evaluations, _, seed):
    guide = AutoMultivariateNormal(model)
    svi = SVI(model, guide, numpyro.optim.Adam(0.01), Trace_ELBO())
    result = svi.run(jax.random.key(seed), evaluations, progress_bar=False)
    draws = guide.sample_posterior(jax.random.key(seed + 1), result.params, sample_shape=(10_000,))
    return {name: np.asarray(value) for name, value in draws.items()}


def figures(reference, values):
    """The worst over the numbers that the reference has; infinite where a fit is not finite."""
    errors, ratios = [], []
    for name, mean, sd in zip(reference["parameters"], reference["mean"], reference["sd"]):
        base, _, place = name.removesuffix("]").partition("[")
        column = values[base][:, int(place) - 1] if place else values[base]
        errors.append(abs(column.mean() - mean) / sd)
        ratios.append(column.std(ddof=1) / sd)
    numbers = {"error": max(errors), "least": min(ratios), "most": max(ratios)}
    return {name: float(value) if np.isfinite(value) else None for name, value in numbers.items()}


def main():
    task = json.loads(sys.argv[1])
    rows = []
    for entry in task["sets"]:
        if entry["set"] not in MODELS:
            continue
        with open(os.path.join(task["data"], entry["set"] + ".json")) as file:
            reference = json.load(file)
        data = {name: np.asarray(value) for name, value in reference["data"].items()}
        model, generated = MODELS[entry["set"]](data)
        for method, fit in {"SVGD": by_svgd, "AutoMultivariateNormal": by_normal}.items():
            began = time.perf_counter()
            values = fit(model, entry["evaluations"], task["particles"], task["seed"])
            seconds = time.perf_counter() - began
            values |= generated(values)
            rows.append({"set": entry["set"], "method": method, **figures(reference, values), "seconds": seconds})
            print(rows[-1], file=sys.stderr)
    versions = {"numpyro": numpyro.__version__, "jax": jax.__version__, "python": platform.python_version()}
    print(json.dumps({"versions": versions, "rows": rows}))


main()
