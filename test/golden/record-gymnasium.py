"""
Records what Gymnasium and stable-baselines3 do, for the files beside it: python record-gymnasium.py, in this folder, after
pip install gymnasium==1.4.0 numpy==2.4.6, with the source of stable-baselines3 2.9.2 on PYTHONPATH (pip download --no-deps and
unpack: nothing here needs the torch that it imports).
"""

import importlib.util
import json
import sys
import types
from unittest.mock import MagicMock

import gymnasium as gym
import numpy as np
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from gymnasium.wrappers import NormalizeObservation, NormalizeReward
from gymnasium.wrappers.vector import NormalizeReward as NormalizeRewardOfVector
from gymnasium.wrappers.vector import RecordEpisodeStatistics

# Its own entry imports every algorithm; the folder is enough.
package = types.ModuleType("stable_baselines3")
package.__path__ = [importlib.util.find_spec("stable_baselines3").submodule_search_locations[0]]
sys.modules.update({"stable_baselines3": package, "torch": MagicMock(), "torch.nn": MagicMock()})
from stable_baselines3.common.vec_env import DummyVecEnv, VecNormalize

versions = dict(gymnasium=gym.__version__, numpy=np.__version__, stable_baselines3="2.9.2", python=sys.version.split()[0])


def write(name, **content):
    with open(name, "w") as file:
        json.dump({**versions, **content}, file)
        file.write("\n")


def cart_pole(integrator, sutton_barto, seed, steps):
    """Random pushes from a wide start, one step at a time."""
    env = gym.make("CartPole-v1", sutton_barto_reward=sutton_barto, disable_env_checker=True).unwrapped
    env.kinematics_integrator = integrator
    random = np.random.default_rng(seed)
    env.reset(seed=seed, options=dict(low=-0.2, high=0.2))
    case = dict(suttonBartoReward=sutton_barto, kinematicsIntegrator=integrator, start=env.state.tolist(), steps=[])
    for _ in range(steps):
        action = int(random.integers(2))
        observation, reward, terminated, _, _ = env.step(action)
        case["steps"].append(
            dict(action=action, state=env.state.tolist(), obs=observation.tolist(), reward=reward, terminated=terminated)
        )
        if terminated:
            break
    return case


class Script(gym.Env):
    """Plays episodes that are written down: what each reset and step shows and pays, and how the episode ends."""

    action_space = gym.spaces.Discrete(1)

    def __init__(self, episodes):
        self.episodes = episodes
        self.observation_space = gym.spaces.Box(-np.inf, np.inf, (len(episodes[0]["obs"][0]),), np.float32)
        self.number = -1

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.number = (self.number + 1) % len(self.episodes)
        self.step_number = 0
        return self.observation(), {}

    def step(self, action):
        episode = self.episodes[self.number]
        reward = episode["rewards"][self.step_number]
        self.step_number += 1
        over = self.step_number == len(episode["rewards"])
        ends = episode["terminated"]
        return self.observation(), reward, over and ends, over and not ends, {}

    def observation(self):
        return np.array(self.episodes[self.number]["obs"][self.step_number], dtype=np.float32)


def written(seed, episodes, columns=3):
    """Episodes of 1 to 8 steps, every third cut by a limit."""
    random = np.random.default_rng(seed)
    made = []
    for k in range(episodes):
        length = int(random.integers(1, 9))
        obs = random.normal(size=(length + 1, columns)) * [0.1, 1, 50][:columns] + [0, 3, -20][:columns]
        rewards = random.normal(size=length) * 3 + 1
        made.append(dict(obs=np.float32(obs).tolist(), rewards=rewards.tolist(), terminated=k % 3 != 2))
    return made


def play_one(env, episodes):
    """What one environment shows and pays, reset after every end."""
    observations, rewards = [], []
    for _ in range(episodes):
        observation, _ = env.reset()
        observations.append(observation.tolist())
        over = False
        while not over:
            observation, reward, terminated, truncated, _ = env.step(0)
            observations.append(observation.tolist())
            rewards.append(float(reward))
            over = terminated or truncated
    return observations, rewards


def vector_of(scripts, mode):
    return SyncVectorEnv([lambda script=script: Script(script) for script in scripts], autoreset_mode=mode)


def play_vector(envs, steps):
    envs.reset()
    rewards, ends = [], []
    for _ in range(steps):
        _, reward, terminated, truncated, infos = envs.step(np.zeros(envs.num_envs, dtype=np.int64))
        rewards.append(np.float64(reward).tolist())
        if "episode" in infos:
            for row in np.flatnonzero(infos["_episode"]):
                ends.append([len(rewards), int(row), float(infos["episode"]["r"][row]), int(infos["episode"]["l"][row])])
    return rewards, ends


def play_stable_baselines(episodes, script, **options):
    """As its algorithms see it: what an ended episode showed last stands in the info."""
    env = VecNormalize(DummyVecEnv([lambda: Script(script)]), **options)
    observations, rewards = [env.reset()[0].tolist()], []
    steps = sum(len(episode["rewards"]) for episode in script[:episodes])
    for _ in range(steps):
        observation, reward, _, _ = env.step(np.zeros(1, dtype=np.int64))
        observations.append(observation[0].tolist())
        rewards.append(float(reward[0]))
    return observations, rewards


write(
    "CartPole-v1-options.json",
    cases=[
        cart_pole(integrator, sutton_barto, seed, 40)
        for integrator in ["euler", "semi-implicit euler"]
        for sutton_barto in [False, True]
        for seed in [1, 2]
    ],
)

script = written(7, 24)
short = [dict(obs=[[0.0]] * 4, rewards=[1.0, 2.0, 3.0], terminated=True)] * 2
normalised = []
for name, episodes, discount in [("terminated twice", short, 0.5), ("some cut", script, 0.9), ("not discounted", script, 1.0)]:
    case = dict(name=name, discount=discount, episodes=episodes)
    case["gymnasium"] = play_one(NormalizeReward(Script(episodes), gamma=discount), len(episodes))[1]
    case["gymnasium-vector"] = {}
    for mode in [AutoresetMode.SAME_STEP, AutoresetMode.NEXT_STEP]:
        envs = NormalizeRewardOfVector(vector_of([episodes], mode), gamma=discount)
        steps = sum(len(episode["rewards"]) for episode in episodes) + (len(episodes) if mode == AutoresetMode.NEXT_STEP else 0)
        case["gymnasium-vector"][mode.value] = [row[0] for row in play_vector(envs, steps)[0]]
    case["stable-baselines3"] = play_stable_baselines(len(episodes), episodes, gamma=discount, norm_obs=False)[1]
    normalised.append(case)

write(
    "gymnasium-wrappers.json",
    rewards=normalised,
    observations=dict(
        episodes=script,
        gymnasium=play_one(NormalizeObservation(Script(script)), len(script))[0],
        **{"stable-baselines3": play_stable_baselines(len(script), script, norm_reward=False)[0]},
    ),
    statistics=[
        dict(mode=mode.value, scripts=scripts, ends=play_vector(RecordEpisodeStatistics(vector_of(scripts, mode)), 60)[1])
        for mode in [AutoresetMode.SAME_STEP, AutoresetMode.NEXT_STEP]
        for scripts in [[written(11, 12, 1), written(12, 12, 1)]]
    ],
)
