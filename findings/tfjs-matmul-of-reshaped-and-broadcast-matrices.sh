#!/usr/bin/env bash
# @tensorflow/tfjs 4.22.0, two faults of tf.matMul. On the WASM backend the product with a matrix that was multiplied
# before and is now read in another shape (tf.reshape shares the data) comes out of the earlier shape: the backend keeps
# the packed matrix by the number of its data. On the cpu and WASM backends alike stacks of matrices that are broadcast
# together, [2, 1, …] with [2, 3, …], multiply matrix k modulo the size of the smaller stack, where numpy takes those
# that stand in the same place. Nothing warns: weights that are reshaped, and heads of attention, get other numbers.
# Guess before the run: all products are those of numpy. Exits with 1 when that has changed.
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
    const data = tf.range(1, 13)
    const sums = (rows, columns) => [...tf.matMul(tf.ones([1, rows]), tf.reshape(data, [rows, columns])).dataSync()]
    const first = sums(3, 4)
    const reshaped = sums(4, 3)
    const stacks = tf.matMul(tf.tensor([1, 2], [2, 1, 1, 1]), tf.tensor([1, 10, 100], [1, 3, 1, 1]).tile([2, 1, 1, 1]))
    found[backend] = { first: `${first}`, reshaped: `${reshaped}`, stacks: `${[...stacks.dataSync()]}` }
    console.log(`${backend}: columns of 1 … 12 as [3, 4] ${first}; then as [4, 3] ${reshaped} (22,26,30)`)
    console.log(`${backend}: [1, 2] as [2, 1] by [1, 10, 100] twice as [2, 3]: ${found[backend].stacks} (1,10,100,2,20,200)`)
  }
  const { cpu, wasm } = found
  const isSo = cpu.reshaped === '22,26,30' && wasm.first === cpu.first && wasm.reshaped !== cpu.reshaped
  process.exitCode = isSo && [cpu, wasm].every(({ stacks }) => stacks === '1,20,100,2,10,200') ? 0 : 1
}
main()
JS
node main.cjs 2> /dev/null
