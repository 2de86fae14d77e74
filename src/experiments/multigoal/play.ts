import * as v from 'valibot'
import { type CoreModule, compileCore } from '../../core/module.ts'
import type { EnvironmentSpec } from '../../envs/contract.ts'
import { goalReached, goalsOf } from '../../envs/multigoal.ts'
import type { Evaluation } from '../../report/metrics.ts'
import { type Agents, arePolicies, type DrawingAgents, type PolicyAgents } from '../../rl/agents.ts'
import { playEpisodes } from '../../rl/play.ts'

/** Where sampled episodes of a multi-goal task end, and the agents' values of actions in some states. */
export interface Goals {
  /** [agents] */
  readonly agents: readonly AgentGoals[]
  /** [goals] where they are, and how near is there. */
  readonly places: readonly (readonly [number, number])[]
  readonly radius: number
  readonly limit: number
}

export interface AgentGoals {
  /** [goals] episodes that ended at each, then those that ended at none. */
  readonly counts: readonly number[]
  /** [episodes][steps + 1] positions of some of them. */
  readonly trajectories: readonly (readonly (readonly [number, number])[])[]
  /** In the states of the soft Q-learning paper's figure 3; none where the agents do not tell values. */
  readonly actionValues: readonly ActionValues[]
}

/** Q(s, ·) over the box of actions, and actions that are drawn there, both in [−1, 1]². */
export interface ActionValues {
  readonly state: readonly [number, number]
  /** [CELLS][CELLS], rows along the second coordinate. */
  readonly values: readonly (readonly number[])[]
  readonly actions: readonly (readonly [number, number])[]
}

const EPISODES = 100
const DRAWN = 40
const CELLS = 21
const ACTIONS = 60
const STATES = [
  [-2.5, 0],
  [0, 0],
  [2.5, 2.5],
] as const

/** Of each policy of a population, and how many of them are drawn. */
const POLICY_EPISODES = 20
const POLICY_DRAWN = 5

/**
 * Plays sampled episodes with every agent. The policies of a population are one agent together: what counts is which
 * goals some of them keep.
 *
 * @returns null for a task without goals
 */
export async function playGoals(spec: EnvironmentSpec, agents: Agents, seed: number): Promise<Goals | null> {
  const constants = spec.core?.constants ?? {}
  if (!Object.hasOwn(constants, 'goal0X')) return null
  const places = goalsOf(constants)
  const module = await compileCore()
  const where = { places, radius: constants.goalThreshold, limit: constants.positionLimit }
  if (arePolicies(agents)) return { ...where, agents: [await together(module, spec, agents, seed)] }
  const all: AgentGoals[] = []
  for (let particle = 0; particle < agents.particles; particle++)
    all.push({
      ...(await endsOf(module, spec, agents, { particle, seed, episodes: EPISODES, drawn: DRAWN })),
      actionValues: agents.value ? STATES.map((state) => actionValuesAt(agents, particle, state, seed)) : [],
    })
  return { ...where, agents: all }
}

/** The ends of all policies added up, and some trajectories of each. */
async function together(
  module: CoreModule,
  spec: EnvironmentSpec,
  agents: PolicyAgents,
  seed: number,
): Promise<AgentGoals> {
  const each: Awaited<ReturnType<typeof endsOf>>[] = []
  for (let particle = 0; particle < agents.particles; particle++)
    each.push(await endsOf(module, spec, agents, { particle, seed, episodes: POLICY_EPISODES, drawn: POLICY_DRAWN }))
  return {
    counts: each[0].counts.map((_, g) => each.reduce((sum, { counts }) => sum + counts[g], 0)),
    trajectories: each.flatMap(({ trajectories }) => trajectories).slice(0, DRAWN),
    actionValues: [],
  }
}

interface Played {
  readonly particle: number
  readonly seed: number
  readonly episodes: number
  /** Of how many the trajectories are kept. */
  readonly drawn: number
}

async function endsOf(
  module: CoreModule,
  spec: EnvironmentSpec,
  agents: Agents,
  { particle, seed, episodes, drawn: shown }: Played,
) {
  const constants = spec.core?.constants ?? {}
  const counts: number[] = Array(goalsOf(constants).length + 1).fill(0)
  const trajectories: [number, number][][] = Array.from({ length: episodes }, () => [])
  const request = { spec, agents, particle, greedy: false, episodes, seed }
  await playEpisodes(module, request, (episode, { 0: x, 1: y }, step) => {
    trajectories[episode].push([x, y])
    if (!step?.terminated && !step?.truncated) return
    const goal = step.terminated ? goalReached(constants, x, y) : -1
    counts[goal < 0 ? counts.length - 1 : goal]++
  })
  const rounded = (x: number) => Number(x.toFixed(2))
  const drawn = trajectories.slice(0, shown).map((all) => all.map(([x, y]) => [rounded(x), rounded(y)] as const))
  return { counts, trajectories: drawn }
}

function actionValuesAt(
  agents: DrawingAgents,
  particle: number,
  state: readonly [number, number],
  seed: number,
): ActionValues {
  const grid = Array.from({ length: CELLS }, (_, k) => (2 * k) / (CELLS - 1) - 1)
  const cells = Float32Array.from(grid.flatMap((y) => grid.flatMap((x) => [x, y])))
  const states = (rows: number) => Float32Array.from({ length: 2 * rows }, (_, k) => state[k % 2])
  const values = (agents.value as NonNullable<DrawingAgents['value']>)(particle, states(CELLS * CELLS), cells)
  const actions = agents.actRows(states(ACTIONS), { particle, greedy: false, seed })
  const rounded = (x: number) => Number(x.toPrecision(4))
  return {
    state,
    values: grid.map((_, row) => grid.map((_, c) => rounded(values[row * CELLS + c]))),
    actions: Array.from({ length: ACTIONS }, (_, k) => [rounded(actions[2 * k]), rounded(actions[2 * k + 1])]),
  }
}

/**
 * What a run comes to, of the last of its agents or of all policies together:
 *
 *     goals        how many goals at least one sampled episode in twenty ends at
 *     goalsMissed  share of the episodes that end at none
 *     goal0 …      share of those that end at each
 */
export function goalMeasures(goals: Goals | null | undefined): Record<string, number> {
  if (!goals) return {}
  const { counts } = goals.agents[goals.agents.length - 1]
  const all = counts.reduce((sum, count) => sum + count, 0)
  const shares = counts.map((count) => count / all)
  const missed = shares[shares.length - 1]
  return {
    goals: shares.slice(0, -1).filter((share) => share >= 0.05).length,
    goalsMissed: missed,
    ...Object.fromEntries(shares.slice(0, -1).map((share, g) => [`goal${g}`, share])),
  }
}

const place = v.tuple([v.number(), v.number()])
const goalsInFile = v.object({
  agents: v.pipe(
    v.array(
      v.object({
        counts: v.array(v.number()),
        trajectories: v.array(v.array(place)),
        actionValues: v.array(
          v.object({ state: place, values: v.array(v.array(v.number())), actions: v.array(place) }),
        ),
      }),
    ),
    v.minLength(1),
  ),
  places: v.array(place),
  radius: v.number(),
  limit: v.number(),
})

/** Where the episodes of an evaluation ended, of a task with goals; undefined where a file says it otherwise. */
export function playedGoals(evaluation: Evaluation | undefined): Goals | undefined {
  const { success, output } = v.safeParse(goalsInFile, evaluation?.extras?.goals)
  return success && output.agents.every(({ counts }) => counts.length === output.places.length + 1) ? output : undefined
}
