import { beforeAll, describe, expect, test } from '@jest/globals'
import '@tensorflow/tfjs-backend-cpu'
import fc from 'fast-check'
import { policyGradientInto, type WeightedBatch } from '../../src/compile/policy-gradient.ts'
import type { ObjectiveOptions } from '../../src/nn/losses.ts'
import { type Activation, activations } from '../../src/nn/network.ts'
import { actionWidth, type HeadName, headNames, type Policy, policyOf } from '../../src/nn/policy.ts'
import { startTfjs, tf } from '../../src/nn/tfjs.ts'
import { rowsOf } from '../nn/population.ts'
import { clippedObjectiveReference, flooredObjectiveReference, ratioOf } from '../reference/clipped.ts'
import { distributionReference, type SurrogateRows, slopes, surrogateReference } from '../reference/distributions.ts'
import { mlpReference } from '../reference/mlp.ts'
import { numbersOf } from '../reference/statistics.ts'

beforeAll(() => startTfjs())

interface Example {
  readonly theta: Float32Array
  readonly batch: WeightedBatch
  readonly reference: SurrogateRows
}

/** Random weights, and rows with actions of the order of those that the policy takes. */
function exampleOf(policy: Policy, rows: number, seed: number, scale = 0.6): Example {
  const { normal, uniform } = numbersOf(seed)
  const { net, head } = policy
  const filled = (count: number, next: () => number) => Float32Array.from({ length: count }, next)
  const theta = filled(policy.size, () => scale * normal())
  const draw = {
    categorical: () => Math.floor(uniform() * head.actions),
    gaussian: normal,
    'squashed-gaussian': () => Math.tanh(normal()),
  }[head.name]
  const batch = {
    observation: filled(rows * net.widths[0], normal),
    action: filled(rows * actionWidth(head), draw),
    weight: filled(rows, () => normal() / rows),
  }
  const [observation, action] = [rowsOf(batch.observation, net.widths[0]), rowsOf(batch.action, actionWidth(head))]
  const noise = observation.map((x, b) =>
    distributionReference(policy, mlpReference(net, theta, x), theta).noiseOf(action[b]),
  )
  return { theta, batch, reference: { observation, action, weight: [...batch.weight], noise } }
}

const plain: ObjectiveOptions = { entropyBonus: 0, clip: null, floor: null }

function gradientOf(policy: Policy, { theta, batch }: Pick<Example, 'theta' | 'batch'>, entropyBonus: number) {
  const out = new Float32Array(policy.size)
  const entropy = policyGradientInto(out, policy, theta, batch, { ...plain, entropyBonus })
  return { out, entropy }
}

const worstOf = (a: ArrayLike<number>, b: ArrayLike<number>) =>
  Math.max(...Array.from(a, (value, k) => Math.abs(value - b[k]))) / Math.max(...Array.from(b, Math.abs))

const observations = 3
const heads = headNames.map((name) => ({ name, actions: 3 }))
const networks = [
  { hidden: [], activation: 'tanh' as const },
  ...activations.map((activation) => ({ hidden: [7], activation })),
  { hidden: [6, 5], activation: 'tanh' as const },
]

describe.each(heads.flatMap((head) => networks.map((network) => ({ head, ...network }))))(
  '$head.name, $hidden $activation',
  (shape) => {
    const policy = policyOf({ observations, ...shape })
    // One row, an odd number of them.
    test.each([
      [9, 0],
      [9, 0.3],
      [1, 0.3],
    ])('finite differences of the float64 twin: %d rows, entropy bonus %p', (rows, bonus) => {
      const example = exampleOf(policy, rows, 4)
      const { out } = gradientOf(policy, example, bonus)
      const numeric = slopes((theta) => surrogateReference(policy, theta, example.reference, bonus), [...example.theta])
      expect(worstOf(out, numeric)).toBeLessThan(1e-5)
    })

    test('the entropy is that of the float64 twin', () => {
      const example = exampleOf(policy, 9, 4)
      const { entropy } = gradientOf(policy, example, 0)
      const { observation, noise } = example.reference
      const exact = observation.map((x, b) =>
        distributionReference(policy, mlpReference(policy.net, example.theta, x), example.theta).entropy(noise[b]),
      )
      expect(entropy).toBeCloseTo(exact.reduce((a, b) => a + b, 0) / 9, 5)
    })
  },
)

