"""Random steps of rllab's own tasks in Box2D itself, and its linear baseline, into rllab.json beside this file.

git clone https://github.com/rll/rllab && git -C rllab checkout ba78e4c16dc492982e648f117875b22af3965579
pip install box2d==2.3.10 numpy mako; python record-rllab.py rllab

rllab is of Python 3.5: what its tasks import and do not use is left out.
"""
import json
import pathlib
import sys
import types


class Unused(types.ModuleType):
    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return type(name, (), {})


theano = ["theano", "theano.tensor", "theano.tensor.nnet", "theano.tensor.extra_ops"]
for name in [*theano, "pygame", "cached_property", "rllab.envs.box2d.box2d_viewer", "rllab.misc.autoargs", "rllab.misc.ext"]:
    sys.modules[name] = Unused(name)
sys.modules["cached_property"].cached_property = property
for name in ["arg", "inherit"]:
    setattr(sys.modules["rllab.misc.autoargs"], name, lambda *_, **__: lambda f: f)
for name in ["add_args", "new_from_args"]:
    setattr(sys.modules["rllab.misc.autoargs"], name, lambda f: f)
sys.path.insert(0, sys.argv[1])
import rllab.misc  # noqa: E402

rllab.misc.autoargs, rllab.misc.ext = sys.modules["rllab.misc.autoargs"], sys.modules["rllab.misc.ext"]
import Box2D  # noqa: E402
import numpy as np  # noqa: E402
from rllab.baselines.linear_feature_baseline import LinearFeatureBaseline  # noqa: E402
from rllab.envs.box2d.cartpole_env import CartpoleEnv  # noqa: E402
from rllab.envs.box2d.cartpole_swingup_env import CartpoleSwingupEnv  # noqa: E402
from rllab.envs.box2d.double_pendulum_env import DoublePendulumEnv  # noqa: E402
from rllab.envs.normalized_env import normalize  # noqa: E402

EPISODES, STEPS, SHOWN = 12, 100, (1, 5, 20, 50, 100)


def state(env):
    if isinstance(env, DoublePendulumEnv):
        return [env.link1.angle, env.link1.angularVelocity, env.link2.angle, env.link2.angularVelocity]
    return [env.cart.position[0], env.cart.linearVelocity[0], env.pole.angle, env.pole.angularVelocity]


def episode(env, actions):
    env.reset()
    begin, states, rewards, done = state(env.wrapped_env), {}, [], False
    for t, action in enumerate(actions, 1):
        _, reward, done, _ = env.step(np.array([action]))
        rewards.append(float(reward))
        if t in SHOWN or done:
            states[t] = state(env.wrapped_env)
        if done:
            break
    return {"start": begin, "actions": actions[:t], "states": states, "rewards": rewards, "terminated": done}


np.random.seed(1)
tasks = {"RllabCartpole": CartpoleEnv, "CartpoleSwingup": CartpoleSwingupEnv, "DoublePendulum": DoublePendulumEnv}
cases = {
    name: [episode(normalize(make()), np.random.uniform(-1.2, 1.2, STEPS).round(4).tolist()) for _ in range(EPISODES)]
    for name, make in tasks.items()
}


def path(length):
    """Observations of which some are clipped, and returns, in numbers that float32 holds."""
    at = np.arange(length)
    observations = np.stack([np.sin(at), 14 * np.cos(0.7 * at)], axis=1).astype(np.float32).astype(float)
    returns = (np.cos(0.1 * at) * (length - at)).round(3)
    return {"observations": observations, "returns": returns, "rewards": returns}


def baseline(lengths):
    paths = [path(length) for length in lengths]
    fitted = LinearFeatureBaseline(None)
    fitted.fit(paths)
    of = {name: np.concatenate([each[name] for each in paths]).ravel().tolist() for name in ["observations", "returns"]}
    return {"lengths": lengths, **of, "values": np.concatenate([fitted.predict(each) for each in paths]).tolist()}


print("Box2D", Box2D.__version__)
pathlib.Path(__file__).with_name("rllab.json").write_text(json.dumps({"tasks": cases, "baseline": baseline([40, 25, 60])}) + "\n")
