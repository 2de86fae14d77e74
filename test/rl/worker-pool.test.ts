import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import type { SvpgOptions } from '../../src/algorithms/svpg/settings.ts'
import { begin, svpg } from '../../src/algorithms/svpg/svpg.ts'
import { RunError, UsageError } from '../../src/core/errors.ts'
import { threadCount } from '../../src/core/thread-pool.ts'
import { cartPole } from '../../src/envs/cartpole.ts'
import type { EnvironmentSpec } from '../../src/envs/contract.ts'
import { keepWorkers } from '../../src/rl/pool-worker.ts'
import { workersFor } from '../../src/rl/worker-pool.ts'

const small = { env: 'CartPole-v1', particles: 5, environments: 3, steps: 40, hidden: [8], seed: 6 }

let folder: string
let walk: EnvironmentSpec
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'steinrl-test-'))
  const spec: EnvironmentSpec = (await import('./fixtures/walk.js' as string)).default
  const module = new URL('./fixtures/walk.js', import.meta.url)
  module.searchParams.set('trap', join(folder, 'trap'))
  module.searchParams.set('end', join(folder, 'end'))
  walk = { ...spec, module: module.href }
})
afterAll(() => rm(folder, { recursive: true, force: true }))

const setTrap = () => writeFileSync(join(folder, 'trap'), '')

/** Theta and what was told after some iterations. */
async function trained(options: SvpgOptions, iterations = 4, before = (_iteration: number) => {}) {
  const state = await svpg.init(options)
  try {
    const infos = []
    for (let k = 0; k < iterations; k++) {
      before(k)
      infos.push(await svpg.step(state))
    }
    const losses = infos.flatMap((info) => info.losses)
    const told = infos.map(({ particles, stein, replaced }) => ({ particles, stein, replaced }))
    return { theta: [...state.arena.view.theta], carried: state.carried, told, losses, size: state.workerPool.size() }
  } finally {
    svpg.close(state)
  }
}

describe('the bits do not depend on the number of workers', () => {
  test.each(['stein', 'independent'] as const)('physics in the core, %s', async (interaction) => {
    const here = await trained({ ...small, interaction })
    for (const workers of [1, 2, 3]) {
      const there = await trained({ ...small, interaction, workers })
      expect(there).toEqual({ ...here, size: workers })
    }
  })

  test('a task in TypeScript, by its module', async () => {
    const here = await trained({ ...small, env: walk })
    expect(await trained({ ...small, env: walk, workers: 2 })).toEqual({ ...here, size: 2 })
  })

  test('settings, a constant of the task among them, reach the workers', async () => {
    const env = cartPole.configure?.({ gravity: 3, halfLength: 0.8 }) as EnvironmentSpec
    const options = { ...small, env, activation: 'relu', baseline: 'mean', entropyBonus: 0.01 } as const
    const here = await trained(options)
    expect(await trained({ ...options, workers: 2 })).toEqual({ ...here, size: 2 })
    expect(here.theta).not.toEqual((await trained({ ...options, env: cartPole })).theta)
  })
})

test('an episode that runs on is played by whoever has it, not again by another', async () => {
  const module = new URL('./fixtures/walk.js', import.meta.url)
  module.searchParams.set('made', join(folder, 'made-once'))
  module.searchParams.set('limit', '10000')
  const env = { ...walk, maxEpisodeSteps: 10_000, module: module.href }
  const options = { ...small, env, particles: 5, steps: 100 }
  const { theta } = await trained({ ...options, workers: 2 }, 6)
  // Five particles for two workers: one of them is done first in every iteration. Who plays again makes new instances,
  // and one more was made to see that the module's task acts as this one.
  expect(readFileSync(join(folder, 'made-once'))).toHaveLength(5 * small.environments + 1)
  expect(theta).toEqual((await trained(options, 6)).theta)
})

