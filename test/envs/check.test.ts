import { describe, expect, test } from '@jest/globals'
import { checkEnvironment, problemsOf } from '../../src/envs/check.ts'
import type { Environment, EnvironmentSpec, Step } from '../../src/envs/contract.ts'
import { environments } from '../../src/envs/registry.ts'
import { box, discrete } from '../../src/envs/spaces.ts'
import { broken, echo, walk } from './tasks.ts'

const still = { reward: 0, terminated: false, truncated: false, info: {} }

/** A task that counts its steps and does what the functions say. */
function counter(task: Partial<Environment>, spec: Partial<EnvironmentSpec> = {}): EnvironmentSpec {
  return {
    id: 'Counter',
    observationSpace: box([-100], [100]),
    actionSpace: discrete(2),
    maxEpisodeSteps: 10,
    create: () => ({ reset: () => ({ obs: [0], info: {} }), step: () => ({ obs: [0], ...still }), ...task }),
    ...spec,
  }
}

/** Ends after `steps` steps as the flags say. */
function ending(steps: number, flags: Partial<Step>, maxEpisodeSteps = 10): EnvironmentSpec {
  let t = 0
  const reset = () => {
    t = 0
    return { obs: [0], info: {} }
  }
  return counter({ reset, step: () => ({ obs: [0], ...still, ...(++t === steps ? flags : {}) }) }, { maxEpisodeSteps })
}

describe('nothing is wrong with', () => {
  test.each([
    ...Object.keys(environments),
    walk,
    echo,
    counter({}),
    ending(10, { truncated: true }),
    ending(3, { terminated: true }),
  ])('%p', async (task) => expect(await problemsOf(task)).toEqual([]))
})

test('all that is wrong is thrown, a line for each', async () => {
  const wrong = { ...walk, maxEpisodeSteps: 0, actionSpace: { kind: 'discrete' as const, n: 0 } }
  await expect(checkEnvironment(wrong)).rejects.toThrow(
    'Walk: n of its actionSpace must be a whole number from 1 to 10000000, got 0.\nWalk: maxEpisodeSteps, the time limit, must be a whole number from 1 to 1000000, got 0.',
  )
  await expect(checkEnvironment(walk)).resolves.toBeUndefined()
})

describe('the description', () => {
  test.each([
    [{ id: '' }, 'An environment without an id: its id must be a text, got "".'],
    [
      { observationSpace: discrete(2) as never },
      'Walk: its observationSpace must be a box, got {"kind":"discrete","n":2}; flattenObservation() makes one of it.',
    ],
    [
      { actionSpace: undefined as never },
      'Walk: its actionSpace must be a box, discrete, multi-discrete or multi-binary, got undefined.',
    ],
    [
      { actionSpace: { kind: 'discrete' as const, n: 1.5 } },
      'Walk: n of its actionSpace must be a whole number from 1 to 10000000, got 1.5.',
    ],
    [
      { observationSpace: { kind: 'box' as const, low: [0], high: [1, 1] } },
      'Walk: low and high of its observationSpace must have the same length of at least 1, got 1 and 2.',
    ],
    [{ observationSpace: { kind: 'box' as const, low: [], high: [] } }, 'of at least 1, got 0 and 0.'],
    [
      { actionSpace: { kind: 'box' as const, low: [0, 2], high: [1, 1] } },
      'Walk: its actionSpace must have low <= high, got 2 and 1 at 1.',
    ],
    [{ actionSpace: { kind: 'box' as const, low: [Number.NaN], high: [1] } }, 'got NaN and 1 at 0.'],
    [
      { maxEpisodeSteps: Infinity },
      'Walk: maxEpisodeSteps, the time limit, must be a whole number from 1 to 1000000, got Infinity.',
    ],
    [{ create: undefined }, 'Walk: create must be a function, got undefined.'],
    [
      { create: class Mine {} as never },
      'Walk: create is the class Mine, which must be made with new: write create: () => new Mine().',
    ],
    [{ configure: 5 as never }, 'Walk: its configure must be a function, got 5.'],
    [{ core: environments['CartPole-v1'].core }, 'Walk: it has both core and create; exactly one of them is allowed.'],
    [{ rewardTreshold: 3 }, 'Walk: it has no option "rewardTreshold"; the nearest is rewardThreshold.'],
    [{ max_episode_steps: 3 }, 'Walk: it has no option "max_episode_steps": it is called maxEpisodeSteps here.'],
    [
      { create: () => ({ reset: () => ({ obs: [0], info: {} }) }) as never },
      'Walk: create must give an object with a function step.',
    ],
  ])('%j', async (change, message) => {
    const [problem] = await problemsOf({ ...walk, ...change })
    expect(problem).toContain(message)
  })
})

