import { createHash } from 'node:crypto'
import { type AnyTrainOptions, type AnyTrainStep, train } from '../../src/train/train.ts'

/** The smallest population that learns and interacts. */
export const SMALL = { env: 'CartPole-v1', environments: 3, steps: 40, hidden: [8], seed: 6, particles: 5 } as const

/** SHA-256 of theta. */
export function hashOf({ state }: AnyTrainStep): string {
  const { theta } = (state as { arena: { view: { theta: Float32Array } } }).arena.view
  return createHash('sha256').update(new Uint8Array(theta.slice().buffer)).digest('hex')
}

/** SHA-256 of theta at the end of a training, and what was told. */
export async function trained(options: object, onStep: (iteration: number) => unknown = () => {}) {
  const losses: string[] = []
  let theta = ''
  for await (const step of train(options as AnyTrainOptions)) {
    losses.push(...step.losses)
    theta = hashOf(step)
    await onStep(step.iteration)
  }
  return { theta, losses }
}
