import { readFileSync } from 'node:fs'
import { describe, expect, test } from '@jest/globals'
import { Purpose, splitSeed } from '../../src/core/random.ts'
import type { ConstantValue } from '../../src/envs/builtin.ts'
import { configured } from '../../src/envs/configured.ts'
import type { EnvironmentSpec } from '../../src/envs/contract.ts'
import { describeTask, taskFrom } from '../../src/envs/description.ts'
import { make } from '../../src/envs/make.ts'
import { drawSvg } from '../../src/envs/render.ts'
import type { Transitions } from '../../src/envs/transitions.ts'
import { philoxReference } from '../reference/philox.ts'
import { deal, isDriven, outcomeAt, play, redirected, shown } from '../reference/toy-text.ts'

type Constants = Readonly<Record<string, ConstantValue>>

interface Episode {
  readonly start: number | number[]
  /** What the reset drew, and then each step. */
  readonly draws: readonly number[][]
  readonly actions: readonly number[]
  readonly obs: readonly (number | number[])[]
  readonly rewards: readonly number[]
  readonly terminated: readonly boolean[]
}

interface Recorded {
  readonly tasks: Record<string, { maxEpisodeSteps: number | null; rewardThreshold: number | null; actions: number }>
  readonly tables: readonly { id: string; constants: Constants; P: Transitions }[]
  readonly episodes: readonly { id: string; constants: Constants; episodes: readonly Episode[] }[]
}

const recorded: Recorded = JSON.parse(readFileSync(new URL('../golden/tabular.json', import.meta.url), 'utf8'))
const named = <T extends { id: string; constants: Constants }>(all: readonly T[]) =>
  all.map((one) => [`${one.id} ${JSON.stringify(one.constants)}`, one] as const)

const tableOf = ({ transitions }: EnvironmentSpec) => transitions?.() as Transitions

/** Number `draw` of a row of this seed, uniform in [0, 1). */
function uniform(seed: number, draw: number): number {
  const { lo, hi } = splitSeed(seed)
  const [high, low] = philoxReference([0, draw, 0, Purpose.reset], [lo, hi])
  return (Math.floor(high / 32) * 67108864 + Math.floor(low / 64)) / 2 ** 53
}

describe.each(named(recorded.tables))('%s', (_, { id, constants, P }) => {
  const spec = configured(id, { constants })

  test('P is that of Gymnasium', () => {
    expect(tableOf(spec)).toEqual(P)
  })

  test('from every state every action does in the core what P says of the number that is drawn', async () => {
    const env = await make(spec)
    env.reset({ seed: 0 })
    const one = env.getState()
    const draws = P.length < 100 ? 3 : 1
    P.forEach((outcomes, s) => {
      outcomes.forEach((all, a) => {
        for (let draw = 0; draw < draws; draw++) {
          const seed = 2 ** 33 + 7 * s + a
          const { lo, hi } = splitSeed(seed)
          env.setState({ ...one, inner: [s, lo, hi, draw, ...(id === 'Taxi-v4' ? [0] : [])] })
          const step = env.step(a)
          const [, next, reward, terminated] = outcomeAt(all, uniform(seed, draw))
          expect([env.state[0], step.reward, step.terminated]).toEqual([next, reward, terminated])
          expect(step.obs.length).toBe(P.length)
          expect([step.obs[next], step.obs.reduce((a, b) => a + b, 0)]).toEqual([1, 1])
        }
      })
    })
  })

  test('a run directory says what it is made of', async () => {
    const again = await taskFrom(JSON.parse(JSON.stringify(describeTask(spec))))
    expect(again.core).toEqual(spec.core)
    expect(tableOf(again)).toEqual(P)
  })
})

test('limits, thresholds and actions are those of Gymnasium, which has no limit for two of them', () => {
  for (const [id, { maxEpisodeSteps, rewardThreshold, actions }] of Object.entries(recorded.tasks)) {
    const spec = configured(id, {})
    expect(spec.actionSpace).toEqual({ kind: 'discrete', n: actions })
    expect(spec.rewardThreshold ?? null).toBe(rewardThreshold)
    expect(spec.maxEpisodeSteps).toBe(maxEpisodeSteps ?? { 'CliffWalking-v1': 1000, 'Blackjack-v1': 100 }[id])
  }
})

