// Each gradient that a plan records is turned round, one input at a time: the operations must show it.
import { afterAll, expect, test } from '@jest/globals'
import { compiledGradient } from '../../src/compile/compiled.ts'
import { elementwiseRules } from '../../src/compile/rules/elementwise.ts'
import { movementRules } from '../../src/compile/rules/movement.ts'
import { networkRules } from '../../src/compile/rules/networks.ts'
import { reductionRules } from '../../src/compile/rules/reductions.ts'
import { UsageError } from '../../src/core/errors.ts'
import { startTfjs, tf } from '../../src/nn/tfjs.ts'
import { expression, operations, points, SHAPE } from './operations.ts'

await startTfjs()

const rules = Object.keys({ ...elementwiseRules, ...movementRules, ...reductionRules, ...networkRules })

type Gradients = Record<string, () => tf.Tensor>
type Gradient = (dy: tf.Tensor | tf.Tensor[], saved: tf.Tensor[], attrs: tf.NamedAttrMap) => Gradients
const stock = new Map<string, Gradient>()

/** Whether a kernel has a gradient, and not a sentence that says that there is none. */
function isDifferentiable(kernel: string): boolean {
  const found = tf.getGradient(kernel)
  if (!found) return false
  try {
    found.gradFunc(null as unknown as tf.Tensor, [], {})
  } catch (error) {
    return !(error instanceof UsageError)
  }
  return true
}

/** The gradients by inputs that the operations have asked for, as 'KERNEL.INPUT', and which operations. */
const reached = new Map<string, Set<string>>()
let running = ''
let turned = ''

function watch(kernel: string): void {
  const found = tf.getGradient(kernel)
  stock.set(kernel, found.gradFunc)
  const gradFunc: Gradient = (dy, saved, attrs) => {
    const gradients = found.gradFunc(dy, saved, attrs) as Gradients
    const isList = Array.isArray(gradients)
    const watched = Object.entries(gradients).map(([input, gradient]) => {
      const name = isList ? kernel : `${kernel}.${input}`
      const compute = () => {
        reached.set(name, (reached.get(name) ?? new Set()).add(running))
        return name === turned ? tf.neg(gradient()) : gradient()
      }
      return [input, compute] as const
    })
    return (isList ? watched.map(([, compute]) => compute) : Object.fromEntries(watched)) as unknown as Gradients
  }
  tf.unregisterGradient(kernel)
  tf.registerGradient({ ...found, gradFunc })
}

const differentiable = rules.filter(isDifferentiable)
for (const kernel of differentiable) watch(kernel)

afterAll(() => {
  for (const [kernel, gradFunc] of stock) {
    const found = tf.getGradient(kernel)
    tf.unregisterGradient(kernel)
    tf.registerGradient({ ...found, gradFunc })
  }
})

function gradientOf(name: string): Float32Array {
  running = name
  const { f } = operations[name]
  const differentiate = compiledGradient({ name: 'It', mode: 'always' })
  return differentiate(expression(f), points(operations[name]), SHAPE).gradient.slice()
}

/** As far apart as the gradient may be from that of differences. */
function isRed(turnedRound: Float32Array, right: Float32Array): boolean {
  const scale = right.reduce((most, value) => Math.max(most, Math.abs(value)), 1)
  return right.some((value, k) => Math.abs(turnedRound[k] - value) >= 2e-3 * scale)
}

const right = new Map(Object.keys(operations).map((name) => [name, gradientOf(name)]))
const slots = [...reached.keys()].sort()

/**
 * Kernels that no op of tfjs puts on a tape: it writes these ops of others, or by customGrad; and a network whose
 * outputs a rollout has kept, which test/algorithms/policy-gradient compares bit by bit.
 */
const UNCALLED = ['BroadcastTo', 'LogicalXor', 'LogSoftmax', 'OneHot', 'SteinrlKnownMlp']

/** Of functions that are constant between their steps. */
const CONSTANT =
  /^(All|Any|ArgM(ax|in)|Ceil|Floor|FloorDiv|Round|Sign|Step|(Ones|Zeros)Like|Is(Finite|Inf|Nan)|(Not)?Equal|(Greater|Less)(Equal)?|Logical(And|Not|Or)|Select\.condition)\b/

test('every gradient that a plan can record is reached', () => {
  const kernels = new Set(slots.map((slot) => slot.split('.')[0]))
  expect(differentiable.filter((kernel) => !kernels.has(kernel)).sort()).toEqual([...UNCALLED].sort())
  expect(kernels.size).toBeGreaterThan(80)
})

test('each of them turned round is seen, but for those that are zero', () => {
  const seen = slots.filter((slot) => {
    const users = [...(reached.get(slot) as Set<string>)]
    turned = slot
    const isSeen = users.some((name) => isRed(gradientOf(name), right.get(name) as Float32Array))
    turned = ''
    return isSeen
  })
  expect(seen).toEqual(slots.filter((slot) => !CONSTANT.test(slot)))
})
