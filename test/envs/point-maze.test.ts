import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { make } from '../../src/envs/make.ts'
import { mazeCell, mazeCells, mazeWalls, pointMaze, type Wall, wallConstants } from '../../src/envs/point-maze.ts'
import {
  centre,
  distances,
  isFree,
  type PointMazeTwin,
  shortestRoute,
  stepPointMazeReference,
} from '../reference/point-maze.ts'
import { coreRows, expectRowsAlone, kolmogorov } from './rows.ts'

const constants = pointMaze.core?.constants as Readonly<Record<string, number>>
const walls = mazeWalls(constants)
const { radius, speed } = constants
const env = await make('PointMaze-v0')

/** The same task with other constants. */
const mazeWith = (override: Record<string, number>) => pointMaze.configure?.(override) as typeof pointMaze
const constantsWith = (override: Record<string, number>) => ({ ...constants, ...override })

const component = fc.oneof(fc.constantFrom(-1, 1, 0, -2, 2), fc.float({ min: -1.25, max: 1.25, noNaN: true }))
const action = fc.tuple(component, component)
const coordinate = fc.double({ min: radius, max: 1 - radius, noNaN: true })
/** Anywhere free, or exactly on the side of a wall, a corner included: where a point rests that slides along it. */
const sides = (k: 0 | 1) => walls.flatMap((wall) => [wall[k] - radius, wall[k + 2] + radius])
const resting = (k: 0 | 1) => fc.oneof(coordinate, fc.constantFrom(radius, 1 - radius, ...sides(k)))
const free = fc.tuple(resting(0), resting(1)).filter(([x, y]) => isFree(x, y, walls, radius))

test.each([0.05, 0.06, 0.31])('one step against the twin, at speed %d', async (pace) => {
  const override = { speed: pace }
  const rows = await coreRows(mazeWith(override), 3)
  const twinConstants = constantsWith(override) as unknown as PointMazeTwin
  const ends = new Set<boolean>()
  const aroundGoal = fc.double({ min: -0.1, max: 0.1, noNaN: true })
  const nearGoal = fc
    .tuple(aroundGoal, aroundGoal)
    .map(([x, y]) => [constants.goalX + Math.min(x, 0.07), constants.goalY + y])
  const row = fc.tuple(fc.oneof(free, nearGoal), action)
  fc.assert(
    fc.property(fc.tuple(row, row, row), (drawn) => {
      rows.view.state.set(drawn.flatMap(([position]) => position))
      rows.view.action.set(drawn.flatMap(([, a]) => a))
      rows.step()
      rows.observe()
      drawn.forEach(([position, a], r) => {
        const twin = stepPointMazeReference(position, a, walls, twinConstants)
        expect(rows.stateOf(r)).toEqual(twin.position)
        expect([rows.view.reward[r], rows.view.terminated[r] === 1]).toEqual([twin.reward, twin.terminated])
        expect([...rows.view.observation.subarray(2 * r, 2 * r + 2)]).toEqual(twin.position.map(Math.fround))
        ends.add(twin.terminated)
      })
    }),
    { numRuns: 1500, seed: 2 },
  )
  expect(ends.size).toBe(2)
})

