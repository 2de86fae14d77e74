#!/usr/bin/env bash
# @tensorflow/tfjs-backend-wasm 4.22.0: functions of int32 tensors, as counts are, give whole numbers where the answer is
# none: tf.softplus and tf.logSigmoid round towards 0, tf.reciprocal gives the bits of a float read as an integer, tf.prelu
# takes slopes of the shape [n, 1] for those of the last axis. tf.sqrt and tf.log refuse int32 by name.
# Guess before the run: floats, or a refusal. Exits with 1 when that has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes > /dev/null
npm install --no-audit --no-fund --silent @tensorflow/tfjs@4.22.0 @tensorflow/tfjs-backend-wasm@4.22.0 > /dev/null 2>&1
cat > main.cjs <<'JS'
const tf = require('@tensorflow/tfjs')
require('@tensorflow/tfjs-backend-wasm')

async function main() {
  await tf.setBackend('wasm')
  console.log(`tfjs ${tf.version.tfjs}`)
  const counts = tf.tensor1d([1, 0, 3], 'int32')
  const found = {}
  for (const name of ['softplus', 'logSigmoid', 'reciprocal']) {
    found[name] = `${[...tf[name](counts).dataSync()]}`
    const floats = [...tf[name](counts.toFloat()).dataSync()].map((value) => value.toPrecision(4))
    console.log(`${name} of int32 1, 0, 3: ${found[name]}; of float32: ${floats.join(' ')}`)
  }
  const slopes = tf.prelu(tf.fill([2, 3], -1), tf.tensor2d([10, 100], [2, 1]))
  found.prelu = `${[...slopes.dataSync()]}`
  console.log(`prelu of -1 [2, 3] with slopes 10, 100 [2, 1]: ${found.prelu} (-10,-10,-10,-100,-100,-100)`)
  const isSo = found.softplus === '1,0,3' && found.logSigmoid === '0,0,0' && found.reciprocal.startsWith('2139095040')
  process.exitCode = isSo && found.prelu !== '-10,-10,-10,-100,-100,-100' ? 0 : 1
}
main()
JS
node main.cjs 2> /dev/null
