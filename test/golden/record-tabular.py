"""
Records Gymnasium's tabular tasks for tabular.json: python record-tabular.py, in this folder, after
pip install gymnasium==1.4.0 numpy==2.5.5. What an episode draws is recorded beside what became of it.
"""

import json
import sys

import gymnasium as gym
import numpy as np


class Recorder:
    """The generator of an environment, which remembers what it gave."""

    def __init__(self, generator):
        self.generator = generator
        self.drawn = []

    def random(self):
        self.drawn.append(float(self.generator.random()))
        return self.drawn[-1]

    def choice(self, options):
        index = int(self.generator.integers(len(options)))
        self.drawn.append(index)
        return np.asarray(options)[index]


def table(env):
    """P by state and action; rows that follow each other and are equal are written once, with their number."""
    P = env.unwrapped.P
    return [[[[float(p), int(s), float(r), bool(d)] for p, s, r, d in P[state][a]] for a in sorted(P[state])] for state in sorted(P)]


def play(id, seed, steps, limit=None, **options):
    env = gym.make(id, disable_env_checker=True, **options).unwrapped
    env.reset(seed=seed)
    recorder = Recorder(env.np_random)
    env.np_random = recorder
    start, _ = env.reset()
    random = np.random.default_rng(seed)
    plain = lambda obs: list(map(int, obs)) if isinstance(obs, tuple) else int(obs)
    episode = dict(start=plain(start), draws=[recorder.drawn], actions=[], obs=[], rewards=[], terminated=[])
    for _ in range(steps):
        recorder.drawn = []
        action = int(random.integers(env.action_space.n))
        obs, reward, terminated, _, _ = env.step(action)
        episode["actions"].append(action)
        episode["draws"].append(recorder.drawn)
        episode["obs"].append(plain(obs))
        episode["rewards"].append(float(reward))
        episode["terminated"].append(bool(terminated))
        if terminated:
            break
    return episode


def described(id):
    spec = gym.spec(id)
    env = gym.make(id)
    return dict(
        maxEpisodeSteps=spec.max_episode_steps, rewardThreshold=spec.reward_threshold, actions=int(env.action_space.n),
        observationSpace=str(env.observation_space),
    )


MAP = ["SFHFS", "FFFFF", "HFFHG"]
tables = [
    ("FrozenLake-v1", {}, {}),
    ("FrozenLake-v1", dict(map_name="8x8", is_slippery=False), dict(map="8x8", isSlippery=False)),
    (
        "FrozenLake-v1",
        dict(desc=MAP, success_rate=0.7, reward_schedule=(5, -2, -0.25)),
        dict(map="/".join(MAP), successRate=0.7, goalReward=5, holeReward=-2, iceReward=-0.25),
    ),
    ("CliffWalking-v1", {}, {}),
    ("CliffWalking-v1", dict(is_slippery=True), dict(isSlippery=True)),
    ("Taxi-v4", {}, {}),
    ("Taxi-v4", dict(is_rainy=True, rainy_probability=0.6), dict(isRainy=True, rainyProbability=0.6)),
]
episodes = [
    *tables,
    ("Taxi-v4", dict(fickle_passenger=True, fickle_probability=0.9), dict(ficklePassenger=True, fickleProbability=0.9)),
    ("Blackjack-v1", {}, {}),
    ("Blackjack-v1", dict(sab=False, natural=True), dict(suttonBarto=False, natural=True)),
    ("Blackjack-v1", dict(sab=False), dict(suttonBarto=False)),
]


def written(value):
    """As JSON on one line a state."""
    return json.dumps(value, separators=(",", ":"))


with open("tabular.json", "w") as file:
    file.write("{\n")
    versions = dict(gymnasium=gym.__version__, numpy=np.__version__, python=sys.version.split()[0])
    file.write("".join(f'"{name}": {written(value)},\n' for name, value in versions.items()))
    ids = ["FrozenLake-v1", "CliffWalking-v1", "Taxi-v4", "Blackjack-v1"]
    file.write(f'"tasks": {written({id: described(id) for id in ids})},\n"tables": [\n')
    lines = [
        written(dict(id=id, constants=constants, P=table(gym.make(id, **options)))) for id, options, constants in tables
    ]
    file.write(",\n".join(lines) + '\n],\n"episodes": [\n')
    lines = []
    for id, options, constants in episodes:
        count, steps = (120, 30) if id == "Blackjack-v1" else (6, 100)
        played = [play(id, seed, steps, **options) for seed in range(count)]
        lines.append(written(dict(id=id, constants=constants, episodes=played)))
    file.write(",\n".join(lines) + "\n]\n}\n")
