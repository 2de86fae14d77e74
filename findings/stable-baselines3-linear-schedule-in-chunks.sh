#!/usr/bin/env bash
# stable-baselines3 2.9.2: a learning rate that falls linearly is a saw-tooth where a training is done in chunks, by
# learn(steps, reset_num_timesteps=False), which is how one evaluates or saves in between. Each call takes what it
# adds to be the end of the training: three calls of 512 steps end at 0 each, and begin again at 1/2 and at 1/3, so
# that two thirds of the training are at rates of another schedule. Nothing says so.
# Guess before the run: the rate of the second call begins where the first has ended, or at 1. Exits with 1 when it
# falls steadily over the calls, or begins at 1 again.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet stable-baselines3==2.9.2 gymnasium==1.4.0
cat > run.py <<'PY'
from importlib.metadata import version

from stable_baselines3 import PPO

print("stable-baselines3", version("stable_baselines3"), "gymnasium", version("gymnasium"))
asked = []


def falling(left):
    asked.append(round(left, 3))
    return 1e-3 * left


model = PPO("MlpPolicy", "CartPole-v1", learning_rate=falling, n_steps=128, n_epochs=1, seed=0, device="cpu")
calls = []
for call in range(3):
    asked.clear()
    model.learn(512, reset_num_timesteps=call == 0)
    calls.append(sorted(set(asked), reverse=True))
    print(f"what is left of the training in call {call + 1}, as the schedule is told:", calls[-1])
ends = [rates[-1] for rates in calls]
first = [rates[0] for rates in calls]
raise SystemExit(0 if ends == [0, 0, 0] and 0.25 < first[1] < 0.75 and 0.2 < first[2] < first[1] else 1)
PY
venv/bin/python run.py
