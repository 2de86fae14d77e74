import { createArena, f32, f64, u8 } from '../core/arena.ts'
import { show, UsageError } from '../core/errors.ts'
import { compileCore } from '../core/module.ts'
import { splitSeed } from '../core/random.ts'
import type { ConstantValue } from './builtin.ts'
import type { Environment, EnvironmentSpec, Reset, Step } from './contract.ts'
import { environmentSpec } from './registry.ts'
import { type Action, sizeOf } from './spaces.ts'

/** A single environment whose whole state can be read and written. */
export interface MadeEnvironment extends Environment {
  reset(options: { seed: number }): Reset & { readonly obs: Float32Array }
  step(action: Action): Step & { readonly obs: Float32Array }
  readonly spec: EnvironmentSpec
  /** The float64 state of the physics; write into it to set it. */
  readonly state: Float64Array
}

export interface MakeOptions {
  /** Overrides of the task's constants by name. */
  constants?: Readonly<Record<string, ConstantValue>>
}

/**
 * One built-in environment with the interface of Gymnasium:
 *
 *     const env = await make('CartPole-v1')
 *     let { obs } = env.reset({ seed: 7 })
 *     const step = env.step(1)
 *
 * @throws UsageError for an unknown id, an unknown constant, a step before the first reset or after the end, an action outside the space
 */
export async function make(id: string, { constants = {} }: MakeOptions = {}): Promise<MadeEnvironment> {
  const spec = environmentSpec(id).configure?.(constants)
  const core = spec?.core
  if (!core) throw new UsageError(`${id} has no physics in the core.`)
  const values = Object.values(core.constants)
  const size = spec.observationSpace.low.length
  const { ops, at, view } = await createArena(await compileCore(), {
    state: f64(core.stateSize),
    constants: f64(values.length),
    observation: f32(size),
    action: f32(sizeOf(spec.actionSpace)),
    reward: f64(1),
    terminated: u8(1),
  })
  view.constants.set(values)
  let elapsed = -1

  const observe = () => {
    ops.observeEnvironment(core.kind, at.observation, at.state, 1)
    return view.observation.slice()
  }
  return {
    spec,
    state: view.state,
    reset({ seed }) {
      const { lo, hi } = splitSeed(seed)
      ops.resetEnvironment(core.kind, at.state, at.constants, lo, hi)
      elapsed = 0
      return { obs: observe(), info: {} }
    },
    step(action) {
      if (elapsed < 0) throw new UsageError(`${id}: call reset before step; there is no running episode.`)
      writeAction(view.action, spec, action)
      ops.stepEnvironment(core.kind, at.state, at.constants, at.action, at.reward, at.terminated, 1)
      elapsed++
      const terminated = view.terminated[0] === 1
      const truncated = elapsed >= spec.maxEpisodeSteps
      if (terminated || truncated) elapsed = -1
      return { obs: observe(), reward: view.reward[0], terminated, truncated, info: {} }
    },
  }
}

function writeAction(out: Float32Array, { id, actionSpace }: EnvironmentSpec, action: Action): void {
  if (actionSpace.kind === 'discrete') {
    if (!Number.isInteger(action) || Number(action) < 0 || Number(action) >= actionSpace.n)
      throw new UsageError(`${id}: an action is a whole number from 0 to ${actionSpace.n - 1}, got ${show(action)}.`)
    out[0] = Number(action)
  } else {
    const values = typeof action === 'number' ? [action] : Array.from(action)
    if (values.length !== out.length || !values.every(Number.isFinite))
      throw new UsageError(`${id}: an action is ${out.length} finite numbers, got ${show(values)}.`)
    out.set(values)
  }
}
