import { createArena, f32, f64, u8 } from '../../src/core/arena.ts'
import { compileCore } from '../../src/core/module.ts'
import { splitSeed } from '../../src/core/random.ts'
import type { EnvironmentSpec } from '../../src/envs/contract.ts'
import { sizeOf } from '../../src/envs/spaces.ts'

/** Rows of a task of the core, stepped together: what its ops read and write, in typed arrays. */
export async function coreRows(spec: EnvironmentSpec, rows: number) {
  const { kind, stateSize, constants } = spec.core as NonNullable<EnvironmentSpec['core']>
  const values = Object.values(constants)
  const actions = sizeOf(spec.actionSpace)
  const { ops, at, view } = await createArena(await compileCore(), {
    state: f64(rows, stateSize),
    constants: f64(values.length),
    observation: f32(rows, sizeOf(spec.observationSpace)),
    action: f32(rows, actions),
    reward: f64(rows),
    terminated: u8(rows),
  })
  view.constants.set(values)
  return {
    view,
    constants,
    /** Starts row r from seed + r. */
    reset(seed: number) {
      for (let r = 0; r < rows; r++) {
        const { lo, hi } = splitSeed(seed + r)
        ops.resetEnvironment(kind, at.state + r * stateSize * 8, at.constants, lo, hi)
      }
    },
    step(count = rows) {
      ops.stepEnvironment(kind, at.state, at.constants, at.action, at.reward, at.terminated, count)
    },
    observe(count = rows) {
      ops.observeEnvironment(kind, at.observation, at.state, count)
    },
    stateOf: (r: number) => [...view.state.subarray(r * stateSize, (r + 1) * stateSize)],
    /** Actions uniform in the space, ± 1 where it has no bound; the same for the same time. */
    act(time: number) {
      const { lo, hi } = splitSeed(9)
      ops.fillUniform(at.action, rows * actions, lo, hi, 6, 0, 0, time)
      view.action.forEach((u, k) => {
        if (spec.actionSpace.kind === 'discrete') view.action[k] = Math.floor(u * spec.actionSpace.n)
        else {
          const low = Math.max(spec.actionSpace.low[k % actions], -1e6)
          const high = Math.min(spec.actionSpace.high[k % actions], 1e6)
          view.action[k] = low < -1e5 || high > 1e5 ? 2 * u - 1 : low + u * (high - low)
        }
      })
    },
  }
}

/** Kolmogorov and Smirnov's distance of a sample from a distribution, times √n: above 1.95 once in a thousand times. */
export function kolmogorov(sample: readonly number[], cdf: (value: number) => number): number {
  const sorted = [...sample].sort((a, b) => a - b)
  const n = sorted.length
  const gaps = sorted.map((value, i) => Math.max((i + 1) / n - cdf(value), cdf(value) - i / n))
  return Math.sqrt(n) * Math.max(...gaps)
}
