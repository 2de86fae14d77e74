import { type Closable, closable, closeAll } from '../core/disposable.ts'
import { UsageError } from '../core/errors.ts'
import { deriveSeed } from '../core/generator.ts'
import { compileCore } from '../core/module.ts'
import { refuseUnknown } from '../core/options.ts'
import { ofUser } from '../core/own-code.ts'
import { Purpose } from '../core/random.ts'
import { requireNumbers, requireThat } from '../core/require.ts'
import { check, seedSchema, wholeNumber } from '../core/schemas.ts'
import { MAKE_OPTIONS, type MakeOptions } from './configured.ts'
import type { Environment, EnvironmentSpec, Reset, Step } from './contract.ts'
import { episodeCounters, namingRow, openEpisodes, startEpisode, stepEpisode } from './episodes.ts'
import { checkAction, closedError, takenActions } from './errors.ts'
import { instances } from './instances.ts'
import { taskNamed } from './named.ts'
import type { Scene } from './render.ts'
import type { Action } from './spaces.ts'

/** A single environment that is checked, ends at its time limit, and whose whole state can be read and written. */
export interface MadeEnvironment extends Closable {
  readonly spec: EnvironmentSpec
  /**
   * The float64 state of the physics. Where it is in the core: write into it to set it. Empty for a task that does not
   * show one.
   */
  readonly state: Float64Array
  /** Starts an episode. Without a seed it is the next of those that follow from the last seed given, or from 0. */
  reset(options?: { seed?: number }): Reset & { readonly obs: Float32Array }
  step(action: Action): Step & { readonly obs: Float32Array }
  /** All that the future depends on, as plain data that can be written as JSON. */
  getState(): MadeState
  setState(state: MadeState): void
  /** A picture of the state now; see drawSvg and drawCanvas. */
  render(): Scene
  /**
   * Closes the task; after that it neither resets nor steps. `using` does it where the runtime knows Symbol.dispose.
   */
  close(): void
}

/** Where an environment that make() gave is: what setState() takes back. */
export interface MadeState {
  /** The seed last given, and the number of resets since. */
  readonly seed: number
  readonly episode: number
  /** Steps of the running or last episode; −1 before the first reset. */
  readonly elapsed: number
  /** Whether it has ended. */
  readonly over: boolean
  /** The task's own state. */
  readonly inner: unknown
}

/**
 * One environment, by its id or of one's own, with the interface of Gymnasium:
 *
 *     const env = await make('CartPole-v1')
 *     let { obs } = env.reset({ seed: 7 })
 *     const { reward, terminated, truncated } = env.step(1)
 *
 * @throws UsageError for an unknown id, an unknown constant, a step before the first reset or after the end, an action
 *   outside the space; RunError when a task in TypeScript gives what its contract does not allow
 */
export async function make(env: string | EnvironmentSpec, options: MakeOptions = {}): Promise<MadeEnvironment> {
  refuseUnknown('make', options, MAKE_OPTIONS)
  const spec = await taskNamed(env, options)
  return checked(spec, instances(spec, await compileCore(options.core), 1))
}

function checked(spec: EnvironmentSpec, create: () => Environment): MadeEnvironment {
  const { id } = spec
  const taken = takenActions(spec)
  const counters = episodeCounters(1)
  const { elapsed } = counters
  const episodes = openEpisodes(
    spec,
    create,
    counters,
    namingRow(() => id),
  )
  const [env] = episodes.instances
  // What the core gives is fresh; what a task gives may be an array that it writes again.
  const own = (obs: ArrayLike<number>) => (spec.core ? (obs as Float32Array) : Float32Array.from(obs))
  const now = { seed: 0, episode: 0, over: false }
  elapsed[0] = -1
  let open = true
  const checkOpen = () => {
    if (!open) throw closedError(id)
  }

  return closable<MadeEnvironment>({
    spec,
    get state() {
      const state = ofUser(`${id}: state`, () => env.state) ?? []
      return state instanceof Float64Array ? state : Float64Array.from(state)
    },
    reset(options = {}) {
      refuseUnknown('reset', options, ['seed'])
      const { seed } = options
      checkOpen()
      if (seed !== undefined) Object.assign(now, { seed: check(seedSchema, seed), episode: 0 })
      const { obs, info } = startEpisode(episodes, 0, seedOf(now))
      now.episode++
      now.over = false
      return { obs: own(obs), info }
    },
    step(action) {
      checkOpen()
      if (now.over || elapsed[0] < 0) throw notRunning(id, elapsed[0])
      checkAction(id, taken, action)
      const step = stepEpisode(episodes, 0, action)
      now.over = step.terminated || step.truncated
      return { ...step, obs: own(step.obs) }
    },
    getState() {
      if (env.getState) return { ...now, elapsed: elapsed[0], inner: ofUser(`${id}: getState`, () => env.getState?.()) }
      throw new UsageError(`${id} has no getState.`)
    },
    setState(state) {
      if (!env.setState) throw new UsageError(`${id} has no setState.`)
      const { inner, elapsed: steps, seed, episode, over } = checkedState(state)
      ofUser(`${id}: setState`, () => env.setState?.(inner))
      elapsed[0] = steps
      Object.assign(now, { seed, episode, over })
    },
    render() {
      const { render } = spec
      if (render) return ofUser(`${id}: render`, () => render(this.state))
      throw new UsageError(`${id} has no render function.`)
    },
    close() {
      if (open) closeAll(episodes.instances)
      open = false
    },
  })
}

/** @throws UsageError for what getState() does not give */
function checkedState(state: MadeState): MadeState {
  requireNumbers('setState', ['seed', 'episode', 'elapsed'], state)
  refuseUnknown('A state', state, ['seed', 'episode', 'elapsed', 'over', 'inner'])
  requireThat(typeof state.over === 'boolean' && 'inner' in state, 'setState', 'what getState() gave', state)
  check(seedSchema, state.seed)
  check(wholeNumber('episode', 0), state.episode)
  check(wholeNumber('elapsed', -1), state.elapsed)
  return state
}

/** The first episode has the seed given, the later ones seeds that follow from it. */
const seedOf = ({ seed, episode }: { seed: number; episode: number }) =>
  episode === 0 ? seed : deriveSeed(seed, Purpose.episode, 0, 0, episode)

const notRunning = (name: string, elapsed: number) =>
  new UsageError(
    elapsed < 0
      ? `${name}: call reset before step; there is no running episode.`
      : `${name}: the episode ended after ${elapsed} steps; call reset before the next step.`,
  )
