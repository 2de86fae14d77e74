"""SAC of stable-baselines3 or of sbx, which is the same in JAX, on a task of Gymnasium, on the CPU.

    python3 sac_python.py '{"library": "stable_baselines3", "env": "Pendulum-v1", "hidden": [64, 64], "learningRate": 1e-3, "batch": 128, "start": 1000,
        "steps": 4000, "chunk": 200, "seed": 0, "episodes": 100, "threads": 1}'

trains with these settings, all others being stable-baselines3's defaults, which are those of steinrl: one environment, one gradient step
after each of its steps, two Q networks, relu, Adam, discount 0.99, tau 0.005, a million transitions kept, a temperature learned from 1 with
target entropy -A, episodes cut by the time limit bootstrapped. Different: initial weights are torch's (Kaiming, with biases), log(1 - a^2) has
1e-6 added in it, and learning begins one step later, so that there is one gradient step less.

Prints {"stepsPerSecond", "gradientStepsPerSecond", "chunks", "meanReturn", "returns", "versions"} as JSON: steps of the environment a second of the
whole training without imports and evaluation; gradient steps a second once learning has begun; [ms, ms of processor time in all
threads] of each `chunk` steps from there on; the mean return of greedy episodes, null where `episodes` is 0; [steps, return] at the end of each
episode of the training.
"""

import importlib
import json
import os
import platform
import sys
import time

task = json.loads(sys.argv[1])
for variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[variable] = str(task["threads"])  # before torch is imported
if task["threads"] == 1:
    os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"  # before JAX is
    os.sched_setaffinity(0, {sorted(os.sched_getaffinity(0))[0]})  # which starts as many threads as there are cores

import gymnasium as gym
import torch
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.evaluation import evaluate_policy
from stable_baselines3.common.monitor import Monitor

torch.set_num_threads(task["threads"])
library = importlib.import_module(task["library"])


def now():
    return time.perf_counter(), time.process_time()


class Clock(BaseCallback):
    """When each step of the environment was done, before the gradient step that follows it, by the clock and by the processor."""

    def _on_training_start(self):
        self.times = []
        self.returns = []

    def _on_step(self):
        self.times.append(now())
        ended = [info["episode"]["r"] for info in self.locals["infos"] if "episode" in info]
        self.returns += [(self.num_timesteps, float(r)) for r in ended]
        return True


start, steps, chunk = task["warmup"], task["steps"], task["chunk"]
model = library.SAC(
    "MlpPolicy",
    task["env"],
    learning_rate=task["learningRate"],
    batch_size=task["batchSize"],
    learning_starts=start,
    train_freq=1,
    gradient_steps=1,
    policy_kwargs={"net_arch": task["hidden"]},
    seed=task["seed"],
    device="cpu",
)
clock = Clock()
began = now()
model.learn(steps, callback=clock)
ended = now()
learning = [*clock.times[start:], ended]  # a gradient step lies between each and the next

mean_return = None
if task["episodes"] > 0:
    env = Monitor(gym.make(task["env"]))
    env.reset(seed=task["seed"] + 1000)
    mean_return = float(evaluate_policy(model, env, task["episodes"], deterministic=True)[0])

print(
    json.dumps(
        {
            "stepsPerSecond": steps / (ended[0] - began[0]),
            "gradientStepsPerSecond": (len(learning) - 1) / (ended[0] - learning[0][0]),
            "chunks": [[(b - a) * 1e3 for a, b in zip(*ends)] for ends in zip(learning[::chunk], learning[chunk::chunk])],
            "meanReturn": mean_return,
            "returns": clock.returns,
            "versions": {
                "library": library.__version__,
                "torch": torch.__version__,
                "python": platform.python_version(),
            },
        }
    )
)
