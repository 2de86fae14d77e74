"""Records how Gymnasium flattens elements of spaces: python3 record-spaces.py > spaces.json

Written with Python 3.12, gymnasium 1.4.0 and numpy 2.5.5.
"""

import json

import gymnasium
import numpy
from gymnasium.spaces import Box, Dict, Discrete, MultiBinary, MultiDiscrete, Tuple
from gymnasium.spaces.utils import flatdim, flatten, flatten_space, unflatten


def described(space):
    """A space as src/envs/spaces.ts has it."""
    if isinstance(space, Box):
        return {"kind": "box", "low": plain(space.low.ravel()), "high": plain(space.high.ravel())}
    if isinstance(space, Discrete):
        return {"kind": "discrete", "n": int(space.n), "start": int(space.start)}
    if isinstance(space, MultiDiscrete):
        return {"kind": "multi-discrete", "n": plain(space.nvec.ravel()), "start": plain(space.start.ravel())}
    if isinstance(space, MultiBinary):
        return {"kind": "multi-binary", "n": int(numpy.prod(space.shape))}
    if isinstance(space, Dict):
        # In the order in which it was written down, not in that of Gymnasium.
        return {"kind": "dict", "spaces": [[name, described(inner)] for name, inner in reversed(space.spaces.items())]}
    return {"kind": "tuple", "spaces": [described(inner) for inner in space.spaces]}


def plain(value):
    """Numbers, flat; what JSON does not know as words."""
    if isinstance(value, dict):
        return {name: plain(entry) for name, entry in value.items()}
    if isinstance(value, tuple):
        return [plain(entry) for entry in value]
    if isinstance(value, numpy.ndarray):
        return [plain(entry) for entry in value.ravel()]
    number = value.item() if hasattr(value, "item") else value
    return str(number).replace("inf", "Infinity") if abs(number) == float("inf") else number


def box(low, high, shape):
    return Box(low, high, shape, numpy.float32)


SPACES = [
    box(-1, 1, (2, 3)),
    Box(numpy.float32([-numpy.inf, 0]), numpy.float32([1, numpy.inf]), dtype=numpy.float32),
    Discrete(4),
    Discrete(3, start=-1),
    MultiDiscrete([3, 1, 2]),
    MultiDiscrete([[2, 3], [4, 2]]),
    MultiDiscrete([3, 2], start=[5, -2]),
    MultiBinary(5),
    MultiBinary((2, 3)),
    Dict({"place": box(-1, 1, (2,)), "kind": Discrete(3), "a": MultiBinary(2)}),
    # Names are sorted as texts: "10" before "2", capitals first, letters beyond U+FFFF behind all others.
    Dict({name: Discrete(2 + k) for k, name in enumerate(["2", "10", "b", "B", "\ue000", "\U0001f600", "ab", "a"])}),
    Tuple((Discrete(3), box(0, 1, (2,)), MultiDiscrete([2, 2]))),
    Dict(
        {
            "outer": Dict({"z": Tuple((Discrete(2, start=1), MultiBinary(2))), "y": box(-2, 2, (1,))}),
            "inner": Tuple((Dict({"b": Discrete(2), "a": Discrete(3)}), MultiDiscrete([2, 3], start=[1, 0]))),
        }
    ),
]


def case(space, seed):
    space.seed(seed)
    elements = [space.sample() for _ in range(4)]
    flat = flatten_space(space)
    vectors = [flatten(space, element) for element in elements]
    return {
        "space": described(space),
        "size": flatdim(space),
        "low": plain(flat.low.astype("float64")),
        "high": plain(flat.high.astype("float64")),
        "elements": [plain(element) for element in elements],
        "vectors": [plain(vector) for vector in vectors],
        "back": [plain(unflatten(space, vector)) for vector in vectors],
    }


print(
    json.dumps(
        {
            "gymnasium": gymnasium.__version__,
            "numpy": numpy.__version__,
            "cases": [case(space, seed) for seed, space in enumerate(SPACES)],
        }
    )
)