describe('several passes over a rollout', () => {
  const ppo = {
    ...{ ...small, estimator: 'ppo', epochs: 2, minibatches: 3, criticHidden: [6], entropyReward: 0.05 },
    ...{ evolutionEvery: 2, priorMean: new Float32Array(4 * 8 + 8 + 8 * 2 + 2).fill(0.1), prior: 2 },
  } satisfies SvpgOptions

  test('physics in the core', async () => {
    const here = await trained(ppo)
    expect(await trained({ ...ppo, workers: 2 })).toEqual({ ...here, size: 2 })
    expect(new Set(here.carried.map((one) => String(one?.criticTheta))).size).toBe(small.particles)
  })

  /** Without what is made for the parameters of another task. */
  const { priorMean, prior, ...walking } = ppo

  test('a task in TypeScript', async () => {
    const options = { ...walking, env: walk }
    const here = await trained(options)
    expect(await trained({ ...options, workers: 2 })).toEqual({ ...here, size: 2 })
  })

  test('whoever collected rows makes all passes over them, also where others wait', async () => {
    const module = new URL('./fixtures/walk.js', import.meta.url)
    module.searchParams.set('made', join(folder, 'made'))
    const options = { ...walking, env: { ...walk, module: module.href }, epochs: 4, steps: 200 }
    const { theta } = await trained({ ...options, workers: 2 }, 1)
    // Five particles for two workers: one of them is done first in every pass. Who collects again makes new instances.
    // One more was made to see that the module's task acts as this one.
    expect(readFileSync(join(folder, 'made'))).toHaveLength(small.particles * small.environments + 1)
    expect(theta).toEqual((await trained(options, 1)).theta)
  })

  /** An iteration pass by pass, with something in between. */
  async function passByPass(options: SvpgOptions, between: (pass: number) => Promise<void>) {
    const state = await svpg.init(options)
    try {
      for (; state.iteration < 3; state.iteration++) {
        const begun = begin(state)
        for (let pass = 0; pass < 6; pass++) {
          if (state.iteration === 1) await between(pass)
          await svpg.evaluate(state, begun, pass)
          svpg.move(state)
        }
      }
      return {
        ...{ theta: [...state.arena.view.theta], carried: state.carried },
        ...{ losses: state.workerPool.takeFailures(), size: state.workerPool.size() },
      }
    } finally {
      svpg.close(state)
    }
  }

  /** Ends one worker while none has a job. */
  async function endOne() {
    writeFileSync(join(folder, 'end'), '')
    while (existsSync(join(folder, 'end'))) await new Promise((resolve) => setTimeout(resolve, 10))
    // The death of a thread is told a moment later.
    await new Promise((resolve) => setTimeout(resolve, 200))
  }

  test.each([2, 1])('one of %p workers dies in the middle of them: its rows are collected again', async (workers) => {
    const options = { ...walking, env: walk }
    const undisturbed = await passByPass(options, async () => {})
    const disturbed = await passByPass({ ...options, workers }, async (pass) => {
      if (pass === 3) await endOne()
    })
    expect(disturbed.losses).toHaveLength(1)
    expect(disturbed.losses[0]).toContain('(exit code 5)')
    expect(disturbed).toEqual({ ...undisturbed, losses: disturbed.losses, size: workers - 1 })
  })

  test('a worker dies in the rollout before them', async () => {
    const options = { ...walking, env: walk }
    const undisturbed = await trained(options)
    const disturbed = await trained({ ...options, workers: 2 }, 4, (iteration) => {
      if (iteration === 2) setTrap()
    })
    expect(disturbed.losses).toHaveLength(1)
    expect(disturbed).toEqual({ ...undisturbed, losses: disturbed.losses, size: 1 })
  })
})

