import { generator, uniform } from '../../src/core/generator.ts'
import type { Environment, EnvironmentSpec, Reset, Step } from '../../src/envs/contract.ts'
import { box, discrete } from '../../src/envs/spaces.ts'

/**
 * A walk on −3 … 3 that slips: right (1) or left (0); ends at 3 with reward 1, costs 0.1 a step. It shows and saves its
 * state.
 */
export const walk: EnvironmentSpec = {
  id: 'Walk',
  observationSpace: box([-3], [3]),
  actionSpace: discrete(2),
  maxEpisodeSteps: 30,
  rewardThreshold: 0.5,
  create: (): Environment => {
    let start = 0
    let random = generator(start)
    let x = 0
    return {
      get state() {
        return [x]
      },
      reset({ seed }) {
        start = seed
        random = generator(start)
        x = Math.floor(uniform(random) * 3) - 1
        return { obs: [x], info: { seed } }
      },
      step(action) {
        const slips = uniform(random) < 0.2
        x = Math.max(-3, x + (action === (slips ? 0 : 1) ? 1 : -1))
        return { obs: [x], reward: x === 3 ? 1 : -0.1, terminated: x === 3, truncated: false, info: { x } }
      },
      getState: () => ({ start, count: random.count, x }),
      setState(state) {
        const saved = state as { start: number; count: number; x: number }
        random = generator(saved.start)
        random.count = saved.count
        x = saved.x
      },
    }
  },
}

/** Pays its action and shows it, moved into [-2, 3]; the state is the sum so far. */
export const echo: EnvironmentSpec = {
  id: 'Echo',
  observationSpace: box([-Infinity], [Infinity]),
  actionSpace: box([-2], [3]),
  maxEpisodeSteps: 10,
  create: (): Environment => {
    let sum = 0
    return {
      get state() {
        return [sum]
      },
      reset() {
        sum = 0
        return { obs: [0], info: {} }
      },
      step(action) {
        const value = (action as ArrayLike<number>)[0]
        sum += value
        return { obs: [value], reward: value, terminated: sum > 100, truncated: false, info: {} }
      },
      getState: () => sum,
      setState(state) {
        sum = state as number
      },
    }
  },
}

/** The walk with one of its answers replaced. */
export function broken(answer: {
  reset?: (result: Reset, seed: number) => unknown
  step?: (result: Step, step: number) => unknown
}): EnvironmentSpec {
  return {
    ...walk,
    id: 'Broken',
    create: (): Environment => {
      const env = (walk.create as () => Environment)()
      let steps = 0
      return {
        reset(options) {
          steps = 0
          const result = env.reset(options)
          return (answer.reset ? answer.reset(result, options.seed) : result) as Reset
        },
        step(action) {
          const result = env.step(action)
          return (answer.step ? answer.step(result, ++steps) : result) as Step
        },
      }
    },
  }
}