describe.each(['wasm', 'cpu'])('%s backend', (backend) => {
  describe.each(heads)('$name', (head) => {
    const policy = policyOf({ observations, hidden: [7], head })

    /** The gradient on rows that a policy nearby has collected, and its float64 twin. */
    async function compare(options: Partial<ObjectiveOptions>, twin: (theta: ArrayLike<number>, rows: Rows) => number) {
      await tf.setBackend(backend)
      // Small weights: a ratio must not cross the clip within a finite difference.
      const { theta, batch, reference } = exampleOf(policy, 40, 6, 0.3)
      const old = reference.observation.map((x, b) => {
        const pi = distributionReference(policy, mlpReference(policy.net, theta, x), theta)
        return Math.fround(pi.logProb(reference.action[b]) + 0.6 * Math.sin(5 * b))
      })
      const rows = { ...reference, logProb: old }
      const out = new Float32Array(policy.size)
      policyGradientInto(out, policy, theta, { ...batch, logProb: Float32Array.from(old) }, { ...plain, ...options })
      await tf.setBackend('wasm')
      const numeric = slopes((moved) => twin(moved, rows), [...theta])
      expect(worstOf(out, numeric)).toBeLessThan(1e-5)
      return { theta, rows }
    }
    type Rows = SurrogateRows & { readonly logProb: readonly number[] }

    test.each([0, 0.3])('finite differences of the clipped objective, entropy bonus %p', async (entropyBonus) => {
      const options = { clip: 0.2, entropyBonus }
      const { theta, rows } = await compare(options, (moved, rows) =>
        clippedObjectiveReference(policy, moved, rows, options),
      )
      // Rows below, within and above the clip, of both signs of the advantage.
      const counts = [0, 0, 0, 0, 0, 0]
      rows.weight.forEach((weight, b) => {
        const ratio = ratioOf(policy, theta, rows, b)
        counts[(weight > 0 ? 0 : 3) + (ratio < 0.8 ? 0 : ratio > 1.2 ? 2 : 1)]++
      })
      expect(Math.min(...counts)).toBeGreaterThan(0)
    })

    test('finite differences of the imitation objective, whose improbable actions have no gradient', async () => {
      const floor = { categorical: -1.1, gaussian: -5, 'squashed-gaussian': -2 }[head.name]
      const { theta, rows } = await compare({ floor }, (moved, rows) =>
        flooredObjectiveReference(policy, moved, rows, floor),
      )
      const isBelow = rows.observation.map((x, b) => {
        const pi = distributionReference(policy, mlpReference(policy.net, theta, x), theta)
        return pi.logProb(rows.action[b]) < floor
      })
      expect(isBelow).toContain(true)
      expect(isBelow).toContain(false)
    })
  })
})

test('the wasm backend and the cpu backend of tfjs agree, for every shape', async () => {
  const shapes = fc.record({
    observations: fc.integer({ min: 1, max: 20 }),
    hidden: fc.array(fc.integer({ min: 1, max: 20 }), { maxLength: 2 }),
    activation: fc.constantFrom<Activation>(...activations),
    head: fc.record({ name: fc.constantFrom<HeadName>(...headNames), actions: fc.integer({ min: 1, max: 5 }) }),
    rows: fc.integer({ min: 1, max: 40 }),
    seed: fc.nat({ max: 1000 }),
    bonus: fc.constantFrom(0, 0.05),
  })
  await fc.assert(
    fc.asyncProperty(shapes, async ({ rows, seed, bonus, ...shape }) => {
      const policy = policyOf(shape)
      const { theta, batch } = exampleOf(policy, rows, seed)
      const wasm = gradientOf(policy, { theta, batch }, bonus)
      await tf.setBackend('cpu')
      const cpu = gradientOf(policy, { theta, batch }, bonus)
      // The rows' shares of the gradient may nearly cancel, and float32 errors are relative to the shares.
      const apart = gradientOf(policy, { theta, batch: { ...batch, weight: batch.weight.map(Math.abs) } }, bonus)
      await tf.setBackend('wasm')
      const scale = Math.max(...cpu.out.map(Math.abs), ...apart.out.map(Math.abs), 1e-3)
      expect(Math.max(...wasm.out.map((value, k) => Math.abs(value - cpu.out[k]))) / scale).toBeLessThan(1e-5)
      expect(Math.abs(wasm.entropy - cpu.entropy)).toBeLessThan(1e-5 * (1 + Math.abs(cpu.entropy)))
    }),
    { numRuns: 150, seed: 5 },
  )
})

describe.each(heads)('$name', (head) => {
  const policy = policyOf({ observations, hidden: [8], head })

  test('no tensor is left behind', () => {
    const example = exampleOf(policy, 16, 1)
    gradientOf(policy, example, 0.1)
    const before = tf.memory().numTensors
    for (let k = 0; k < 20; k++) gradientOf(policy, example, 0.1)
    expect(tf.memory().numTensors).toBe(before)
  })

  test('a batch of zero rows is refused, and nothing is left behind', () => {
    const before = tf.memory().numTensors
    expect(() => gradientOf(policy, exampleOf(policy, 0, 1), 0)).toThrow('A batch needs at least one row, got 0.')
    expect(tf.memory().numTensors).toBe(before)
  })
})