const tabular = named(recorded.episodes.filter(({ id }) => id !== 'Blackjack-v1'))

test.each(tabular)(
  '%s: the episodes of Gymnasium follow from P and what they drew',
  (_, { id, constants, episodes }) => {
    const P = tableOf(configured(id, { constants: constants as Record<string, string> }))
    for (const { start, draws, actions, obs, rewards, terminated } of episodes) {
      // [drawn for the start, and whether the passenger is fickle]
      let isFickle = constants.ficklePassenger === true && draws[0][1] < 0.9
      let s = start as number
      actions.forEach((a, t) => {
        const [u, k] = draws[t + 1]
        const [, next, reward, ends] = outcomeAt(P[s][a], u)
        const turns = isFickle && isDriven(s, next)
        expect(k !== undefined).toBe(turns)
        s = turns ? redirected(next, k) : next
        isFickle &&= !turns
        expect([s, reward, ends]).toEqual([obs[t], rewards[t], terminated[t]])
      })
    }
  },
)

test('Taxi-v4: a fickle passenger changes the destination at the first move with them in the taxi, and then no more', async () => {
  const env = await make('Taxi-v4', { constants: { ficklePassenger: true, fickleProbability: 0.5, isRainy: true } })
  const P = tableOf(env.spec)
  let turned = 0
  for (let seed = 0; seed < 300; seed++) {
    env.reset({ seed })
    let isFickle = uniform(seed, 1) < 0.5
    expect(env.state[4]).toBe(isFickle ? 1 : 0)
    // Begin with the passenger in the taxi.
    const cell = Math.floor(env.state[0] / 20)
    env.state[0] = cell * 20 + 16 + (env.state[0] % 4)
    let [s, draw] = [env.state[0], 2]
    for (let t = 0; t < 6; t++) {
      const a = t % 4
      const [, next] = outcomeAt(P[s][a], uniform(seed, draw++))
      const turns = isFickle && isDriven(s, next)
      s = turns ? redirected(next, Math.floor(3 * uniform(seed, draw++))) : next
      if (turns) turned++
      isFickle &&= !turns
      env.step(a)
      expect(env.state[0]).toBe(s)
    }
  }
  expect(turned).toBeGreaterThan(80)
})

test('Taxi-v4: the 300 starts are each as probable as the others', async () => {
  const env = await make('Taxi-v4')
  const seen = new Map<number, number>()
  for (let seed = 0; seed < 3000; seed++) {
    env.reset({ seed })
    const k = Math.floor(300 * uniform(seed, 0))
    const [cell, place, other] = [Math.floor(k / 12), Math.floor(k / 3) % 4, k % 3]
    expect(env.state[0]).toBe(redirected(cell * 20 + place * 4 + place, other))
    seen.set(env.state[0], (seen.get(env.state[0]) ?? 0) + 1)
  }
  expect(seen.size).toBe(300)
})

test('FrozenLake-v1: a map with several starts begins on each of them', async () => {
  const env = await make('FrozenLake-v1', { constants: { map: 'FSF/HSG/SFF' } })
  const starts = Array.from({ length: 600 }, (_, seed) => {
    env.reset({ seed })
    return env.state[0]
  })
  const counts = [1, 4, 6].map((cell) => starts.filter((start) => start === cell).length)
  expect(counts.reduce((a, b) => a + b)).toBe(600)
  for (const count of counts) expect(Math.abs(count - 200)).toBeLessThan(45)
})

