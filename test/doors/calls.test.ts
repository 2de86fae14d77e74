import { beforeAll, describe, expect, test } from '@jest/globals'
import * as algorithms from '../../src/algorithms.ts'
import * as bayes from '../../src/bayes.ts'
import * as cluster from '../../src/cluster.ts'
import { isExpected } from '../../src/core/errors.ts'
import * as envs from '../../src/envs.ts'
import * as all from '../../src/index.ts'
import * as policy from '../../src/policy/index.ts'
import * as render from '../../src/render.ts'
import * as svgd from '../../src/svgd.ts'
import * as sweeps from '../../src/sweeps.ts'
import * as tools from '../../src/tools.ts'
import { algorithmCalls, type Call, calls, densityCalls, folder } from './calls.ts'
import { values } from './values.ts'

/** Public functions that are in no table, and why. */
const APART: Readonly<Record<string, string>> = {
  UsageError: 'is what is thrown',
  RunError: 'is what is thrown',
}
const OF_STATES = ['step', 'evaluate', 'move', 'measure', 'agents', 'save', 'kernel', 'visited', 'parts', 'close']

// Texts are names of files too.
beforeAll(() => process.chdir(folder))

const isOfState = (name: string) => OF_STATES.includes(name.split('.')[1] ?? '')
const ofStates = Object.entries(algorithmCalls()).filter(([name]) => isOfState(name))

test('every public function of every entry is in the table', () => {
  const entries = { all, algorithms, bayes, cluster, envs, policy, render, svgd, sweeps, tools }
  const functions = Object.values(entries).flatMap((entry) =>
    Object.entries(entry).flatMap(([name, value]) => (typeof value === 'function' ? [name] : [])),
  )
  expect(functions.length).toBeGreaterThan(150)
  expect(functions.filter((name) => !(name in calls) && !(name in APART))).toEqual([])
})

/** What a call with these arguments throws or rejects with; null where it takes them. */
async function refusalOf({ f, after }: Call, args: readonly unknown[]): Promise<unknown> {
  try {
    const result = await f(...(args as never[]))
    await after?.(result, args)
    return null
  } catch (error) {
    return error
  }
}

const isSentence = (error: unknown) => error === null || (isExpected(error) && /[.)]$/.test(error.message))

test.each(ofStates)('%s refuses what is no state', async (name, { f }) => {
  for (const [what, make] of Object.entries(values)) {
    const error = await refusalOf({ f, args: () => [] }, [make()])
    expect([name, what, error !== null && isSentence(error) ? 'fine' : error]).toEqual([name, what, 'fine'])
  }
})

describe('whichever argument it is', () => {
  test.each(Object.entries({ ...calls, ...densityCalls() }))(
    '%s refuses what is none in a sentence',
    async (name, call) => {
      const count = (await call.args()).length
      for (let k = 0; k < count; k++) {
        for (const [what, make] of Object.entries(values)) {
          const args = await call.args()
          args[k] = make()
          const error = await refusalOf(call, args)
          expect([name, k, what, isSentence(error) ? 'fine' : error]).toEqual([name, k, what, 'fine'])
        }
      }
    },
  )
})
