#!/usr/bin/env bash
# @tensorflow/tfjs 4.22.0, backends cpu and wasm: tf.avgPool with 'same' padding averages over the cells inside the image
# only, but its gradient divides by the size of the whole window, so that cells at an edge which a window overhangs get
# too little. Average pooling is linear, so x · ∇f(x) = f(x) must hold: on 3 x 3 ones with 2 x 2 windows f is 4, and
# x · ∇f is 2.25. Nothing warns.
# Guess before the run: forward and gradient share their divisor, and both are 4. Exits with 1 when that has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes >/dev/null
npm install --no-audit --no-fund @tensorflow/tfjs@4.22.0 @tensorflow/tfjs-backend-wasm@4.22.0 >/dev/null 2>&1
cat > main.cjs <<'JS'
const tf = require('@tensorflow/tfjs')
require('@tensorflow/tfjs-backend-wasm')

async function main() {
  console.log(`tfjs ${tf.version.tfjs}`)
  const found = []
  for (const backend of ['cpu', 'wasm']) {
    await tf.setBackend(backend)
    const x = tf.ones([1, 3, 3, 1])
    const pool = (image) => tf.sum(tf.avgPool(image, 2, 2, 'same'))
    const [value] = pool(x).dataSync()
    const gradient = [...tf.grad(pool)(x).dataSync()]
    const product = gradient.reduce((sum, g) => sum + g, 0)
    console.log(`${backend}: f(x) = ${value}, x · ∇f(x) = ${product}, ∇f = ${gradient.join(' ')}`)
    found.push(value === 4 && product === 2.25)
  }
  process.exitCode = found.every(Boolean) ? 0 : 1
}
main()
JS
node main.cjs 2>/dev/null
