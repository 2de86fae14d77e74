#!/usr/bin/env bash
# onnx 1.23.2: the ReferenceEvaluator, the standard that runtimes and exporters are tested against, takes LSTM and GRU
# and passes over what they say: `clip`, `input_forget`, `sequence_lens` and the `activations` of GRU are read and
# change no bit of the result. So an exporter that forgets a clip, or one that writes it wrongly, passes its test. Two
# more ops are not those of their pages: LpNormalization with p = 1 divides by the sum, not by the sum of absolute
# values (3, -4 becomes -3, 4), and LogSoftmax takes the log of a softmax that is 0 already: -inf for -150. Its function
# in the standard, x - max - log sum exp, keeps that. Nothing warns of the attributes. onnxruntime is right on all.
# Guess before the run: attributes count, or are refused as not implemented; the other two are their formulas.
# Exits with 1 when any of it has come true. Needs Python 3.11 or later.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3}" -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --no-compile onnx==1.23.2 onnxruntime==1.32.0 numpy==2.4.6
"$folder/venv/bin/python" -W ignore - <<'PY'
import sys

import numpy as np
import onnx
import onnxruntime
from onnx import helper
from onnx.reference import ReferenceEvaluator

print("onnx", onnx.__version__, "onnxruntime", onnxruntime.__version__)


def run(op, inputs, **attributes):
    """The first output of one node, by the reference and by onnxruntime."""
    dtypes = [helper.np_dtype_to_tensor_dtype(array.dtype) for array in inputs]
    values = [helper.make_tensor_value_info(f"i{k}", t, a.shape) for k, (t, a) in enumerate(zip(dtypes, inputs))]
    node = helper.make_node(op, [value.name for value in values], ["o"], **attributes)
    graph = helper.make_graph([node], "graph", values, [onnx.ValueInfoProto(name="o")])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 22)], ir_version=10)
    onnx.checker.check_model(onnx.shape_inference.infer_shapes(model))
    feed = {value.name: array for value, array in zip(values, inputs)}
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return ReferenceEvaluator(model).run(None, feed)[0], session.run(None, feed)[0]


STEPS, BATCH, INPUTS, UNITS = 4, 2, 3, 5
random = np.random.default_rng(0)
draw = lambda *shape: random.normal(size=shape).astype(np.float32)
lengths = np.array([STEPS, 2], np.int32)
x = draw(STEPS, BATCH, INPUTS)
kept = True
for op, gates in (("LSTM", 4), ("GRU", 3)):
    rows = gates * UNITS
    inputs = [x, draw(1, rows, INPUTS), draw(1, rows, UNITS), draw(1, 2 * rows)]
    plain = run(op, inputs, hidden_size=UNITS)
    own = {"input_forget": 1} if op == "LSTM" else {"activations": ["Sigmoid", "Relu"]}
    for settings, more in (({"clip": 0.5}, []), (own, []), ({}, [lengths])):
        changed = [
            float(np.abs(a - b).max()) for a, b in zip(plain, run(op, inputs + more, hidden_size=UNITS, **settings))
        ]
        told = settings or {"sequence_lens": more[0].tolist()}
        print(f"{op} with {told}: the reference changes by {changed[0]}, onnxruntime by {changed[1]:.2f}")
        kept = kept and changed[0] == 0 and changed[1] > 0.05
normalised = run("LpNormalization", [np.array([[3, -4]], np.float32)], axis=1, p=1)
logs = run("LogSoftmax", [np.array([[0, -150]], np.float32)], axis=1)
print("LpNormalization of 3, -4 with p = 1:", *normalised, "(3/7, -4/7)")
print("LogSoftmax of 0, -150:", *logs)
kept = kept and (normalised[0] == [[-3, 4]]).all() and np.isneginf(logs[0][0, 1]) and logs[1][0, 1] == -150
sys.exit(0 if kept else 1)
PY
