"""stable-baselines3's PPO on a task of Gymnasium, on the CPU.

    python3 ppo_sb3.py '{"env": "CartPole-v1", "environments": 16, "steps": 128, "iterations": 40, "seed": 0, "episodes": 100}'

trains with its defaults but these, in as many threads as torch takes, and evaluates greedily. Prints {"seconds",
"meanReturn", "versions"} as JSON: seconds of the training alone, without imports and evaluation.
"""

import json
import platform
import sys
import time

import gymnasium as gym
import stable_baselines3
import torch
from stable_baselines3 import PPO
from stable_baselines3.common.env_util import make_vec_env
from stable_baselines3.common.evaluation import evaluate_policy
from stable_baselines3.common.monitor import Monitor

task = json.loads(sys.argv[1])
environments = make_vec_env(task["env"], n_envs=task["environments"], seed=task["seed"])
model = PPO("MlpPolicy", environments, n_steps=task["steps"], seed=task["seed"], device="cpu")
began = time.perf_counter()
model.learn(task["environments"] * task["steps"] * task["iterations"])
seconds = time.perf_counter() - began

env = Monitor(gym.make(task["env"]))
env.reset(seed=task["seed"] + 1000)
mean_return = float(evaluate_policy(model, env, task["episodes"], deterministic=True)[0])
versions = {
    "stable_baselines3": stable_baselines3.__version__,
    "torch": torch.__version__,
    "python": platform.python_version(),
}
print(json.dumps({"seconds": seconds, "meanReturn": mean_return, "versions": versions}))