describe('what reset and step give', () => {
  test.each([
    ['reset gave undefined; an object is needed', { reset: () => undefined }],
    [
      'reset gave the observation [1, 2]; an observation is 1 numbers',
      { reset: (r: object) => ({ ...r, obs: [1, 2] }) },
    ],
    [
      'reset gave the observation [NaN]; an observation is finite',
      { reset: (r: object) => ({ ...r, obs: [Number.NaN] }) },
    ],
    [
      'reset gave the observation [4]; its space is 1 finite number from -3 to 3',
      { reset: (r: object) => ({ ...r, obs: [4] }) },
    ],
    ['reset gave the info undefined; info is an object', { reset: (r: object) => ({ ...r, info: undefined }) }],
    [
      'step 2 gave the observation [-3.5]; its space is',
      { step: (r: object, t: number) => (t < 2 ? r : { ...r, obs: [-3.5] }) },
    ],
    ['step 1 gave the reward Infinity; a reward must be finite', { step: (r: object) => ({ ...r, reward: Infinity }) }],
    [
      'step 1 gave the reward undefined; a reward must be finite',
      { step: (r: object) => ({ ...r, reward: undefined }) },
    ],
    ['step 1 gave terminated 0; it must be true or false', { step: (r: object) => ({ ...r, terminated: 0 }) }],
    [
      'step 1 gave truncated undefined; it must be true or false',
      { step: (r: object) => ({ ...r, truncated: undefined }) },
    ],
  ])('%s', async (message, answer) => {
    const [problem] = await problemsOf(broken(answer))
    expect(problem).toContain(`Broken: seed 0, ${message}`)
  })

  test('an error', async () => {
    const step = () => {
      throw new Error('no such room')
    }
    expect((await problemsOf(counter({ step })))[0]).toBe('Counter: seed 0, step 1 threw "no such room".')
  })
})

describe('an episode follows from its seed', () => {
  test('not from another source of numbers', async () => {
    const step = () => ({ obs: [Math.random()], ...still })
    expect((await problemsOf(counter({ step })))[0]).toBe(
      'Counter: seed 0, step 1 is not what it was before, in a new instance.',
    )
  })

  test('its end neither', async () => {
    let instances = 0
    const create = () => {
      const length = ++instances > 1 ? 3 : 2
      let t = 0
      const reset = () => {
        t = 0
        return { obs: [0], info: {} }
      }
      return { reset, step: () => ({ obs: [0], ...still, terminated: ++t === length }) }
    }
    expect((await problemsOf(counter({}, { create })))[0]).toBe(
      'Counter: seed 0, step 2 is not what it was before, in a new instance.',
    )
  })

  test('not from what was played before', async () => {
    const create = () => {
      let episodes = 0
      const reset = () => ({ obs: [episodes++], info: {} })
      return { reset, step: () => ({ obs: [0], ...still }) }
    }
    // The first seed is the first episode of a new instance too, and is given away by the instance that was used.
    expect((await problemsOf(counter({}, { create })))[0]).toBe(
      'Counter: seed 0, reset is not what it was before, in an instance that has played other episodes.',
    )
  })

  test('not from a reset in the middle that forgets to start anew', async () => {
    const create = () => {
      let t = 0
      let sum = 0
      return {
        reset() {
          // Only an episode that ended has put the sum back.
          t = 0
          return { obs: [sum], info: {} }
        },
        step() {
          sum++
          const terminated = ++t === 4
          if (terminated) sum = 0
          return { obs: [sum], ...still, terminated }
        },
      }
    }
    expect((await problemsOf(counter({}, { create })))[0]).toBe(
      'Counter: seed 0, reset is not what it was before, after a reset in the middle of an episode.',
    )
  })

  test('large seeds too', async () => {
    const reset = ({ seed }: { seed: number }) => ({ obs: [seed > 2 ** 32 ? Number.NaN : 0], info: {} })
    expect((await problemsOf(counter({ reset })))[0]).toContain(
      'seed 9007199254740991, reset gave the observation [NaN]',
    )
  })

  test('reset works after the end', async () => {
    const create = () => {
      let over = false
      const reset = () => {
        if (over) throw new Error('it is over')
        return { obs: [0], info: {} }
      }
      const step = () => {
        over = true
        return { obs: [0], ...still, terminated: true }
      }
      return { reset, step }
    }
    expect((await problemsOf(counter({}, { create })))[0]).toBe('Counter: seed 1, reset threw "it is over".')
  })
})