describe('a point never passes a wall', () => {
  /** Whether the straight line between two points meets a rectangle (Liang & Barsky 1984). */
  function meets(from: readonly number[], to: readonly number[], wall: Wall): boolean {
    let enter = 0
    let leave = 1
    for (const k of [0, 1]) {
      const delta = to[k] - from[k]
      if (delta === 0) {
        if (from[k] < wall[k] || from[k] > wall[k + 2]) return false
        continue
      }
      const [a, b] = [(wall[k] - from[k]) / delta, (wall[k + 2] - from[k]) / delta]
      enter = Math.max(enter, Math.min(a, b))
      leave = Math.min(leave, Math.max(a, b))
    }
    return enter <= leave
  }

  test('the test itself sees a passage', () => {
    expect(meets([0.45, 0.2], [0.55, 0.2], [0.5, 0.11, 0.5, 0.25])).toBe(true)
    expect(meets([0.45, 0.09], [0.55, 0.1], [0.5, 0.11, 0.5, 0.25])).toBe(false)
  })

  test('on walks that push, slide, graze and turn at corners', () => {
    // An action is held for some steps, so that walks reach walls and push along them.
    const legs = fc.array(fc.tuple(action, fc.integer({ min: 1, max: 12 })), { minLength: 1, maxLength: 12 })
    let slid = 0
    fc.assert(
      fc.property(free, legs, (start, walk) => {
        env.reset({ seed: 0 })
        env.state.set(start)
        for (const [a, times] of walk) {
          for (let t = 0; t < times; t++) {
            const before = [...env.state]
            if (env.step(a).terminated) return
            const [x, y] = env.state
            const passed = walls.filter((wall) => meets(before, [x, y], wall))
            expect([isFree(x, y, walls, radius), passed]).toEqual([true, []])
            if (Math.abs(a[0]) >= 1 && x === before[0] && y !== before[1]) slid++
          }
        }
      }),
      { numRuns: 200, seed: 3 },
    )
    expect(slid).toBeGreaterThan(100)
  })

  test('at any speed, out of a closed chamber or over a diagonal of touching walls', async () => {
    // Walls that only touch: the radius closes what is between them.
    const chamber: Wall[] = [
      [0.3, 0, 0.3, 0.2],
      [0.3, 0.2, 0.3, 0.3],
      [0.2, 0.3, 0.3, 0.3],
      [0, 0.3, 0.2, 0.3],
    ]
    const stairs: Wall[] = Array.from({ length: 8 }, (_, k) => [0.5 - k / 16, k / 16, 0.5 - k / 16, (k + 1) / 16])
    stairs.push(
      ...Array.from({ length: 8 }, (_, k): Wall => [0.5 - (k + 1) / 16, (k + 1) / 16, 0.5 - k / 16, (k + 1) / 16]),
    )
    for (const closed of [chamber, stairs]) {
      for (const pace of [0.05, 0.2, 1, 3]) {
        const spec = mazeWith({ ...wallConstants(closed), speed: pace, startX: 0.08, startY: 0.08 })
        const rows = await coreRows(spec, 256)
        rows.reset(0)
        for (let t = 0; t < 300; t++) {
          if (t % 3 === 0) rows.act(t)
          rows.view.action.forEach((value, k) => {
            if (t % 7 === 0) rows.view.action[k] = Math.sign(value)
          })
          rows.step()
        }
        for (let r = 0; r < 256; r++) {
          const [x, y] = rows.stateOf(r)
          expect(isFree(x, y, closed, radius)).toBe(true)
          expect(closed === chamber ? Math.max(x, y) : x + y).toBeLessThan(closed === chamber ? 0.3 : 0.6)
        }
      }
    }
  })

  test('in mazes of random walls, at random speeds: only cells that are connected to the start are seen', async () => {
    let seen = 0
    for (let maze = 0; maze < 40; maze++) {
      const draw = generator(maze)
      const random: Wall[] = Array.from({ length: 1 + Math.floor(draw() * 16) }, () => {
        const [x, y, w, h] = [draw() * 0.8 + 0.1, draw(), draw() ** 3, draw() ** 3]
        return [x, y, x + w * Math.round(draw()), y + h]
      })
      random.forEach((wall, w) => {
        if (wall[0] < 0.16 && wall[1] < 0.16) random[w] = [wall[0] + 0.16, wall[1], wall[2] + 0.16, wall[3]]
      })
      const override = { ...wallConstants(random), speed: draw() * 0.5, goalX: 2, startX: 0.1, startY: 0.1 }
      const rows = await coreRows(mazeWith(override), 64)
      const reachable = new Set(mazeCells(constantsWith(override), 10))
      rows.reset(maze * 64)
      for (let t = 0; t < 200; t++) {
        if (t % 4 === 0) rows.act(maze * 200 + t)
        rows.step()
        for (let r = 0; r < 64; r++) {
          const [x, y] = rows.stateOf(r)
          if (!isFree(x, y, random, radius) || !reachable.has(mazeCell(x, y, 10)))
            throw new Error(`${maze}: ${x}, ${y}`)
        }
      }
      seen += reachable.size
    }
    expect(seen).toBeGreaterThan(40 * 10)
    expect(seen).toBeLessThan(40 * 99)
  })
})

