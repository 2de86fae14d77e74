#!/usr/bin/env bash
# @tensorflow/tfjs-backend-wasm 4.22.0: tf.log1p computes log(1 + x), so that it has lost what it is there for: 1e-6 comes
# out 5 % too small and 1e-9 as 0. The cpu backend gives log1p; expm1 is right on both. Nothing warns.
# Guess before the run: both backends give log1p to float32. Exits with 1 when that has changed.
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
  console.log(`tfjs ${tf.version.tfjs}`)
  const found = {}
  for (const backend of ['cpu', 'wasm']) {
    await tf.setBackend(backend)
    const [small, tiny] = tf.log1p([1e-6, 1e-9]).dataSync()
    found[backend] = { small, tiny, back: tf.expm1([1e-6]).dataSync()[0] }
    console.log(`${backend}: log1p(1e-6) = ${small.toPrecision(6)}, log1p(1e-9) = ${tiny.toPrecision(6)}, expm1(1e-6) = ${found[backend].back.toPrecision(6)}`)
  }
  const { cpu, wasm } = found
  const isRight = (value, right) => Math.abs(value / right - 1) < 1e-5
  const isSo = isRight(cpu.small, 1e-6) && isRight(cpu.tiny, 1e-9) && isRight(wasm.back, 1e-6)
  process.exitCode = isSo && wasm.small < 0.97e-6 && wasm.tiny === 0 ? 0 : 1
}
main()
JS
node main.cjs 2> /dev/null
