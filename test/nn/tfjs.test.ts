// Each in a process of its own: a tfjs is started once.
import { spawnSync } from 'node:child_process'
import { expect, test } from '@jest/globals'

const dist = new URL('../../dist/index.js', import.meta.url).href
const TRAIN = "{ env: 'CartPole-v1', particles: 1, environments: 1, steps: 8, iterations: 1, hidden: [4] }"

/** What a program printed that imports steinrl as `s` and its tfjs as `tf`. */
function outputOf(program: string) {
  const imports = `import * as s from ${JSON.stringify(dist)}; import * as tf from '@tensorflow/tfjs-core';`
  const script = `${imports} const once = async () => { for await (const _ of s.train(${TRAIN})); }; ${program}`
  const { stdout, stderr, status } = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
    encoding: 'utf8',
    cwd: new URL('../..', import.meta.url),
  })
  return { stdout: stdout.trim(), stderr, status }
}

test('a program that handles its rejections goes on after training', () => {
  const program = `
    process.on('unhandledRejection', (reason) => console.log('handled', reason.message))
    await once()
    Promise.reject(new Error('of the user'))
    setTimeout(() => console.log('goes on'), 50)`
  expect(outputOf(program)).toEqual({ stdout: 'handled of the user\ngoes on', stderr: '', status: 0 })
})

test('an error prints its own lines, none of tfjs', () => {
  const { stderr, status } = outputOf("await once(); throw new Error('of the user')")
  expect(status).toBe(1)
  expect(stderr).toContain('Error: of the user')
  expect(stderr.length).toBeLessThan(2000)
})

test('listeners for errors that a program adds while tfjs starts stay', () => {
  const program = `
    const before = process.listenerCount('uncaughtException')
    const starting = s.startTfjs()
    const mine = (error) => { console.log('mine', error.message) }
    process.on('uncaughtException', mine)
    await starting
    console.log(process.listenerCount('uncaughtException') - before, process.listeners('uncaughtException').includes(mine))
    setTimeout(() => { throw new Error('of the user') })`
  expect(outputOf(program).stdout).toBe('1 true\nmine of the user')
})

test('no global names are left', () => {
  const program = `await once(); console.log(['require', '__dirname'].some((name) => name in globalThis))`
  expect(outputOf(program)).toEqual({ stdout: 'false', stderr: '', status: 0 })
})

test('calls at the same time start one tfjs', () => {
  const program = 'await Promise.all([s.startTfjs(), s.startTfjs(), once(), once()]); console.log(tf.getBackend())'
  expect(outputOf(program)).toEqual({ stdout: 'wasm', stderr: '', status: 0 })
})

const REFUSED = 'already, whose numbers differ: steinrl needs "wasm"; start it first by startTfjs()'

test.each([
  ["await import('@tensorflow/tfjs-backend-cpu'); await tf.setBackend('cpu')", '"cpu"'],
  ["tf.env().set('WASM_HAS_SIMD_SUPPORT', false); await tf.setBackend('wasm')", '"wasm without SIMD"'],
  ["await s.startTfjs(); await import('@tensorflow/tfjs-backend-cpu'); await tf.setBackend('cpu')", '"cpu"'],
])('a tfjs whose bits differ is refused: %s', (start, name) => {
  const { stdout } = outputOf(`${start}; await once().catch((error) => console.log(error.name + ':', error.message))`)
  expect(stdout).toContain(`UsageError: tfjs runs on the backend ${name} ${REFUSED}`)
})

test.each([
  ['a loop of train()', `for await (const _ of s.train({ ...${TRAIN}, iterations: 3 })) await tf.setBackend('cpu')`],
  [
    'svgd() of a log density',
    `await s.startTfjs()
    await tf.setBackend('cpu')
    const populationScore = s.logDensity((x) => tf.neg(tf.sum(tf.square(x), 1)))
    await s.svgd({ populationScore, particles: 2, dimension: 2, iterations: 1 })`,
  ],
])('a backend that a program sets later is refused: %s', (_, work) => {
  const { stdout } = outputOf(`await import('@tensorflow/tfjs-backend-cpu')
    const work = async () => { ${work} }
    await work().catch((error) => console.log(error.name + ':', error.message))`)
  expect(stdout).toContain(`UsageError: tfjs runs on the backend "cpu" ${REFUSED}`)
})

test('a tfjs that runs on wasm already trains with the same bits', () => {
  const theta = `let bits; for await (const { state } of s.train(${TRAIN})) bits = state.arena.view.theta.join()
    console.log(bits)`
  const own = outputOf(theta).stdout
  expect(own.length).toBeGreaterThan(100)
  expect(outputOf(`await tf.setBackend('wasm'); ${theta}`).stdout).toBe(own)
})

test('what one training is told of tfjs is no matter to the next one, nor to what its loop calls; workers are told it', () => {
  const { stdout } = outputOf(`
    const options = { ...${TRAIN}, particles: 2, steps: 64, iterations: 3, hidden: [16], estimator: 'ppo' }
    const run = async (own, within = async () => {}) => {
      let bits
      for await (const { metrics } of s.train({ ...options, ...own })) {
        bits = [metrics.entropy, metrics.thetaNorm].join()
        await within()
      }
      return bits
    }
    const shared = await run({ workers: 2 })
    const [compiled, tfjs] = [await run({}), { compiled: false }]
    const stock = await run({ tfjs })
    console.log(compiled !== stock, (await run({})) === compiled, shared === compiled)
    console.log((await run({ tfjs, workers: 2 })) === stock, (await run({ tfjs }, () => run({}))) === stock)
    await s.startTfjs(tfjs)
    console.log((await run({})) === stock, (await run({ workers: 2 })) === stock)
    process.exit()`)
  expect(stdout).toBe('true true true\ntrue true\ntrue true')
})

test('Node loads tfjs by require(), which takes a sixth of the time of an import', () => {
  const { stdout } = outputOf("console.log(import.meta.resolve('#tfjs'))")
  expect(stdout).toMatch(/tfjs-node\.js$/)
})
