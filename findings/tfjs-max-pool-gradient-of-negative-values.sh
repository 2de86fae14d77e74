#!/usr/bin/env bash
# @tensorflow/tfjs-backend-wasm 4.22.0: tf.maxPool gives the largest entries of windows of negative numbers, and its
# gradient by the image then goes nowhere but to the first entry of a window or not at all: only entries above 0 count.
# The cpu backend is right; nothing warns. Features behind tanh or a normalisation stop learning where they are negative.
# Guess before the run: the two backends agree. Exits with 1 when that has changed.
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
    for (const [name, shift] of Object.entries({ positive: 10, negative: -10 })) {
      const image = tf.tensor4d([3, 1, 2, 5, 4, 6].map((value) => value + shift), [1, 2, 3, 1])
      const gradient = tf.grad((x) => tf.maxPool(x, 2, 1, 'valid').mul([[[[1], [2]]]]).sum())(image)
      found[`${backend} ${name}`] = `${[...gradient.dataSync()]}`
      console.log(`${backend}, ${name} image: gradient ${found[`${backend} ${name}`]} (0,0,0,1,0,2)`)
    }
  }
  const isRight = (key) => found[key] === '0,0,0,1,0,2'
  const isSo = isRight('cpu positive') && isRight('cpu negative') && isRight('wasm positive') && !isRight('wasm negative')
  process.exitCode = isSo ? 0 : 1
}
main()
JS
node main.cjs 2> /dev/null
