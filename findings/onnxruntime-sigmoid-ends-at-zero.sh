#!/usr/bin/env bash
# onnxruntime 1.32.0 (CPU) and onnxruntime-web 1.30.0 (WASM): Sigmoid is right to about 1e-7 of 1, not to digits of its
# own. Far below 0 it is what rounding leaves over: at -9.5 it is off by 1e-4 of itself, at -17 by a quarter or more,
# at -20 it is 0 and Log after it -inf, where the value is 2e-9. On the way it does not even grow with x: Python has
# sigmoid(-16.32) = 0 and sigmoid(-17) = 9e-8. The two runtimes differ from each other as well. Softplus of the same
# runtime keeps its digits, so -Softplus(-x) is the logarithm. A small probability that leaves a policy or a gate by
# Sigmoid is rough, and then 0.
# Guess before the run: the nearest float32 but for some units in the last place, as float32 goes down to 1e-38, and
# the same order as x. Exits with 1 when that has come true. Needs Python 3.11 or later.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
"${PYTHON:-python3}" -m venv venv
venv/bin/pip install --quiet --no-compile onnx==1.23.2 onnxruntime==1.32.0 numpy==2.4.6
npm init --yes > /dev/null
npm install --silent --no-audit --no-fund --ignore-scripts onnxruntime-web@1.30.0
cat > run.py <<'PY'
import json

import numpy as np
import onnxruntime
from onnx import TensorProto, helper


def model(*ops):
    nodes = [helper.make_node(op, [f"v{k}"], [f"v{k + 1}"]) for k, op in enumerate(ops)]
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n"]) for name in ("v0", f"v{len(ops)}")]
    graph = helper.make_graph(nodes, "graph", ends[:1], ends[1:])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10).SerializeToString()


def run(x, *ops):
    session = onnxruntime.InferenceSession(model(*ops), providers=["CPUExecutionProvider"])
    return session.run(None, {"v0": np.asarray(x, np.float32)})[0]


x = [-9.5, -15, -17, -20]
grid = np.linspace(-18, -10, 801)
falls = int((np.diff(run(grid, "Sigmoid")) < 0).sum())
print("onnxruntime", onnxruntime.__version__)
print("Log(Sigmoid(-20)):", run([-20], "Sigmoid", "Log")[0], "and -Softplus(20):", -run([20], "Softplus")[0])
print(f"of 800 steps of 0.01 from -18 to -10 Sigmoid falls in {falls}")
with open("sigmoid.onnx", "wb") as file:
    file.write(model("Sigmoid"))
with open("python.json", "w") as file:
    json.dump({"x": x, "values": run(x, "Sigmoid").tolist(), "falls": falls}, file)
PY
venv/bin/python run.py
cat > run.mjs <<'JS'
import { readFileSync } from 'node:fs'
import * as ort from 'onnxruntime-web'

const { x, values, falls } = JSON.parse(readFileSync('python.json', 'utf8'))
ort.env.wasm.numThreads = 1
const session = await ort.InferenceSession.create(new Uint8Array(readFileSync('sigmoid.onnx')))
const found = (await session.run({ v0: new ort.Tensor('float32', Float32Array.from(x), [x.length]) })).v1.data
console.log('onnxruntime-web', ort.env.versions.web)
const errors = { python: [], web: [] }
for (const [k, value] of x.entries()) {
  const exact = 1 / (1 + Math.exp(-value))
  errors.python.push(Math.abs(values[k] / exact - 1))
  errors.web.push(Math.abs(found[k] / exact - 1))
  const shown = [values[k], found[k], exact].map((number) => number.toPrecision(5))
  console.log(`Sigmoid(${value}): Python ${shown[0]}, web ${shown[1]}, exactly ${shown[2]}`)
}
const isRough = ([near, , , far]) => near > 5e-5 && far > 0.5
process.exit(isRough(errors.python) && isRough(errors.web) && falls > 0 ? 0 : 1)
JS
node run.mjs 2> /dev/null
