"""Tasks for test/envs/python.test.ts, each with one property; registered when they are imported."""

import os
import sys
import time

import gymnasium
import numpy
from gymnasium import spaces


class Walk(gymnasium.Env):
    """A walk whose position is the sum of its actions; noise follows from the seed."""

    observation_space = spaces.Dict(
        {"place": spaces.Box(-100, 100, (2,), numpy.float64), "kind": spaces.Discrete(3, start=5)}
    )
    action_space = spaces.Box(-1, 1, (1, 2), numpy.float32)

    def __init__(self, scale=1.0, fault=None):
        self.scale = scale
        self.fault = fault

    def show(self):
        return {"place": self.place, "kind": 5 + self.steps % 3}

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.steps = 0
        self.place = self.np_random.uniform(-1, 1, 2) + (options or {}).get("shift", 0)
        return self.show(), {"seed": seed}

    def step(self, action):
        assert action.shape == (1, 2) and action.dtype == numpy.float32
        self.steps += 1
        self.place = self.place + self.scale * action[0]
        if self.fault and self.steps == 3:
            FAULTS[self.fault]()
        info = {"steps": numpy.int64(self.steps), "far": numpy.inf} if self.steps == 2 else {}
        return self.show(), float(self.place.sum()), bool(self.steps >= 7), False, info


def write_into_pipe():
    os.write(4, b"x" * 64)


def raise_an_error():
    raise ValueError("the third step\n is too much")


FAULTS = {
    "dies": lambda: os._exit(7),
    "prints": lambda: print("printed by a task"),
    "writes": write_into_pipe,
    "raises": raise_an_error,
    "hangs": lambda: time.sleep(1000),
}


class Shifted(gymnasium.Env):
    """The reward is the action, which is one of -2, -1, 0."""

    observation_space = spaces.Discrete(4, start=1)
    action_space = spaces.Discrete(3, start=-2)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        return 1, {}

    def step(self, action):
        assert self.action_space.contains(action)
        return 4, float(action), False, False, {}


class Slow(Shifted):
    """Every step computes for so many microseconds."""

    def __init__(self, microseconds=200):
        self.seconds = microseconds / 1e6

    def step(self, action):
        end = time.perf_counter() + self.seconds
        while time.perf_counter() < end:
            pass
        return super().step(action)


class Counted(Shifted):
    """Its infos tell how many rows the request had that reset it."""

    def reset(self, *, seed=None, options=None):
        observation, _ = super().reset(seed=seed)
        frame = sys._getframe()
        while os.path.basename(frame.f_code.co_filename) != "bridge.py":
            frame = frame.f_back
        return observation, {"rows": frame.f_locals["n"]}


class Mortal(Shifted):
    """Ends its process in its 71st step: later than a run looks whether episodes can be played again."""

    life = 70

    def step(self, action):
        self.life -= 1
        if self.life < 0:
            os._exit(9)
        return super().step(action)


class Growing(Shifted):
    """Observations of any length."""

    observation_space = spaces.Dict({"all": spaces.Sequence(spaces.Discrete(2)), "one": spaces.Discrete(2)})


class Linked(Shifted):
    """Observations that are graphs."""

    observation_space = spaces.Graph(spaces.Discrete(2), None)


class Worded(Shifted):
    """Actions that are texts."""

    action_space = spaces.Text(3)


class Choosing(gymnasium.Env):
    """The reward tells the action, of several choices at once; observations are nested."""

    observation_space = spaces.Dict(
        {"z": spaces.MultiDiscrete([2, 3]), "a": spaces.Tuple((spaces.MultiBinary(2), spaces.Discrete(3, start=2)))}
    )
    action_space = spaces.MultiDiscrete([[3, 2], [2, 2]], start=[[5, 0], [0, -1]])

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        return {"z": numpy.array([1, 2]), "a": (numpy.array([0, 1], numpy.int8), 3)}, {}

    def step(self, action):
        assert self.action_space.contains(action)
        reward = float((action * numpy.array([[1000, 100], [10, 1]])).sum())
        return {"z": numpy.array([0, 1]), "a": (numpy.array([1, 1], numpy.int8), 4)}, reward, False, False, {}


class Switches(Shifted):
    """The reward is the number that the bits of the action make."""

    action_space = spaces.MultiBinary((2, 2))

    def step(self, action):
        assert self.action_space.contains(action)
        return 4, float((action * numpy.array([[8, 4], [2, 1]])).sum()), False, False, {}


for task in (Choosing, Switches, Walk, Shifted, Slow, Counted, Mortal, Growing, Linked, Worded):
    gymnasium.register(f"bridge_tasks/{task.__name__}-v0", task, max_episode_steps=20)
gymnasium.register("bridge_tasks/Endless-v0", Shifted)
