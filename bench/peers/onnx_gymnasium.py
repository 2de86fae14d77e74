"""Plays a policy in ONNX, as steinrl exports it, in Gymnasium.

    python3 onnx_gymnasium.py '{"model": "policy.onnx", "env": "Pendulum-v1", "episodes": 100, "seed": 0}'

Prints {"meanReturn", "standardError", "versions"} as JSON.
"""

import json
import math
import platform
import statistics
import sys

import gymnasium as gym
import numpy as np
import onnxruntime

task = json.loads(sys.argv[1])
session = onnxruntime.InferenceSession(task["model"], providers=["CPUExecutionProvider"])
(observations,) = session.get_inputs()
env = gym.make(task["env"])
returns = []
for episode in range(task["episodes"]):
    observation, _ = env.reset(seed=task["seed"] + episode)
    total, over = 0.0, False
    while not over:
        (action, *_) = session.run(["action"], {observations.name: np.asarray(observation, np.float32)[None]})
        chosen = action[0]
        if isinstance(env.action_space, gym.spaces.Discrete):
            chosen = int(np.ravel(chosen)[0])
        observation, reward, terminated, truncated, _ = env.step(chosen)
        total, over = total + float(reward), terminated or truncated
    returns.append(total)

versions = {
    "gymnasium": gym.__version__,
    "onnxruntime": onnxruntime.__version__,
    "python": platform.python_version(),
}
error = statistics.stdev(returns) / math.sqrt(len(returns))
print(json.dumps({"meanReturn": statistics.fmean(returns), "standardError": error, "versions": versions}))