describe('a worker that dies', () => {
  test('is reported, its particle is evaluated elsewhere, and the run goes on with the same bits', async () => {
    const options = { ...small, env: walk }
    const undisturbed = await trained(options)
    const disturbed = await trained({ ...options, workers: 3 }, 4, (iteration) => {
      // In the middle of episodes: whoever takes over has to find its way into them.
      if (iteration === 2) setTrap()
    })
    expect(disturbed.losses).toHaveLength(1)
    expect(disturbed.losses[0]).toMatch(/^A worker died while it evaluated particle \d \(exit code 3\); 2 are left\.$/)
    expect(disturbed).toEqual({ ...undisturbed, losses: disturbed.losses, size: 2 })
  })

  test('as the last one is replaced by another, which tries its particle again', async () => {
    const options = { ...small, env: walk }
    const undisturbed = await trained(options)
    const disturbed = await trained({ ...options, workers: 1 }, 4, (iteration) => {
      if (iteration === 1) setTrap()
    })
    expect(disturbed.losses[0]).toMatch(/0 are left\.$/)
    expect(disturbed).toEqual({ ...undisturbed, losses: disturbed.losses, size: 1 })
  })

  test('a particle that takes two workers with it stops the run', async () => {
    // The first seed of every instance, in the order of the particles.
    const seeds: number[] = []
    const create = () => {
      const instance = (walk.create as NonNullable<EnvironmentSpec['create']>)()
      let started = false
      const reset = ({ seed }: { seed: number }) => {
        if (!started) seeds.push(seed)
        started = true
        return instance.reset({ seed })
      }
      return { ...instance, reset }
    }
    await trained({ ...small, env: { ...walk, create } }, 1)
    const module = new URL('./fixtures/walk.js', import.meta.url)
    module.searchParams.set('doom', String(seeds[3 * small.environments]))
    const state = await svpg.init({ ...small, env: { ...walk, module: module.href }, workers: 3 })
    const error = await svpg.step(state).catch((thrown: unknown) => thrown)
    svpg.close(state)
    expect(error).toBeInstanceOf(RunError)
    expect((error as Error).message).toMatch(/^Iteration 1: 2 workers died while they evaluated particle 3 \(.+\)\.$/)
  })
})

describe('errors of a worker', () => {
  test('that name a particle are those of this thread', async () => {
    const env = (value: number) => cartPole.configure?.({ cartMass: value, poleMass: -value }) as EnvironmentSpec
    const failure = async (workers: number) => {
      const state = await svpg.init({ ...small, env: env(1), workers })
      const error = await svpg.step(state).catch((thrown: unknown) => thrown)
      svpg.close(state)
      expect(error).toBeInstanceOf(RunError)
      return (error as Error).message
    }
    const here = await failure(0)
    expect(here).toMatch(/^Iteration 1: .* particle 0 is not finite\.$/)
    expect(await failure(2)).toBe(here)
  })

  test('a task in TypeScript without its module is refused', async () => {
    const env = { ...walk, module: undefined }
    const error = await svpg.init({ ...small, env, workers: 2 }).catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(UsageError)
    expect((error as Error).message).toBe(
      'Workers cannot have this task: Walk-v0 cannot be made again elsewhere, by a worker or from a run: export it from a module and write module: import.meta.url into its description. Take workers: 0.',
    )
    // 'auto' takes what is possible.
    expect((await trained({ ...small, env, workers: 'auto' }, 1)).size).toBe(0)
  })

  test.each([-1, 1.5, 'all' as 'auto'])('workers %p are refused', async (workers) => {
    await expect(svpg.init({ ...small, workers })).rejects.toThrow(
      /^workers must be a whole number from 0 to 256, auto or the address of a Redis server, as redis:\/\/host:6379, got /,
    )
  })

  test("where no worker can be started 'auto' is this thread, and a number is refused in a sentence", () => {
    const permission = process.allowedNodeEnvironmentFlags.has('--permission')
      ? '--permission'
      : '--experimental-permission'
    const script = `
      const { svgd, train } = await import(${JSON.stringify(new URL('../../dist/index.js', import.meta.url).href)})
      const score = (out, x) => { for (let k = 0; k < x.length; k++) out[k] = -x[k] }
      console.log((await svgd({ score, particles: 40, dimension: 20, iterations: 2, threads: 2 })).length)
      const settings = { env: 'CartPole-v1', particles: 2, environments: 2, steps: 8, iterations: 1, hidden: [4] }
      for await (const { iteration } of train({ ...settings, workers: 'auto' })) console.log(iteration)
      try {
        for await (const _ of train({ ...settings, workers: 2 }));
      } catch (error) {
        console.log(error.name, error.message)
      }`
    const flags = [permission, '--allow-fs-read=*', '--no-warnings', '--input-type=module']
    const lines = execFileSync(process.execPath, [...flags, '-e', script], { encoding: 'utf8' })
      .trim()
      .split('\n')
    expect(lines.slice(0, 2)).toEqual(['800', '1'])
    expect(lines[2]).toMatch(/^UsageError A worker could not be started \(.*\); workers: 0 evaluates in this thread\.$/)
  })

  test('a module that is not there is named', async () => {
    const env = { ...walk, module: new URL('./fixtures/nowhere.js', import.meta.url).href }
    await expect(svpg.init({ ...small, env, workers: 2 })).rejects.toThrow(/nowhere\.js/)
  })
})

