// Acting by steinrl/policy, which edge runtimes do: one policy or all together, of each head.
import { loadPolicy, type Who } from 'steinrl/policy'
import { compileCore } from 'steinrl/svgd'
import { numbers, type Section } from './sections.ts'

const PARTICLES = 3
const OBSERVATIONS = 4
const HIDDEN = [8, 5]
const ROWS = 70
const ACTIONS = 2
const WHO: readonly Who[] = ['best', 2, 'per-episode', 'per-call', 'mean']

/**
 * Numbers that the network puts out, and parameters beside it: log deviations are outputs or parameters of their own.
 */
const heads = {
  categorical: { outputs: ACTIONS, beside: 0 },
  gaussian: { outputs: ACTIONS, beside: ACTIONS },
  'squashed-gaussian': { outputs: 2 * ACTIONS, beside: 0 },
} as const

/** Weights and biases of the network. */
function parametersOf(outputs: number): number {
  const widths = [OBSERVATIONS, ...HIDDEN, outputs]
  return widths.slice(1).reduce((sum, width, k) => sum + width * (widths[k] + 1), 0)
}

/** safetensors: the length of a header, the header, the numbers. */
function tensorFile(rows: number, columns: number): Uint8Array {
  const data = Float32Array.from(numbers(rows * columns, 131))
  const shape = [rows, columns]
  const header = JSON.stringify({ theta: { dtype: 'F32', shape, data_offsets: [0, data.byteLength] } })
  const text = new TextEncoder().encode(header.padEnd(Math.ceil(header.length / 8) * 8))
  const file = new Uint8Array(8 + text.length + data.byteLength)
  new DataView(file.buffer).setUint32(0, text.length, true)
  file.set(text, 8)
  file.set(new Uint8Array(data.buffer), 8 + text.length)
  return file
}

const acting: Section = async (source, put) => {
  const core = await compileCore(source)
  for (const [name, { outputs, beside }] of Object.entries(heads)) {
    const classes = name === 'categorical'
    const description = {
      ...{ format: 'steinrl-policy', version: 1, env: 'Nowhere-v0', particles: PARTICLES, best: 1 },
      policy: { observations: OBSERVATIONS, hidden: HIDDEN, activation: 'tanh', head: { name, actions: ACTIONS } },
      normalisation: { mean: [0, 0.5, 0, -1], deviation: [1, 2, 0.5, 1], clip: 3 },
      bounds: classes ? null : { low: [-1, -0.5], high: [1, 2] },
    }
    const policy = await loadPolicy({
      description,
      weights: tensorFile(PARTICLES, parametersOf(outputs) + beside),
      core,
    })
    const observations = numbers(ROWS * OBSERVATIONS, 132, -2, 2)
    for (const greedy of [true, false]) {
      const actions = WHO.map((particle) => policy.actRows(observations, { particle, greedy, seed: 3, step: 7 }))
      put(`${name}, ${greedy ? 'greedy' : 'drawn'}`, ...actions)
    }
  }
}

/** Six choices at once, one of a single class. */
const choices: Section = async (source, put) => {
  const core = await compileCore(source)
  const factors = [3, 2, 1, 4, 2, 2]
  const outputs = factors.reduce((sum, n) => sum + n, 0)
  const head = { name: 'categorical', actions: outputs, factors }
  const description = {
    ...{ format: 'steinrl-policy', version: 1, env: 'Nowhere-v0', particles: PARTICLES, best: 1 },
    policy: { observations: OBSERVATIONS, hidden: HIDDEN, activation: 'tanh', head },
    ...{ normalisation: null, bounds: null },
  }
  const policy = await loadPolicy({ description, weights: tensorFile(PARTICLES, parametersOf(outputs)), core })
  const observations = numbers(ROWS * OBSERVATIONS, 133, -2, 2)
  for (const greedy of [true, false]) {
    const actions = WHO.map((particle) => policy.actRows(observations, { particle, greedy, seed: 3, step: 7 }))
    put(greedy ? 'greedy' : 'drawn', ...actions)
  }
}

export const policySections: Readonly<Record<string, Section>> = {
  'policies: acting': acting,
  'policies: several choices at once': choices,
}
