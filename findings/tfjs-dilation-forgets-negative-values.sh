#!/usr/bin/env bash
# @tensorflow/tfjs-backend-wasm 4.22.0: tf.dilation2d, the greatest of image plus filter in each window, never gives less
# than about 1e-38: where all sums of a window are negative it says so, and the cpu backend says what is right. Nothing
# warns. Images of distances, logits or log densities, which are negative as a rule, come out as zeros.
# Guess before the run: the two backends agree to the last digits. Exits with 1 when that has changed.
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
  const image = [-0.83, 0.45, 0.66, -1.17]
  const filter = [0.1, 0.2, 0.3, 0.4]
  const found = {}
  for (const backend of ['cpu', 'wasm']) {
    await tf.setBackend(backend)
    for (const [name, values] of Object.entries({ mixed: image, positive: image.map((value) => value + 2) })) {
      const dilated = tf.dilation2d(tf.tensor4d(values, [1, 2, 2, 1]), tf.tensor3d(filter, [2, 2, 1]), 1, 'same')
      found[`${backend} ${name}`] = [...dilated.dataSync()]
      console.log(`${backend}, ${name} image: ${found[`${backend} ${name}`].map((value) => value.toPrecision(4)).join(' ')}`)
    }
  }
  const apart = (name) => Math.max(...found[`cpu ${name}`].map((value, k) => Math.abs(value - found[`wasm ${name}`][k])))
  console.log(`largest difference: mixed ${apart('mixed').toFixed(3)}, positive ${apart('positive').toFixed(3)}`)
  process.exitCode = apart('mixed') > 0.5 && apart('positive') < 1e-5 ? 0 : 1
}
main()
JS
node main.cjs 2> /dev/null
