"""A task whose step takes a given processor time; alone: python busy_task.py '{"ms": 0.2, "steps": 2000, "processes": 2}'."""

import json
import multiprocessing
import sys
import time

import gymnasium
import numpy


class Busy(gymnasium.Env):
    observation_space = gymnasium.spaces.Box(-1, 1, (8,), numpy.float32)
    action_space = gymnasium.spaces.Discrete(4)

    def __init__(self, ms):
        self.seconds = ms / 1000

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        return numpy.zeros(8, numpy.float32), {"processorSeconds": time.process_time()}

    def step(self, action):
        end = time.thread_time() + self.seconds
        while time.thread_time() < end:
            pass
        return numpy.zeros(8, numpy.float32), 1.0, False, False, {}


gymnasium.register("busy_task/Busy-v0", Busy, max_episode_steps=1000)


def alone(ms, steps, barrier, seconds):
    """As many steps, with resets, and what they take once all processes are ready: time, and that of the processor."""
    env = gymnasium.make("busy_task/Busy-v0", ms=ms)
    env.reset(seed=0)
    barrier.wait()
    start, used = time.perf_counter(), time.process_time()
    for step in range(steps):
        _, _, terminated, truncated, _ = env.step(step % 4)
        if terminated or truncated:
            env.reset()
    seconds.put((time.perf_counter() - start, time.process_time() - used))


if __name__ == "__main__":
    given = json.loads(sys.argv[1])
    count = given["processes"]
    barrier, seconds = multiprocessing.Barrier(count), multiprocessing.Queue()
    arguments = (given["ms"], given["steps"], barrier, seconds)
    running = [multiprocessing.Process(target=alone, args=arguments) for _ in range(count)]
    for process in running:
        process.start()
    times = [seconds.get() for _ in running]
    for process in running:
        process.join()
    rate = sum(given["steps"] / time for time, _ in times)
    used = sum(processor for _, processor in times) / (count * given["steps"])
    print(json.dumps({"stepsPerSecond": rate, "processorMs": 1000 * used}))
