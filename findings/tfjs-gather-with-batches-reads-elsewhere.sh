#!/usr/bin/env bash
# @tensorflow/tfjs-backend-wasm 4.22.0: tf.gather with batchDims 1 takes entries of each row by indices of its own, as
# numpy's take_along_axis does. Of two rows of six it is right, of three rows of six it gives entries that no index names,
# of other rows and from behind the tensor. The cpu backend is right; nothing warns.
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
    for (const rows of [2, 3]) {
      const x = tf.range(0, 6 * rows).reshape([rows, 6])
      const indices = tf.tensor2d([0, 3, 2, 5, 4, 1].slice(0, 2 * rows), [rows, 2], 'int32')
      found[`${backend} ${rows}`] = `${[...tf.gather(x, indices, 1, 1).dataSync()]}`
      console.log(`${backend}, ${rows} rows: ${found[`${backend} ${rows}`]}`)
    }
  }
  const isSo = found['cpu 2'] === found['wasm 2'] && found['cpu 3'] === '0,3,8,11,16,13' && found['cpu 3'] !== found['wasm 3']
  process.exitCode = isSo ? 0 : 1
}
main()
JS
node main.cjs 2> /dev/null
