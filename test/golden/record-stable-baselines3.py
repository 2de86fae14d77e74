"""Policies of stable-baselines3 with what they do: python record-stable-baselines3.py stable-baselines3

Untrained ones are moved from their start, so that no parameter is 0. Writes ppo.zip (CartPole-v1), ppo-box.zip and
sac.zip (Pendulum-v1) without optimizers, and expected.json with observations and greedy actions of each.
"""
import io, json, sys, zipfile
import gymnasium as gym, numpy as np, torch
from stable_baselines3 import PPO, SAC

out = sys.argv[1]
cases = {
    "ppo": (PPO, "CartPole-v1", {"net_arch": [8, 6]}),
    "ppo-box": (PPO, "Pendulum-v1", {"net_arch": {"pi": [5], "vf": [4]}, "activation_fn": torch.nn.ReLU}),
    "sac": (SAC, "Pendulum-v1", {"net_arch": [8, 6]}),
}
expected = {}
for name, (algorithm, env, kwargs) in cases.items():
    torch.manual_seed(1)
    model = algorithm("MlpPolicy", env, policy_kwargs=kwargs, seed=0, device="cpu")
    with torch.no_grad():
        for parameter in model.policy.parameters():
            parameter.add_(0.3 * torch.randn_like(parameter))
    whole = io.BytesIO()
    model.save(whole)
    with zipfile.ZipFile(whole) as given, zipfile.ZipFile(f"{out}/{name}.zip", "w") as kept:
        for entry in ("data", "policy.pth", "_stable_baselines3_version"):
            kept.writestr(zipfile.ZipInfo(entry), given.read(entry))
    observations = np.random.default_rng(2).normal(size=(6, model.observation_space.shape[0])).astype(np.float32)
    actions, _ = model.predict(observations, deterministic=True)
    expected[name] = {"env": env, "observations": observations.tolist(), "actions": actions.tolist()}
json.dump(expected, open(f"{out}/expected.json", "w"))
