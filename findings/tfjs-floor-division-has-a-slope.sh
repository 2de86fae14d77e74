#!/usr/bin/env bash
# @tensorflow/tfjs 4.22.0: floorDiv, which is flat but for its jumps, is differentiated as if it were a division: the
# gradient of sum(floor(x / 2)) is 1/2 a number. The op Floor itself has the gradient zero, so the same function written
# as floor(div(x, 2)) is flat. TensorFlow of Python gives no gradient for floordiv.
# Guess before the run: the gradient is zero, or the op is refused. Exits with 1 when that has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes >/dev/null
npm install --no-audit --no-fund @tensorflow/tfjs@4.22.0 >/dev/null 2>&1
cat > main.cjs <<'JS'
const tf = require('@tensorflow/tfjs')

async function main() {
  await tf.setBackend('cpu')
  console.log(`tfjs ${tf.version.tfjs}`)
  const x = tf.tensor1d([0.3, 2.7, -1.2])
  const slopes = (f) => Array.from(tf.grad((v) => tf.sum(f(v)))(x).dataSync())
  const division = slopes((v) => tf.floorDiv(v, tf.scalar(2)))
  const composed = slopes((v) => tf.floor(tf.div(v, tf.scalar(2))))
  console.log(`values: ${tf.floorDiv(x, tf.scalar(2)).dataSync()}`)
  console.log(`slopes of floorDiv(x, 2): ${division}; of floor(x / 2): ${composed}`)
  process.exitCode = division.every((s) => s === 0.5) && composed.every((s) => s === 0) ? 0 : 1
}
main()
JS
node main.cjs 2>/dev/null
