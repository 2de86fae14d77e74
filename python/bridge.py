"""Tasks of Gymnasium for steinrl: each row is an environment of one task, moved by messages over two pipes.

Requests come from file descriptor 3, answers go to 4; all numbers are little-endian.

    request: operation, length (uint32 each), seconds that it may take (float64), body [length]
    answer:  MAGIC, status (0 done, 1 failed), length (uint32 each), body [length]

    LOAD   {"id", "kwargs", "maxEpisodeSteps", "options"} as JSON -> what is known of the task, as JSON
    OPEN   row (uint32) ->
    RESET  n (uint32), rows (uint32 [n]), seeds (float64 [n])
           -> observations (float32 [n, O]), infos as a list in JSON; nothing where all are empty
    STEP   n (uint32), rows (uint32 [n]), actions (float32 [n, A])
           -> rewards (float64 [n]), observations (float32 [n, O]), terminated, truncated (uint8 [n] each),
              infos as a list in JSON; nothing where all are empty
    CLOSE  row (uint32) ->

What fails answers with {"kind", "message"} as JSON. Prints of a task go to the standard error of the program that
started this one. The end of the requests, or a second interrupt, ends it. So does a request that takes longer than
it may: then what Python was doing is printed.
"""

import faulthandler
import json
import math
import os
import select
import signal
import struct
import sys
import time

READ, WRITE = 3, 4
MAGIC = 0x52545331
LOAD, OPEN, RESET, STEP, CLOSE = range(5)
DONE, FAILED = 0, 1
# Seconds of a wait for the next request that may be spent awake.
AWAKE = 0.0002


class Refusal(Exception):
    """What the user did wrong, in words for the user."""

    def __init__(self, kind, message):
        super().__init__(message)
        self.kind = kind


def plain(value):
    """Plain data of JSON: numbers that are not finite as words, arrays as lists, what JSON does not know as text."""
    if value is None or isinstance(value, (bool, str, int)):
        return value
    if isinstance(value, float):
        if math.isfinite(value):
            return value
        return "NaN" if value != value else "Infinity" if value > 0 else "-Infinity"
    if isinstance(value, dict):
        return {str(name): plain(entry) for name, entry in value.items()}
    if isinstance(value, (list, tuple, set)):
        return [plain(entry) for entry in value]
    if hasattr(value, "tolist"):
        return plain(value.tolist())
    return str(value)


def encode(value):
    return json.dumps(plain(value)).encode()


def load_gymnasium():
    try:
        import gymnasium

        return gymnasium
    except ImportError as error:
        raise Refusal("gymnasium", str(error)) from error


def make(task):
    """One environment of the task; its package is imported where Gymnasium does not know the id yet."""
    gymnasium = load_gymnasium()
    name = task["id"]
    package = name.split("/")[0]
    if "/" in name and ":" not in name and name not in gymnasium.registry:
        try:
            __import__(package)
        except ModuleNotFoundError as error:
            if error.name != package:
                raise
    limit = {} if task.get("maxEpisodeSteps") is None else {"max_episode_steps": task["maxEpisodeSteps"]}
    return gymnasium.make(name, **limit, **task.get("kwargs", {}))


def box_of(space):
    """Bounds of a box, flat."""
    return {"low": space.low.ravel().astype("float64").tolist(), "high": space.high.ravel().astype("float64").tolist()}


