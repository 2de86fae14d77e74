import { existsSync, readFileSync } from 'node:fs'
import { describe, expect, test } from '@jest/globals'
import { createArena } from '../../src/core/arena.ts'
import { f32 } from '../../src/core/layout.ts'
import { compileCore, compileRelaxedCore, compileThreadedCore } from '../../src/core/module.ts'
import { Purpose } from '../../src/core/random.ts'
import { createSharedArena } from '../../src/core/shared-arena.ts'
import { steinDirection } from '../../src/svgd/direction.ts'
import { steinFields } from '../../src/svgd/fields.ts'
import { blockwise, imq, type Kernel, linear, preconditioned, rbf, sumOf } from '../../src/svgd/kernels.ts'
import { createSVGD, particlesOf, type SvgdOptions, svgd } from '../../src/svgd/svgd.ts'

const module = await compileCore()
const threaded = await compileThreadedCore()

type Fields = ReturnType<typeof steinFields>
type Arena = Awaited<ReturnType<typeof createArena<Fields>>>

function directionOn(arena: Arena, n: number, d: number, kernel: Kernel) {
  const { ops, at, view } = arena
  for (let i = 0; i < n; i++) {
    const row = i * (view.theta.length / n) * 4
    ops.fillNormal(at.theta + row, d, 1, 0, Purpose.user, i, 0, 0)
    ops.fillNormal(at.score + row, d, 1, 0, Purpose.user, i, 1, 0)
  }
  const info = steinDirection(arena, { particles: n, dimension: d }, kernel)
  return { info, direction: view.direction.slice() }
}

describe('any number of threads gives the same bits', () => {
  test.each([
    { n: 1, d: 3, kernel: rbf() },
    { n: 5, d: 2, kernel: rbf() },
    { n: 30, d: 700, kernel: rbf() },
    { n: 67, d: 33, kernel: imq() },
    { n: 130, d: 40, kernel: sumOf([1, rbf()], [0.5, linear()]) },
    { n: 21, d: 11, kernel: blockwise([3, 8], rbf()) },
    { n: 21, d: 20, kernel: preconditioned(Array(20).fill(2), rbf()) },
  ])('$n × $d, $kernel.name', async ({ n, d, kernel }) => {
    const one = directionOn(await createArena(module, steinFields(n, d, { kernel })), n, d, kernel)
    for (const threads of [2, 3, 5]) {
      const arena = await createSharedArena(threaded, steinFields(n, d, { kernel, threads }), threads)
      const { info, direction } = directionOn(arena, n, d, kernel)
      expect(Buffer.from(direction.buffer).equals(Buffer.from(one.direction.buffer))).toBe(true)
      expect(info).toEqual(one.info)
    }
  })
})

const options: SvgdOptions = {
  score: (out, x) => {
    for (let k = 0; k < x.length; k++) out[k] = -x[k]
  },
}

async function particlesWith(threads: SvgdOptions['threads'], changes: Partial<SvgdOptions> = {}) {
  const { init, step } = createSVGD({ ...options, threads, ...changes })
  const state = await init({ particles: 40, dimension: 60 })
  for (let t = 0; t < 5; t++) step(state)
  return { threadPool: state.arena.threadPool.size, particles: particlesOf(state) }
}

test('createSVGD with three threads moves as with one', async () => {
  const [one, three] = [await particlesWith(1), await particlesWith(3)]
  expect([one.threadPool, three.threadPool]).toEqual([1, 3])
  expect(three.particles).toEqual(one.particles)
})

test("'auto' takes one thread for a small population and several for a large one", async () => {
  const { init } = createSVGD(options)
  expect((await init({ particles: 100, dimension: 2 })).arena.threadPool.size).toBe(1)
  const large = await init({ particles: 256, dimension: 500 })
  expect(large.arena.threadPool.size).toBeGreaterThanOrEqual(1)
  expect(large.arena.threadPool.size).toBeLessThanOrEqual(8)
})

/** Threads of this process, where the system tells. */
const liveThreads = () => Number(readFileSync('/proc/self/status', 'utf8').match(/Threads:\s+(\d+)/)?.[1])

test('close ends the threads of a state: it takes no more steps, and its particles can still be read', async () => {
  const { init, step } = createSVGD({ ...options, threads: 4 })
  const before = existsSync('/proc/self/status') ? liveThreads() : 0
  const state = await init({ particles: 40, dimension: 60 })
  step(state)
  expect(state.isClosed).toBe(false)
  state.close()
  expect(state.isClosed).toBe(true)
  expect(particlesOf(state).every(Number.isFinite)).toBe(true)
  expect(() => step(state)).toThrow('This state is closed and takes no more steps.')
  const other = await init({ particles: 40, dimension: 60 })
  other[Symbol.dispose]()
  expect(other.isClosed).toBe(true)
  if (before > 0) while (liveThreads() > before) await new Promise((resume) => setTimeout(resume, 10))
})

test('svgd ends its threads, also by an error of the score', async () => {
  const run = { ...options, particles: 40, dimension: 60, iterations: 2, threads: 3 }
  if (!existsSync('/proc/self/status')) return
  const before = liveThreads()
  await svgd(run)
  const score = () => {
    throw new Error('of the user')
  }
  await expect(svgd({ ...run, score })).rejects.toThrow('of the user')
  await expect(svgd({ ...run, initial: [1] })).rejects.toThrow('initial must hold 40 × 60')
  while (liveThreads() > before) await new Promise((resume) => setTimeout(resume, 10))
})

test('a thread that fails ends the op with an error, and nobody waits for ever', async () => {
  const arena = await createSharedArena(threaded, { x: f32(8) }, 2)
  const nowhere = arena.memory.buffer.byteLength
  expect(() =>
    arena.threadPool.run('expInto', [
      [arena.at.x, arena.at.x, 4],
      [nowhere, nowhere, 4],
    ]),
  ).toThrow('A thread failed while it ran expInto.')
  arena.threadPool.close()
})

test('where memory cannot be shared, one thread does it without a word', async () => {
  const shared = globalThis.SharedArrayBuffer
  try {
    Reflect.deleteProperty(globalThis, 'SharedArrayBuffer')
    expect((await particlesWith(3)).threadPool).toBe(1)
  } finally {
    globalThis.SharedArrayBuffer = shared
  }
})

test('a core of one own runs on one thread', async () => {
  const { threadPool, particles } = await particlesWith(3, { core: module })
  expect(threadPool).toBe(1)
  expect(particles).toEqual((await particlesWith(1)).particles)
})

test('a number of threads out of range is refused', async () => {
  await expect(particlesWith(0)).rejects.toThrow('threads must be a whole number from 1 to 64, got 0.')
})

test('the relaxed build is there when asked for, or said not to be', async () => {
  const core = await compileRelaxedCore().catch((error) => error)
  if (core instanceof Error) {
    expect(core.message).toBe('This runtime has no relaxed SIMD: leave `core` out to use the portable build.')
  } else {
    const relaxed = await particlesWith(1, { core })
    const portable = await particlesWith(1)
    relaxed.particles.forEach((x, k) => void expect(x).toBeCloseTo(portable.particles[k], 3))
  }
})