test.each([
  ['SFF/FG', 'the rows of a map have one length'],
  ['SXF/FFG', 'a map is made of S (start), F (ice), H (hole) and G (goal)'],
  ['FFF/FFG', 'a map has a start, S'],
  ['S', 'a map has at least two cells and at most 32 rows and columns'],
  [`${'S'.repeat(33)}`, 'a map has at least two cells and at most 32 rows and columns'],
])('FrozenLake-v1: the map %s is refused', (map, what) => {
  expect(() => configured('FrozenLake-v1', { constants: { map } })).toThrow(
    `FrozenLake-v1: ${what}, as 4x4, 8x8 or "SFFF/FHFH/FFFH/HFFG", got "${map}".`,
  )
})

test.each([
  ['FrozenLake-v1', { successRate: 1.5 }, 'FrozenLake-v1: successRate must be from 0 to 1, got 1.5.'],
  ['Taxi-v4', { fickleProbability: -1 }, 'Taxi-v4: fickleProbability must be from 0 to 1, got -1.'],
  ['FrozenLake-v1', { cell3: 2 }, 'FrozenLake-v1 has no constant "cell3"; it has isSlippery, successRate,'],
])('%s refuses %j', (id, constants, message) => {
  expect(() => configured(id, { constants: constants as unknown as Record<string, number> })).toThrow(message)
})

const tables = named(recorded.episodes.filter(({ id }) => id === 'Blackjack-v1'))

describe.each(tables)('%s', (_, { id, constants, episodes }) => {
  const rules = { suttonBarto: true, natural: false, ...constants } as { suttonBarto: boolean; natural: boolean }

  test('the episodes of Gymnasium follow from the cards that they drew', () => {
    for (const { start, draws, actions, obs, rewards, terminated } of episodes) {
      const drawn = draws.map((all) => all.slice())
      const table = deal(() => drawn[0].shift() as number)
      expect(shown(table)).toEqual(start)
      actions.forEach((a, t) => {
        const { reward, terminated: ends } = play(table, a === 1, rules, () => drawn[t + 1].shift() as number)
        expect([shown(table), reward, ends]).toEqual([obs[t], rewards[t], terminated[t]])
        expect(drawn[t + 1]).toEqual([])
      })
    }
  })

  test('the core plays the same game with the cards that it draws', async () => {
    const env = await make(id, { constants: constants as Record<string, string> })
    const paid = new Map<number, number>()
    for (let seed = 0; seed < 800; seed++) {
      let digits = 0
      // The cards of a step are the digits of its number.
      const next = (step: number) => {
        digits = 13 * uniform(seed, step)
      }
      const draw = () => {
        const digit = Math.floor(digits)
        digits = 13 * (digits - digit)
        return digit
      }
      next(0)
      const seen = (obs: ArrayLike<number>) =>
        [0, 32, 43, 45].slice(0, 3).map((from, k) => Array.from(obs).slice(from, [32, 43, 45][k]).indexOf(1))
      let step = env.reset({ seed })
      const table = deal(draw)
      for (let t = 0, over = false; !over; t++) {
        expect(seen(step.obs)).toEqual(shown(table))
        expect(Array.from(step.obs).reduce((a, b) => a + b)).toBe(3)
        const action = (seed >> t) & 1
        next(t + 1)
        const found = env.step(action)
        const { reward, terminated } = play(table, action === 1, rules, draw)
        expect([found.reward, found.terminated]).toEqual([reward, terminated])
        paid.set(reward, (paid.get(reward) ?? 0) + 1)
        over = terminated
        step = found
      }
    }
    expect([...paid.keys()].sort()).toEqual([-1, 0, 1, ...(rules.natural && !rules.suttonBarto ? [1.5] : [])])
  })
})

test.each(Object.keys(recorded.tasks))('%s has a picture of every state that it goes through', async (id) => {
  const env = await make(id)
  env.reset({ seed: 1 })
  const pictures = Array.from({ length: 3 }, (_, seed) => {
    env.reset({ seed })
    return drawSvg(env.render())
  })
  expect(new Set(pictures).size).toBe(id === 'Taxi-v4' || id === 'Blackjack-v1' ? 3 : 1)
  expect(pictures.every((svg) => !/NaN|undefined/.test(svg))).toBe(true)
})