describe('routes', () => {
  /** A wall across each of the three corridors. */
  const doors: Readonly<Record<string, Wall>> = {
    bottom: [0.65, 0, 0.65, 0.25],
    middle: [0.5, 0.4, 0.5, 0.6],
    top: [0.5, 0.75, 0.5, 1],
  }
  const n = 100
  const start = [constants.startX, constants.startY]
  const isGoal = (x: number, y: number) => Math.hypot(x - constants.goalX, y - constants.goalY) < constants.goalRadius
  const route = (...closed: string[]) =>
    shortestRoute(start, isGoal, [...walls, ...closed.map((name) => doors[name])], radius, n) / n

  test('three lead to the goal, each without the others, and no fourth', () => {
    expect(route('bottom', 'middle', 'top')).toBeLessThan(0)
    expect(route('middle', 'top')).toBeGreaterThan(0)
    expect(route('bottom', 'top')).toBeGreaterThan(0)
    expect(route('bottom', 'middle')).toBeGreaterThan(0)
  })

  test('their lengths differ: bottom, middle, top', () => {
    const lengths = [route('middle', 'top'), route('bottom', 'top'), route('bottom', 'middle')]
    expect(route()).toBe(lengths[0])
    expect(lengths[1]).toBeGreaterThan(lengths[0] * 1.2)
    expect(lengths[2]).toBeGreaterThan(lengths[1] * 1.2)
    // in steps of full speed along an axis: well within the limit
    expect(lengths[2] / speed).toBeLessThan(pointMaze.maxEpisodeSteps / 3)
  })

  test('closing a corridor of the task itself leaves the others', () => {
    const cells = (...closed: string[]) =>
      mazeCells(constantsWith(wallConstants([...walls, ...closed.map((name) => doors[name])])))
    const goal = mazeCell(constants.goalX, constants.goalY)
    expect(cells('bottom', 'middle')).toContain(goal)
    expect(cells('bottom', 'top')).toContain(goal)
    expect(cells('middle', 'top')).toContain(goal)
    expect(cells('bottom', 'middle', 'top')).not.toContain(goal)
  })

  test('uniform actions find the goal rarely, but they do', async () => {
    const episodes = 8192
    const rows = await coreRows(pointMaze, episodes)
    rows.reset(0)
    const found = new Uint8Array(episodes)
    for (let t = 0; t < pointMaze.maxEpisodeSteps; t++) {
      rows.act(t)
      rows.step()
      rows.view.terminated.forEach((ended, r) => {
        found[r] |= ended
      })
    }
    const rate = found.reduce((sum, ended) => sum + ended, 0) / episodes
    expect(rate).toBeGreaterThan(0.004)
    expect(rate).toBeLessThan(0.01)
  })
})

describe('cells', () => {
  test('are numbered row by row, the border included', () => {
    expect([mazeCell(0, 0), mazeCell(0.06, 0), mazeCell(0, 0.06), mazeCell(1, 1)]).toEqual([0, 1, 20, 399])
    expect(mazeCell(0.5, 0.99, 4)).toBe(14)
  })

  test.each([5, 10, 20, 30])('of a grid of %i that can be reached are those a flood of points finds', (grid) => {
    // Walls lie on hundredths; the points of this grid lie between those.
    const flood = distances([constants.startX, constants.startY], walls, radius, 200)
    const cells = new Set([...flood.keys()].map((place) => mazeCell(...centre(place, 200), grid)))
    expect(mazeCells(constants, grid)).toEqual([...cells].sort((a, b) => a - b))
  })

  test('there are 352 of 400', () => {
    expect(mazeCells(constants)).toHaveLength(352)
  })

  test('behind a closed wall are not counted', () => {
    const half = mazeCells(constantsWith(wallConstants([[0.5, 0, 0.5, 1]])), 10)
    expect(half).toHaveLength(50)
    expect(half.every((cell) => cell % 10 < 5)).toBe(true)
  })
})