class Task:
    """Rows of one task and how their numbers travel."""

    def __init__(self, task):
        self.spaces = load_gymnasium().spaces
        import numpy

        self.numpy = numpy
        self.task = task
        self.options = task.get("options")
        self.rows = {}
        # The environment that tells the spaces becomes that of the first row.
        self.spare = make(task)
        self.observation_space = self.spare.observation_space
        self.action_space = self.spare.action_space
        self.size = 0

    def describe(self):
        if not getattr(self.observation_space, "is_np_flattenable", True):
            raise Refusal("observation", self.unflattenable(self.observation_space))
        observation = box_of(self.spaces.flatten_space(self.observation_space))
        self.size = len(observation["low"])
        spec = self.spare.spec
        return {
            "observation": observation,
            "action": self.describe_actions(),
            "maxEpisodeSteps": spec and spec.max_episode_steps,
            "rewardThreshold": spec and spec.reward_threshold,
        }

    def unflattenable(self, space):
        """The name of the first space inside that has no vector of fixed length."""
        inner = getattr(space, "spaces", ())
        for entry in inner.values() if hasattr(inner, "values") else inner:
            if not getattr(entry, "is_np_flattenable", True):
                return self.unflattenable(entry)
        return type(space).__name__

    def describe_actions(self):
        space = self.action_space
        if isinstance(space, self.spaces.Discrete):
            self.width = 1
            return {"n": int(space.n)}
        if isinstance(space, self.spaces.MultiDiscrete):
            self.width = int(space.nvec.size)
            return {"choices": space.nvec.ravel().tolist()}
        if isinstance(space, self.spaces.MultiBinary):
            self.width = int(math.prod(space.shape))
            return {"bits": self.width}
        if isinstance(space, self.spaces.Box) and self.numpy.issubdtype(space.dtype, self.numpy.floating):
            box = box_of(space)
            self.width = len(box["low"])
            return box
        kind = type(space).__name__
        raise Refusal("action", f"{kind} of {space.dtype}" if isinstance(space, self.spaces.Box) else kind)

    def elements(self, numbers):
        """The elements of the action space that rows of numbers stand for."""
        space = self.action_space
        if isinstance(space, self.spaces.Discrete):
            return list(numbers[:, 0].astype(space.dtype) + space.start)
        numbers = numbers.reshape((-1, *space.shape)).astype(space.dtype)
        if isinstance(space, self.spaces.MultiDiscrete):
            numbers = numbers + space.start
        return [numbers[k, ...] for k in range(len(numbers))]

    def flat(self, observation):
        space = self.observation_space
        if isinstance(space, self.spaces.Box):
            return self.numpy.asarray(observation).ravel()
        return self.spaces.flatten(space, observation)

    def open(self, row):
        self.rows[row] = self.spare if self.spare is not None else make(self.task)
        self.spare = None

    def close(self, row):
        self.rows.pop(row).close()

    def reset(self, body):
        numpy = self.numpy
        (n,) = struct.unpack_from("<I", body)
        rows = numpy.frombuffer(body, "<u4", n, 4)
        seeds = numpy.frombuffer(body, "<f8", n, 4 + 4 * n)
        observations = numpy.empty((n, self.size), "<f4")
        infos = []
        for k in range(n):
            observation, info = self.rows[int(rows[k])].reset(seed=int(seeds[k]), options=self.options)
            observations[k] = self.flat(observation)
            infos.append(info)
        return observations.tobytes() + (encode(infos) if any(infos) else b"")

    def step(self, body):
        numpy = self.numpy
        (n,) = struct.unpack_from("<I", body)
        rows = numpy.frombuffer(body, "<u4", n, 4).tolist()
        actions = self.elements(numpy.frombuffer(body, "<f4", n * self.width, 4 + 4 * n).reshape(n, self.width))
        rewards = numpy.empty(n, "<f8")
        observations = numpy.empty((n, self.size), "<f4")
        flags = numpy.empty((2, n), "u1")
        infos = []
        for k in range(n):
            observation, rewards[k], flags[0, k], flags[1, k], info = self.rows[rows[k]].step(actions[k])
            observations[k] = self.flat(observation)
            infos.append(info)
        return rewards.tobytes() + observations.tobytes() + flags.tobytes() + (encode(infos) if any(infos) else b"")


class Requests:
    """What comes in: a request is mostly one call of the system."""

    def __init__(self):
        self.held = b""
        self.is_brief = False
        poller = select.poll()
        poller.register(READ, select.POLLIN)
        self.poll = poller.poll

    def arrived(self):
        """What is in the pipe, once there is something. Where the last wait was brief this one is spent awake, as it
        takes the system longer to wake a process than a step of most tasks; others who can run go first."""
        start = time.perf_counter()
        if self.is_brief:
            while not self.poll(0) and time.perf_counter() - start < AWAKE:
                os.sched_yield()
        part = os.read(READ, 65536)
        self.is_brief = time.perf_counter() - start < AWAKE
        return part

    def read(self, count):
        """So many bytes; None at their end."""
        while len(self.held) < count:
            part = self.arrived()
            if not part:
                return None
            self.held += part
        found, self.held = self.held[:count], self.held[count:]
        return found


def write(data):
    view = memoryview(data)
    while view:
        view = view[os.write(WRITE, view) :]


def answer(status, body):
    write(struct.pack("<III", MAGIC, status, len(body)) + body)


def one_line(error):
    return " ".join(str(error).split())


class Bridge:
    """Carries out one request after the other."""

    def __init__(self):
        self.task = None

    def carry_out(self, operation, body):
        if operation == LOAD:
            self.task = Task(json.loads(body))
            return encode(self.task.describe())
        if operation == STEP:
            return self.task.step(body)
        if operation == RESET:
            return self.task.reset(body)
        (row,) = struct.unpack_from("<I", body)
        if operation == OPEN:
            self.task.open(row)
        if operation == CLOSE:
            self.task.close(row)
        return b""

    def run(self):
        requests = Requests()
        while (header := requests.read(16)) is not None:
            operation, length, seconds = struct.unpack("<IId", header)
            body = requests.read(length)
            if body is None:
                return
            signal.setitimer(signal.ITIMER_REAL, seconds)
            try:
                status, result = DONE, self.carry_out(operation, body)
            except Refusal as refusal:
                status, result = FAILED, encode({"kind": refusal.kind, "message": str(refusal)})
            except Exception as error:
                message = f"{type(error).__name__}: {one_line(error)}"
                status, result = FAILED, encode({"kind": "error", "message": message})
            signal.setitimer(signal.ITIMER_REAL, 0)
            answer(status, result)


def end_by_alarm():
    """The alarm is the system's: it ends this process whatever Python is in, after a look at what that is."""
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    faulthandler.register(signal.SIGALRM, all_threads=False, chain=True)


def take_interrupts():
    """The first interrupt is for the program that trains, which ends in order; a second one ends this process."""

    def first(*_):
        signal.signal(signal.SIGINT, signal.SIG_DFL)

    signal.signal(signal.SIGINT, first)


if __name__ == "__main__":
    take_interrupts()
    end_by_alarm()
    for descriptor in (READ, WRITE):
        os.set_inheritable(descriptor, False)
    # Modules are looked for where the program was started, not beside this file.
    if sys.path and sys.path[0] == os.path.dirname(os.path.abspath(__file__)):
        sys.path[0] = os.getcwd()
    try:
        Bridge().run()
    except BrokenPipeError:
        pass