describe('workers that are kept', () => {
  /** The threads that have played an instance of the task, and what the run came to. */
  async function played(name: string) {
    const module = new URL('./fixtures/walk.js', import.meta.url)
    module.searchParams.set('threads', join(folder, name))
    const result = await trained({ ...small, env: { ...walk, module: module.href }, workers: 2 }, 2)
    return { result, threads: readdirSync(join(folder, name)).sort() }
  }

  test('are those of the next pool, with the same bits, and not of one after that', async () => {
    const here = await trained({ ...small, env: walk }, 2)
    const release = keepWorkers()
    try {
      const first = await played('first')
      expect(first.threads).toHaveLength(2)
      expect(first.result).toEqual({ ...here, size: 2 })
      expect(await trained({ ...small, workers: 2 }, 2)).toEqual({ ...(await trained(small, 2)), size: 2 })
      expect((await played('second')).threads).toEqual(first.threads)
    } finally {
      release()
    }
    const { threads } = await played('third')
    const before = readdirSync(join(folder, 'first'))
    expect(threads.filter((thread) => before.includes(thread))).toEqual([])
  })

  test('that fail or end while they wait are not those of the next pool', async () => {
    const options = { ...small, env: walk, workers: 2 }
    const here = await trained({ ...small, env: walk })
    const release = keepWorkers()
    try {
      await trained(options, 1)
      writeFileSync(join(folder, 'end'), '')
      while (existsSync(join(folder, 'end'))) await new Promise((resolve) => setTimeout(resolve, 10))
      await new Promise((resolve) => setTimeout(resolve, 200))
      expect(await trained(options)).toEqual({ ...here, size: 2 })
    } finally {
      release()
    }
  })
})

test('auto is one worker a core, never more than particles, and none where there is nothing to share', () => {
  expect(workersFor('auto', 1)).toBe(0)
  expect(workersFor('auto', 1000)).toBe(threadCount() > 1 ? threadCount() : 0)
  expect(workersFor(8, 3)).toBe(3)
  expect(workersFor(1, 3)).toBe(1)
})

test('a job that ends every worker ends the run in a sentence and not this thread; a worker that hangs counts as dead', async () => {
  const outcome = async (module: string, workerLimit?: number) => {
    const env = { ...walk, module }
    const state = await svpg.init({ ...small, env, workers: 1, workerLimit })
    const error = await svpg.step(state).catch((thrown: unknown) => thrown)
    svpg.close(state)
    expect(error).toBeInstanceOf(RunError)
    return (error as Error).message
  }
  const module = new URL('./fixtures/walk.js', import.meta.url)
  module.searchParams.set('always', 'exit')
  const died = 'Iteration 1: 2 workers died while they evaluated particle 0'
  expect(await outcome(module.href)).toBe(`${died} (exit code 6).`)
  module.searchParams.set('always', 'hang')
  expect(await outcome(module.href, 1)).toBe(`${died} (it gave no answer within 1 s).`)
})
