#!/usr/bin/env bash
# @tensorflow/tfjs-backend-wasm 4.22.0: pooling and convolution with explicit padding round the size of their result by
# dimRoundingMode. With 'ceil' or 'round' the last window overhangs the image, and the result has a row and a column
# more, on both backends. The WASM code reckons the size anew, always rounded down: it writes the rows of the smaller
# image one after the other into the larger one, and behind them stays what that memory held, zeros or remains of other
# tensors. So not only the edge is lost: all rows after the first stand in wrong places. The cpu backend is right;
# nothing warns.
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

const OPS = {
  maxPool: (image, mode) => tf.maxPool(image, 2, 2, 0, mode),
  avgPool: (image, mode) => tf.avgPool(image, 2, 2, 0, mode),
  conv2d: (image, mode) => tf.conv2d(image, tf.ones([2, 2, 1, 1]), 2, 0, 'NHWC', 1, mode),
  depthwiseConv2d: (image, mode) => tf.depthwiseConv2d(image, tf.ones([2, 2, 1, 1]), 2, 0, 'NHWC', 1, mode),
}

async function main() {
  console.log(`tfjs ${tf.version.tfjs}`)
  const found = {}
  for (const backend of ['cpu', 'wasm']) {
    await tf.setBackend(backend)
    const image = tf.range(1, 26).reshape([1, 5, 5, 1])
    for (const [name, op] of Object.entries(OPS)) {
      for (const mode of ['floor', 'ceil']) {
        const result = op(image, mode)
        found[`${backend} ${name} ${mode}`] = `${[...result.dataSync()]}`
        if (mode === 'ceil') console.log(`${backend}, ${name} of 5 x 5 by 2: [${result.shape}] ${result.dataSync()}`)
      }
    }
  }
  const isSo = Object.keys(OPS).every((name) => {
    const small = found[`cpu ${name} floor`]
    const isShifted = found[`wasm ${name} ceil`].startsWith(`${small},`)
    return found[`wasm ${name} floor`] === small && isShifted && found[`cpu ${name} ceil`].split(',').every(Number)
  })
  process.exitCode = isSo ? 0 : 1
}
main()
JS
node main.cjs 2> /dev/null
