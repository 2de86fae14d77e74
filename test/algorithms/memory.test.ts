import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from '@jest/globals'

const root = new URL('../../', import.meta.url)

/** Trains in a process of its own, whose memory nothing else uses, and measures it after 1,000 and 2,500 iterations. */
const program = `
  import { tf } from '${new URL('dist/nn/tfjs.js', root).href}'
  import { svpg } from '${new URL('dist/algorithms/svpg/svpg.js', root).href}'
  const state = await svpg.init({ env: 'CartPole-v1', particles: 4, environments: 4, steps: 32, hidden: [16, 16], entropyBonus: 0.01 })
  const measured = []
  for (let iteration = 1; iteration <= 2500; iteration++) {
    await svpg.step(state)
    if (iteration !== 1000 && iteration !== 2500) continue
    gc()
    gc()
    measured.push({ tensors: tf.memory().numTensors, megabytes: process.memoryUsage().rss / 1e6 })
  }
  console.log(JSON.stringify(measured))
`

test('1,500 iterations leave no tensor behind, and resident memory stays flat', async () => {
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['--expose-gc', '--input-type=module', '--eval', program],
    { cwd: fileURLToPath(root) },
  )
  const [early, late] = JSON.parse(stdout)
  expect(late.tensors).toBe(early.tensors)
  // The heap has its size by then; a leak of one rollout's rows would be 75 MB.
  expect(late.megabytes - early.megabytes).toBeLessThan(10)
})
