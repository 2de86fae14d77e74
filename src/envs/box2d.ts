import { show, UsageError } from '../core/errors.ts'
import { generator, uniform, uniformInteger } from '../core/generator.ts'
import { type CoreSource, compileCore } from '../core/module.ts'
import { isRecord, requireThat } from '../core/require.ts'
import { bipedalWalker, bipedalWalkerHardcore } from './box2d/bipedal-walker.ts'
import { importPlanck, type PlanckImport, startPlanck } from './box2d/engine.ts'
import { lunarLander, lunarLanderContinuous } from './box2d/lunar-lander.ts'
import { roundsIn } from './box2d/rounds.ts'
import type { Draws, Episode, Task, Tools } from './box2d/task.ts'
import type { Environment, EnvironmentSpec } from './contract.ts'
import { checkAction, takenActions } from './errors.ts'
import { changedFrom, settle } from './settle.ts'

const tasks = {
  'LunarLander-v3': lunarLander,
  'LunarLanderContinuous-v3': lunarLanderContinuous,
  'BipedalWalker-v3': bipedalWalker,
  'BipedalWalkerHardcore-v3': bipedalWalkerHardcore,
} as const

/** The Box2D tasks by their names in Gymnasium. */
export type Box2dId = keyof typeof tasks

/** The tasks that `box2d` makes. */
export const box2dIds = Object.keys(tasks) as readonly Box2dId[]

/** Whether a name is that of one of the Box2D tasks. */
export const isBox2dId = (id: string): id is Box2dId => typeof id === 'string' && Object.hasOwn(tasks, id)

/** Gymnasium's options of the task, and where physics and sines come from. */
export type Box2dOptions<Id extends Box2dId = Box2dId> = Partial<(typeof tasks)[Id]['defaults']> & {
  /** Imports planck, the port of Box2D. Default: the package planck. */
  readonly load?: PlanckImport
  /** The core, for sines and impulses. Default: the steinrl.wasm of this package. */
  readonly core?: CoreSource
}

/**
 * A Box2D task with Gymnasium's rules, on planck:
 *
 *     const lander = await box2d('LunarLander-v3', { enableWind: true })
 *     const env = lander.create()
 *     let { obs } = env.reset({ seed: 7 })
 *     const { reward, terminated } = env.step(2)
 *
 * @throws UsageError for an unknown id or option, a value that is not allowed, and when the package planck is not
 *   installed, or was loaded before by something else
 */
export async function box2d<Id extends Box2dId>(id: Id, options: Box2dOptions<Id> = {}): Promise<EnvironmentSpec> {
  if (!isBox2dId(id)) throw new UsageError(`Unknown Box2D task ${show(id)}; there are ${box2dIds.join(', ')}.`)
  requireThat(isRecord(options), 'box2d', 'its options as an object', options)
  const { load = importPlanck, core, ...given } = options
  // Each task's rules read its own options, which `settle` makes from its own defaults.
  const task = tasks[id] as unknown as Task<object>
  const settled = settle(task, task.defaults, given)
  const rounds = roundsIn(await compileCore(core))
  const { ops } = rounds.arena
  return specOf(task, settled, { planck: await startPlanck(load, ops), ops, rounds })
}

function specOf(task: Task<object>, options: object, tools: Tools): EnvironmentSpec {
  const { id, maxEpisodeSteps, rewardThreshold, observationSpace } = task
  const actionSpace = task.actionSpace(options)
  const described = { id, observationSpace, actionSpace, clipsActions: true, maxEpisodeSteps, rewardThreshold }
  return {
    ...described,
    made: { from: described, by: { constants: changedFrom(task.defaults, options) } },
    create: () => instance(described, (draws) => task.start(tools, options, draws)),
    configure: (more) => specOf(task, settle(task, options, more), tools),
    render: task.scene,
  }
}

function instance(spec: EnvironmentSpec, start: (draws: Draws) => Episode): Environment {
  const { id } = spec
  const taken = takenActions(spec)
  let episode: Episode | undefined
  let over = true
  return {
    get state() {
      return episode?.shown() ?? []
    },
    reset({ seed }) {
      const random = generator(seed)
      episode?.end()
      episode = undefined
      episode = start({
        uniform: (low, high) => low + (high - low) * uniform(random),
        integer: (low, high) => low + uniformInteger(random, high - low),
      })
      over = false
      return { obs: episode.obs, info: {} }
    },
    step(action) {
      if (!episode || over) throw new UsageError(`${id}: call reset before step; there is no running episode.`)
      checkAction(id, taken, action)
      const step = episode.step(action)
      over = step.terminated
      return step
    },
  }
}