describe('the contract', () => {
  test('the start is uniform within ± 0.02 of (0.1, 0.1)', async () => {
    const rows = await coreRows(pointMaze, 4000)
    rows.reset(0)
    const starts = Array.from({ length: 4000 }, (_, r) => rows.stateOf(r))
    for (const k of [0, 1]) {
      const uniform = starts.map((position) => (position[k] - 0.08) / 0.04)
      expect(kolmogorov(uniform, (value) => value)).toBeLessThan(1.95)
      expect(Math.min(...uniform)).toBeGreaterThanOrEqual(-1e-12)
      expect(Math.max(...uniform)).toBeLessThan(1 + 1e-12)
    }
    const correlation = starts.reduce((sum, [x, y]) => sum + (x - 0.1) * (y - 0.1), 0) / 4000 / (0.04 ** 2 / 12)
    expect(Math.abs(correlation)).toBeLessThan(4 / Math.sqrt(4000))
  })

  test('the goal ends the episode with 1, every other step gives 0; a cost of steps is taken from both', async () => {
    for (const stepCost of [0, 0.01]) {
      const made = await make('PointMaze-v0', { constants: { stepCost } })
      made.reset({ seed: 0 })
      made.state.set([0.9, 0.35])
      expect(made.step([0, -0.5])).toMatchObject({ reward: 0 - stepCost, terminated: false })
      expect(made.step([0, -1])).toMatchObject({ reward: 1 - stepCost, terminated: true })
    }
  })

  test('the time limit truncates after 200 steps', () => {
    env.reset({ seed: 0 })
    for (let t = 1; t <= 200; t++) expect(env.step([-1, 1]).truncated).toBe(t === 200)
  })

  test('any number of rows gives the bits of a single one', () =>
    expectRowsAlone(pointMaze, 30, (many, count, round) => {
      if (round === 0) many.reset(count)
      many.act(count * 30 + round)
    }))

  test('every constant can be overridden', async () => {
    const outcome = async (override: Record<string, number>, from?: readonly number[], a = [1, 0.5]) => {
      const made = await make('PointMaze-v0', { constants: override })
      made.reset({ seed: 5 })
      const start = [...made.state]
      if (from) made.state.set(from)
      const { reward, terminated } = made.step(a)
      return JSON.stringify([start, ...made.state, reward, terminated])
    }
    const nearGoal = [constants.goalX - 0.11, constants.goalY]
    const changes: Record<string, [value: number, from?: readonly number[], action?: number[]]> = {
      speed: [0.04],
      radius: [0.02, [0.96, 0.5]],
      startX: [0.12],
      startY: [0.12],
      resetRange: [0.01],
      goalX: [0.95, nearGoal],
      goalY: [0.1, nearGoal],
      goalRadius: [0.05, nearGoal],
      goalReward: [2, nearGoal],
      stepCost: [0.1],
      wallCount: [2, [0.36, 0.1]],
    }
    walls.forEach(([left, bottom, right, top], w) => {
      const [x, y] = [(left + right) / 2, (bottom + top) / 2]
      changes[`wall${w}Left`] = [left - 0.01, [left - 0.05, y], [1, 0]]
      changes[`wall${w}Right`] = [right + 0.01, [right + 0.05, y], [-1, 0]]
      changes[`wall${w}Bottom`] = [bottom - 0.01, [x, bottom - 0.05], [0, 1]]
      changes[`wall${w}Top`] = [top + 0.01, [x, top + 0.05], [0, -1]]
    })
    for (const [name, [value, from, a]] of Object.entries(changes)) {
      if (name.endsWith('Bottom') && constants[name] === 0) continue // the border itself holds there
      expect([name, await outcome({ [name]: value }, from, a)]).not.toEqual([name, await outcome({}, from, a)])
    }
    const spare = Object.keys(constants).filter((name) => !(name in changes))
    expect(spare).toHaveLength(4 * (16 - walls.length))
  })

  test('all sixteen walls can stand', async () => {
    const many: Wall[] = Array.from({ length: 16 }, (_, w) => [0.2, w / 16, 0.2, (w + 1) / 16])
    const made = await make('PointMaze-v0', { constants: wallConstants(many) })
    for (let w = 0; w < 16; w++) {
      made.reset({ seed: 0 })
      made.state.set([0.15, (w + 0.5) / 16])
      made.step([1, 0])
      expect(made.state[0]).toBe(0.2 - radius)
    }
    expect(() => wallConstants([...many, many[0]])).toThrow('A maze has at most 16 walls, got 17.')
  })

  test.each([
    [{ wallCount: 17 }, 'PointMaze-v0: wallCount must be a whole number from 0 to 16, got 17.'],
    [{ wallCount: 1.5 }, 'PointMaze-v0: wallCount must be a whole number from 0 to 16, got 1.5.'],
    [{ wallCount: -1 }, 'PointMaze-v0: wallCount must be a whole number from 0 to 16, got -1.'],
    [{ radius: 0 }, 'PointMaze-v0: radius must be above 0 and below 0.5, got 0.'],
    [{ speed: 4 }, 'PointMaze-v0: speed must be from 0 to 100 radius, got 4.'],
    [{ wall0Left: 0.8 }, 'PointMaze-v0: a wall must have left ≤ right and bottom ≤ top, got [0.8, 0.25, 0.7, 0.4].'],
    [{ startX: 0.01 }, 'PointMaze-v0: the start must lie in the arena, got'],
    [{ startX: 0.5, startY: 0.3 }, 'PointMaze-v0: the start must lie outside the walls, got'],
    [{ speed: Number.NaN }, 'PointMaze-v0: speed must be a finite number, got NaN.'],
  ])('%p is refused', async (override, message) => {
    await expect(make('PointMaze-v0', { constants: override })).rejects.toThrow(message)
  })
})

/** Uniform numbers in [0, 1), good enough to draw mazes (a linear congruential generator). */
function generator(seed: number): () => number {
  let state = (seed * 7919 + 12345) % 2147483647
  return () => {
    state = (state * 48271) % 2147483647
    return state / 2147483647
  }
}
