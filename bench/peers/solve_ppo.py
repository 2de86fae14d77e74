"""PPO of stable-baselines3, or of sbx, which is the same in JAX, on a task of Gymnasium, until it is solved, on the CPU.

    python3 solve_ppo.py '{"library": "stable_baselines3", "env": "CartPole-v1", "began": 0, "checkEvery": 4096, "seed": 0,
        "episodes": 100, "goal": 475, "threads": 1, "steps": 100000, "environments": 8, "settings": {"n_steps": 32, …}}'

`settings` are those of PPO but learning_rate and clip_range, which fall from the numbers given to 0 over `steps`. Every
`checkEvery` steps the policy plays `episodes` greedy episodes, for which the clock stands still. Prints {"seconds",
"processor", "evaluating", "transitions", "meanReturn", "isSolved", "versions"} as JSON: seconds since `began` (ms since
1970), of the clock and of the processor, and those of evaluations.
"""

import json
import os
import platform
import sys
import time

task = json.loads(sys.argv[1])
for variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[variable] = str(task["threads"])  # before torch is imported

import importlib

from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.env_util import make_vec_env
from stable_baselines3.common.evaluation import evaluate_policy

library = importlib.import_module(task["library"])


class Solved(BaseCallback):
    def __init__(self):
        super().__init__()
        self.evaluating = 0.0
        self.evaluating_processor = 0.0
        self.checked = 0
        self.found = None
        # Beside each other, as that is the fastest way to play a hundred episodes.
        self.env = make_vec_env(task["env"], n_envs=20, seed=task["seed"] + 1000)

    def check(self):
        now = time.time()
        before = time.process_time()
        seconds = now - task["began"] / 1000 - self.evaluating
        processor = before - self.evaluating_processor
        mean_return = float(evaluate_policy(self.model, self.env, task["episodes"], deterministic=True)[0])
        self.evaluating += time.time() - now
        self.evaluating_processor += time.process_time() - before
        self.checked = self.num_timesteps
        solved = mean_return >= task["goal"]
        self.found = {
            "seconds": seconds,
            "processor": processor,
            "evaluating": self.evaluating,
            "transitions": self.checked,
            "meanReturn": mean_return,
            "isSolved": solved,
        }
        return solved

    def _on_step(self):
        return not self.is_solved()  # False ends learn()

    def _on_rollout_start(self):
        # Between updates: the policy is what the last one made of it.
        if self.num_timesteps >= self.checked + task["checkEvery"]:
            self.check()

    def is_solved(self):
        return self.found is not None and self.found["isSolved"]


settings = dict(task["settings"])
for name in ("learning_rate", "clip_range"):
    settings[name] = (lambda first: lambda left: first * left)(settings[name])
environments = make_vec_env(task["env"], n_envs=task["environments"], seed=task["seed"])
model = library.PPO("MlpPolicy", environments, seed=task["seed"], device="cpu", **settings)
solved = Solved()
model.learn(task["steps"], callback=solved)
if not solved.is_solved():
    solved.check()
versions = {task["library"]: library.__version__, "python": platform.python_version()}
print(json.dumps({**solved.found, "versions": versions}))
