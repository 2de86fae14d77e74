"""Records single steps and compiled models of Gymnasium's MuJoCo tasks: python record-mujoco.py [ID ...], in this folder."""

import json
import re
import sys

import gymnasium as gym
import mujoco
import numpy as np

CASES = {
    "Swimmer-v5": [{}, dict(forward_reward_weight=2.0, ctrl_cost_weight=0.3, exclude_current_positions_from_observation=False)],
    "HalfCheetah-v5": [{}, dict(frame_skip=3, ctrl_cost_weight=0.5, exclude_current_positions_from_observation=False)],
    "Hopper-v5": [
        {},
        dict(healthy_reward=2.5, healthy_z_range=(0.4, 1.3), healthy_angle_range=(-1.5, 0.1), healthy_state_range=(-5.0, 5.0)),
        dict(terminate_when_unhealthy=False, exclude_current_positions_from_observation=False),
    ],
    "Walker2d-v5": [
        {},
        dict(healthy_reward=2.5, healthy_z_range=(0.5, 1.3), healthy_angle_range=(-1.5, 0.1), frame_skip=2),
        dict(terminate_when_unhealthy=False, healthy_angle_range=(-0.01, 0.01), exclude_current_positions_from_observation=False),
    ],
    "Ant-v5": [
        {},
        dict(contact_cost_weight=0.1, contact_force_range=(-5.0, 20.0), healthy_z_range=(0.5, 0.7), main_body="aux_2"),
        dict(terminate_when_unhealthy=False, healthy_z_range=(0.5, 0.6), include_cfrc_ext_in_observation=False, exclude_current_positions_from_observation=False),
    ],
    "InvertedPendulum-v5": [{}, dict(frame_skip=3)],
    "InvertedDoublePendulum-v5": [{}, dict(healthy_reward=3.0, frame_skip=2)],
    "Reacher-v5": [{}, dict(reward_dist_weight=2.0, reward_control_weight=0.3, frame_skip=4)],
    "Pusher-v5": [{}, dict(reward_near_weight=0.2, reward_dist_weight=2.0, reward_control_weight=0.4)],
    "Humanoid-v5": [
        {},
        dict(contact_cost_weight=1e-4, contact_cost_range=(0.001, 0.5), healthy_z_range=(1.38, 1.405), forward_reward_weight=2.0),
        dict(terminate_when_unhealthy=False, healthy_z_range=(1.45, 2.0), exclude_current_positions_from_observation=False),
        dict(include_cinert_in_observation=False, include_cvel_in_observation=False, include_qfrc_actuator_in_observation=False, include_cfrc_ext_in_observation=False),
    ],
}

# Steps that are recorded with and without options: the arrays of Humanoid-v5 are long.
COUNTS = {"Humanoid-v5": (4, 2)}
# Random steps before a recorded one, at most; after so few a pendulum may still stand, and begins anew each time.
STEPS_BEFORE = {"InvertedPendulum-v5": 3, "InvertedDoublePendulum-v5": 4}


FIELDS = """body_parentid body_mass body_inertia body_pos body_quat body_ipos body_iquat
geom_type geom_bodyid geom_size geom_pos geom_quat geom_friction geom_margin geom_solref geom_solimp geom_contype geom_conaffinity geom_condim
jnt_type jnt_bodyid jnt_pos jnt_axis jnt_range jnt_limited jnt_stiffness jnt_margin jnt_solref jnt_solimp
dof_damping dof_armature dof_frictionloss dof_invweight0 actuator_gear actuator_ctrlrange actuator_ctrllimited actuator_trnid qpos0""".split()
OPTIONS = "timestep integrator gravity density viscosity solver iterations tolerance cone impratio disableflags enableflags".split()


def camel(name):
    return re.sub(r"_(\w)", lambda m: m[1].upper(), name)


def plain(x):
    if isinstance(x, (bool, np.bool_)):
        return bool(x)
    if isinstance(x, (str, int)):
        return x
    return np.asarray(x, dtype=np.float64).tolist()


def steps(env, rng, count, most):
    """Single steps, each from a state on the way of random actions, as if nothing had been before."""
    e = env.unwrapped
    recorded = []
    env.reset(seed=int(rng.integers(2**31)))
    while len(recorded) < count:
        if most < 12:
            env.reset(seed=int(rng.integers(2**31)))
        for _ in range(int(rng.integers(1, most))):
            e.step(rng.uniform(-1, 1, e.model.nu) * e.action_space.high.astype(np.float64))
        qpos, qvel = e.data.qpos.copy(), e.data.qvel.copy()
        if len(recorded) % 4 == 3:
            qvel *= 3
        # A quarter of the actions are outside the bounds of the space.
        action = rng.uniform(-1.2, 1.2, e.model.nu) * e.action_space.high.astype(np.float64)
        mujoco.mj_resetData(e.model, e.data)
        e.set_state(qpos, qvel)
        start = dict(obs=plain(e._get_obs()), info={camel(k): plain(v) for k, v in e._get_reset_info().items()})
        obs, reward, terminated, _, info = e.step(action)
        recorded.append(dict(
            qpos=plain(qpos), qvel=plain(qvel), start=start, action=plain(action),
            qposNext=plain(e.data.qpos), qvelNext=plain(e.data.qvel), contacts=int(e.data.ncon),
            obs=plain(obs), reward=plain(reward), terminated=bool(terminated), info={camel(k): plain(v) for k, v in info.items()},
        ))
    return recorded


def model(env):
    m = env.unwrapped.model
    fields = {name: plain(np.ravel(getattr(m, name))) for name in FIELDS}
    return dict(fields=fields, options={name: plain(np.ravel(getattr(m.opt, name))) for name in OPTIONS})


for name, cases in CASES.items():
    if sys.argv[1:] and name not in sys.argv[1:]:
        continue
    rng = np.random.default_rng(len(name))
    out = dict(id=name, versions=dict(gymnasium=gym.__version__, mujoco=mujoco.__version__, numpy=np.__version__), cases=[])
    for options in cases:
        env = gym.make(name, disable_env_checker=True, **options)
        out["limit"], out["threshold"] = env.spec.max_episode_steps, env.spec.reward_threshold
        out.setdefault("model", model(env))
        out["cases"].append(dict(
            options={camel(k): plain(v) for k, v in options.items()},
            observations=env.observation_space.shape[0],
            low=plain(env.action_space.low), high=plain(env.action_space.high),
            steps=steps(env, rng, COUNTS.get(name, (10, 4))[bool(options)], STEPS_BEFORE.get(name, 12)),
        ))
    with open(f"mujoco-{name}.json", "w") as file:
        json.dump(out, file)
        file.write("\n")
    kept = [s for c in out["cases"] for s in c["steps"]]
    print(name, len(kept), "steps,", sum(s["terminated"] for s in kept), "terminated,", sum(s["contacts"] > 0 for s in kept), "with contact")
