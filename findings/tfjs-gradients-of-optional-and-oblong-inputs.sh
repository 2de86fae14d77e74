#!/usr/bin/env bash
# @tensorflow/tfjs 4.22.0: two ops compute their value and fail when differentiated, on inputs that their pages allow.
# batchNorm without a scale or an offset (both are optional): the gradient reads a tensor that is not there, a
# TypeError. An image that is not square, resized by resizeBilinear on the backend in JavaScript: the gradient comes
# back with height and width exchanged, and tfjs refuses its own result.
# Guess before the run: both give numbers. Exits with 1 when that has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes >/dev/null
npm install --no-audit --no-fund @tensorflow/tfjs@4.22.0 >/dev/null 2>&1
cat > main.cjs <<'JS'
const tf = require('@tensorflow/tfjs')

const attempt = (f) => {
  try {
    return `[${Array.from(f().dataSync()).join(', ')}]`
  } catch (error) {
    return `${error.name}: ${error.message.slice(0, 110)}`
  }
}

async function main() {
  await tf.setBackend('cpu')
  console.log(`tfjs ${tf.version.tfjs}`)
  const rows = tf.tensor2d([[1, 2], [3, 5], [4, -1]])
  const [mean, variance] = [tf.tensor1d([1, 2]), tf.tensor1d([2, 3])]
  const [zeros, ones] = [tf.zeros([2]), tf.ones([2])]
  const normal = (offset, scale) => (x) => tf.sum(tf.batchNorm(x, mean, variance, offset, scale))
  const image = (h, w) => tf.ones([1, h, w, 1])
  const resized = (h, w) => attempt(() => tf.grad((x) => tf.sum(tf.image.resizeBilinear(x, [h, w])))(image(h, w)))
  const told = {
    'batchNorm with offset and scale': attempt(() => tf.grad(normal(zeros, ones))(rows)),
    'batchNorm with neither, value': attempt(() => normal()(rows)),
    'batchNorm with neither, gradient': attempt(() => tf.grad(normal())(rows)),
    'batchNorm without scale': attempt(() => tf.grad(normal(zeros))(rows)),
    'batchNorm without offset': attempt(() => tf.grad(normal(undefined, ones))(rows)),
    'resizeBilinear of 2 x 2': resized(2, 2),
    'resizeBilinear of 2 x 3': resized(2, 3),
  }
  for (const [name, result] of Object.entries(told)) console.log(`${name}: ${result}`)
  const failed = Object.values(told).map((result) => !result.startsWith('['))
  process.exitCode = failed.join() === 'false,false,true,true,true,false,true' ? 0 : 1
}
main()
JS
node main.cjs 2>/dev/null