describe('ends and maxEpisodeSteps', () => {
  test.each([
    [
      ending(4, { truncated: true }),
      'Counter: step 4 is truncated in every episode, but maxEpisodeSteps is 10; they must agree.',
    ],
    [
      ending(10, { terminated: true }),
      'Counter: step 10, the last that maxEpisodeSteps allows, is terminated in every episode; a time limit is truncated.',
    ],
  ])('%#', async (task, message) => expect(await problemsOf(task)).toEqual([message]))
})

describe('states and pictures', () => {
  test('setState goes back', async () => {
    let x = 0
    const task = {
      reset() {
        x = 0
        return { obs: [0], info: {} }
      },
      step: () => ({ obs: [++x], ...still }),
      getState: () => x,
      setState: () => {},
    }
    expect(await problemsOf(counter(task))).toEqual(['Counter: step 4 differs after setState(getState()) at step 3.'])
    expect(await problemsOf(counter({ getState: () => 0 }))).toEqual([
      'Counter: getState and setState belong together, got one of them.',
    ])
  })

  test('render draws a state that is shown', async () => {
    const render = (state: ArrayLike<number>) =>
      ({ view: [0, 0, 1, 1], shapes: [{ kind: 'circle', at: [state[1], 0], radius: 1, fill: '#000' }] }) as const
    expect(await problemsOf(counter({ state: [1, 2] }, { render }))).toEqual([])
    expect(await problemsOf(counter({ state: [1] }, { render }))).toEqual([
      'Counter: render gave no picture after reset: drawing takes shapes as line, polygon, circle and text give, ' +
        'got {"kind":"circle","at":[null,0],"radius":1,"fill":"#000"}.',
    ])
    expect(await problemsOf(counter({}, { render }))).toEqual([
      'Counter: it has render, but its instances show no state.',
    ])
  })
})

describe('what users of Gymnasium write', () => {
  test('bounds that are numbers, and actions that begin elsewhere', async () => {
    expect(() => box(-1 as never, 1 as never)).toThrow('of the same length, as in box([-1], [1]), got [-1, 1].')
    const scalar = { ...walk, observationSpace: { kind: 'box', low: -1, high: 1 } as never }
    expect(await problemsOf(scalar)).toEqual([
      'Walk: low and high of its observationSpace must be lists of numbers, as in box([-1], [1]), got -1 and 1.',
    ])
    const later = { ...walk, actionSpace: { kind: 'discrete', n: 2, start: 1 } as EnvironmentSpec['actionSpace'] }
    expect(await problemsOf(later)).toEqual(['Walk: its actionSpace starts at 1; actions are counted from 0 here.'])
  })

  test('a reset that is wrong for every seed is told once, a promise as what it is', async () => {
    expect(await problemsOf(broken({ reset: (result) => ({ ...result, obs: [0, 0] }) }))).toHaveLength(1)
    const promised = await problemsOf(broken({ reset: (result) => Promise.resolve(result) }))
    expect(promised).toEqual([
      'Broken: seed 0, reset gave a promise; create, reset and step must give their results at once.',
    ])
  })

  test('what render throws is a problem of the task', async () => {
    const render = () => {
      throw new Error('no picture')
    }
    expect(await problemsOf({ ...walk, render })).toEqual(['Walk: render threw "no picture".'])
  })
})
