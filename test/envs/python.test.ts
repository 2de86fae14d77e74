// Tasks in Python. PYTHON names an interpreter; what needs Gymnasium is left out where it has none.
import { spawnSync } from 'node:child_process'
import { chmodSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, test } from '@jest/globals'
import { checkEnvironment } from '../../src/envs/check.ts'
import type { EnvironmentSpec, Step } from '../../src/envs/contract.ts'
import { describeTask, parseTask, taskFrom } from '../../src/envs/description.ts'
import { make } from '../../src/envs/make.ts'
import { type PythonOptions, python } from '../../src/envs/python.ts'
import { makeVector } from '../../src/envs/vector.ts'
import { rescaleAction } from '../../src/envs/wrappers/actions.ts'
import { wrap } from '../../src/envs/wrappers/wrap.ts'
import { wrapper } from '../../src/envs/wrappers/wrapper.ts'
import { evaluate, train } from '../../src/train/train.ts'
import { run, SMALL } from '../cli/steinrl.ts'
import { hasModule, interpreter } from '../left-out.js'

const here = fileURLToPath(new URL('.', import.meta.url))
/** Where bridge_tasks is found. */
process.env.PYTHONPATH = here
process.env.PYTHONDONTWRITEBYTECODE = '1'
const withGymnasium = hasModule('gymnasium') ? describe : describe.skip

const directory = mkdtempSync(join(tmpdir(), 'steinrl-python-'))
afterAll(() => rmSync(directory, { recursive: true, force: true }))

/** A command that stands for a Python. */
function command(name: string, script: string): string {
  const path = join(directory, name)
  writeFileSync(path, `#!/bin/sh\n${script}\n`)
  chmodSync(path, 0o755)
  return path
}

const task = (name: string, options: PythonOptions = {}) =>
  python(`python:bridge_tasks/${name}-v0`, { processes: 2, ...options })

/** What a task of Gymnasium gives for a seed and actions, recorded by Gymnasium itself. */
function recorded(id: string, seed: number, actions: readonly number[]) {
  const program = `
import json, sys, gymnasium
import bridge_tasks
id, seed, actions = json.loads(sys.argv[1])
env = gymnasium.make(id)
flat = lambda obs: gymnasium.spaces.flatten(env.observation_space, obs).astype('float32').tolist()
obs, info = env.reset(seed=seed)
rows = [[flat(obs), 0, False, False]]
for action in actions:
    obs, reward, terminated, truncated, info = env.step(env.action_space.dtype.type(action))
    rows.append([flat(obs), float(reward), bool(terminated), bool(truncated)])
    if terminated or truncated: break
print(json.dumps(rows))`
  const { stdout, stderr } = spawnSync(interpreter, ['-c', program, JSON.stringify([id, seed, actions])], {
    env: { ...process.env },
    encoding: 'utf8',
  })
  if (!stdout) throw new Error(stderr)
  return JSON.parse(stdout) as [number[], number, boolean, boolean][]
}

withGymnasium('a task in Python', () => {
  test('CartPole-v1 gives what Gymnasium gives, number for number', async () => {
    const actions = Array.from({ length: 60 }, (_, t) => (t * t + (t >> 2)) % 2)
    const expected = recorded('CartPole-v1', 42, actions)
    const env = await make('python:CartPole-v1')
    try {
      const rows = [[Array.from(env.reset({ seed: 42 }).obs), 0, false, false]]
      for (const action of actions.slice(0, expected.length - 1)) {
        const { obs, reward, terminated, truncated } = env.step(action)
        rows.push([Array.from(obs), reward, terminated, truncated])
      }
      expect(rows).toEqual(expected)
      expect(rows.length).toBeGreaterThan(9)
      expect(env.spec).toMatchObject({ maxEpisodeSteps: 500, rewardThreshold: 475, actionSpace: { n: 2 } })
    } finally {
      env.close()
    }
  })

  test('Dict observations in the order of Gymnasium, shapes of actions, options, infos', async () => {
    const env = await make(await task('Walk', { constants: { scale: 2, options: { shift: 10 } } }))
    try {
      const first = env.reset({ seed: 5 })
      // The keys of a Dict are sorted: kind as 1 of 3, then place.
      expect(Array.from(first.obs.slice(0, 3))).toEqual([1, 0, 0])
      expect(first.info).toEqual({ seed: 5 })
      for (const place of first.obs.slice(3)) expect(Math.abs(place - 10)).toBeLessThanOrEqual(1)
      const second = env.step([0.5, -0.25])
      expect(Array.from(second.obs)).toEqual([0, 1, 0, Math.fround(first.obs[3] + 1), Math.fround(first.obs[4] - 0.5)])
      expect(second.info).toEqual({})
      expect(env.step([0, 0]).info).toEqual({ steps: 2, far: 'Infinity' })
    } finally {
      env.close()
    }
  })

  test('Discrete spaces that do not start at 0: one-hot observations, and actions counted from 0 here', async () => {
    const env = await make(await task('Shifted'))
    try {
      expect(Array.from(env.reset({ seed: 0 }).obs)).toEqual([1, 0, 0, 0])
      expect([0, 1, 2].map((action) => env.step(action).reward)).toEqual([-2, -1, 0])
      expect(Array.from(env.step(0).obs)).toEqual([0, 0, 0, 1])
    } finally {
      env.close()
    }
  })

  test('MultiDiscrete and MultiBinary actions of any shape, nested observations; policies are trained on them', async () => {
    const choosing = await task('Choosing')
    expect(choosing.actionSpace).toEqual({ kind: 'multi-discrete', n: [3, 2, 2, 2] })
    const env = await make(choosing)
    try {
      // a: two bits and 3 of 2 to 4; z: 1 of two and 2 of three.
      expect(Array.from(env.reset({ seed: 0 }).obs)).toEqual([0, 1, 0, 1, 0, 0, 1, 0, 0, 1])
      // Counted from 0 here, from 5, 0, 0 and -1 there.
      expect(env.step([0, 0, 0, 0]).reward).toBe(5000 - 1)
      expect(env.step([2, 1, 1, 1]).reward).toBe(7000 + 100 + 10)
      expect(() => env.step([3, 0, 0, 0])).toThrow('a list of 4 whole numbers from [0, 0, 0, 0] to [2, 1, 1, 1]')
    } finally {
      env.close()
    }
    const switches = await task('Switches')
    expect(switches.actionSpace).toEqual({ kind: 'multi-binary', n: 4 })
    const small = { particles: 1, environments: 4, steps: 20, iterations: 2, hidden: [4] }
    for await (const step of train({ env: switches, ...small })) {
      const agents = step.agents()
      const action = agents.act([1, 0, 0, 0])
      expect(action).toBeInstanceOf(Int32Array)
      const bits = [...(action as Int32Array)]
      const { greedy } = await evaluate({ agents, env: switches, episodes: 1 })
      // 20 steps, in which it sees two places.
      const other = [...(agents.act([0, 0, 0, 1]) as Int32Array)]
      const worth = (a: number[]) => a.reduce((sum, bit) => 2 * sum + bit, 0)
      expect(greedy[0]).toBe(worth(bits) + 19 * worth(other))
    }
  })

  test('a vector over two processes is as many single ones; wrappers begin steps as they take them', async () => {
    const wrapped = await wrap(await task('Walk'), rescaleAction(-10, 10))
    const envs = await makeVector(wrapped, { num: 5, autoreset: 'same-step' })
    const alone = await makeVector(await wrap(await task('Walk', { processes: 1 }), rescaleAction(-10, 10), serial), {
      num: 5,
      autoreset: 'same-step',
    })
    try {
      expect(envs.reset({ seed: 3 }).obs).toEqual(alone.reset({ seed: 3 }).obs)
      for (let t = 0; t < 20; t++) {
        const actions = Float32Array.from({ length: 10 }, (_, k) => ((k * 7 + t * 3) % 21) - 10)
        const [a, b] = [envs.step(actions), alone.step(actions)]
        expect({ ...a, info: { ...a.info } }).toEqual({ ...b, info: { ...b.info } })
      }
    } finally {
      envs.close()
      alone.close()
    }
  })

  test('episodes that begin together are those that begin one by one, in a vector, in training and in evaluation', async () => {
    const trainedOn = async (env: EnvironmentSpec) => {
      const small = { particles: 1, environments: 5, steps: 24, iterations: 2, hidden: [4] }
      for await (const step of train({ env, ...small })) if (step.iteration === 2) return step
      throw new Error('none')
    }
    const [both, one] = [await task('Walk'), await wrap(await task('Walk', { processes: 1 }), serial)]
    const [a, b] = [await trainedOn(both), await trainedOn(one)]
    expect([...a.state.arena.view.theta]).toEqual([...b.state.arena.view.theta])
    const results = await Promise.all([both, one].map((env) => evaluate({ agents: a.agents(), env, episodes: 7 })))
    expect(results[0]).toEqual(results[1])

    // Rows of one process start by one message.
    const envs = await makeVector(await task('Counted', { processes: 1 }), { num: 4, autoreset: 'same-step' })
    try {
      expect(envs.reset({ seed: 1 }).info.rows.map(({ rows }) => rows)).toEqual([4, 4, 4, 4])
      // And those whose episodes end in one step, here by the limit.
      for (let t = 0; t < 19; t++) envs.step([0, 0, 0, 0])
      const { info, truncated } = envs.step([0, 0, 0, 0])
      expect([...truncated]).toEqual([1, 1, 1, 1])
      expect(info.rows.map(({ rows }) => rows)).toEqual([4, 4, 4, 4])
    } finally {
      envs.close()
    }
  })

  test('the checker finds nothing wrong', async () => {
    await checkEnvironment(await task('Walk'), { steps: 60 })
  })

  test('a description makes the same task again, limit and constants included', async () => {
    const spec = await task('Walk', { constants: { scale: 3 }, maxEpisodeSteps: 4 })
    const again = await taskFrom(parseTask(JSON.parse(JSON.stringify(describeTask(spec)))), { processes: 1 })
    const [a, b] = [await make(spec), await make(again)]
    try {
      expect(a.reset({ seed: 1 })).toEqual(b.reset({ seed: 1 }))
      let last: Step | undefined
      for (let t = 0; t < 4; t++) {
        last = a.step([1, t / 8])
        expect(last).toEqual(b.step([1, t / 8]))
      }
      expect(last?.truncated).toBe(true)
    } finally {
      a.close()
      b.close()
    }
  })

  test('processes end with their last instance', async () => {
    const spec = await task('Shifted')
    const before = openPipes()
    const all = [spec, spec, spec].map((each) => (each.create as NonNullable<EnvironmentSpec['create']>)())
    expect(openPipes()).toBe(before + 2)
    for (const one of all) one.close?.()
    expect(openPipes()).toBe(before - 2)
  })

  test('a process that waits for the next request sleeps, after brief waits too', async () => {
    const children = () => readFileSync('/proc/thread-self/children', 'utf8').trim().split(' ')
    const before = children()
    const env = await make(await task('Shifted', { processes: 1 }))
    try {
      const [child] = children().filter((pid) => !before.includes(pid))
      /** Hundredths of a second of the processor, in the program and in the system. */
      const used = () => {
        const fields = readFileSync(`/proc/${child}/stat`, 'utf8').split(') ')[1].split(' ')
        return Number(fields[11]) + Number(fields[12])
      }
      env.reset({ seed: 0 })
      for (let t = 0; t < 15; t++) env.step(0)
      const start = used()
      await new Promise((resolve) => setTimeout(resolve, 500))
      expect(used() - start).toBeLessThanOrEqual(5)
    } finally {
      env.close()
    }
  })

  test.each(['svpg', 'sac', 'sql'] as const)('%s trains on one and is evaluated', async (algorithm) => {
    const small =
      algorithm === 'svpg' ? { particles: 2, environments: 3, steps: 8 } : { steps: 60, warmup: 40, batchSize: 16 }
    const options = { env: 'python:CartPole-v1', iterations: 2, hidden: [8], ...small }
    const steps = []
    for await (const step of train({ algorithm, ...options } as Parameters<typeof train>[0])) steps.push(step)
    expect(steps).toHaveLength(2)
    const { greedy } = await evaluate({ agents: steps[1].agents(), episodes: 3 })
    expect(greedy.every((value) => value >= 1)).toBe(true)
  })
})

/** Steps one row at a time, as a task that cannot begin steps. */
const serial = wrapper('serial', () => ({
  around: ({ reset, step, close }) => ({ reset, step, close }),
}))

const openPipes = () =>
  readdirSync('/proc/self/fd').filter((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`).includes('steinrl-pipe-')
    } catch {
      // The descriptor that the folder was read by.
      return false
    }
  }).length

describe('what cannot be done is said in one sentence', () => {
  const expectRefusal = (options: PythonOptions, sentence: string | RegExp) =>
    expect(python('python:CartPole-v1', options)).rejects.toThrow(sentence)

  test('no Python', () =>
    expectRefusal(
      { interpreter: 'no-such-python' },
      'python:CartPole-v1: "no-such-python" cannot be started; name a Python that has gymnasium by the variable PYTHON.',
    ))

  test('a Python without Gymnasium', async () => {
    const folder = mkdtempSync(join(directory, 'none-'))
    writeFileSync(join(folder, 'gymnasium.py'), 'raise ImportError("there is none")\n')
    const without = command('without', `PYTHONPATH=${folder} exec python3 "$@"`)
    await expectRefusal(
      { interpreter: without },
      `python:CartPole-v1: ${without} has no Gymnasium (there is none): ${without} -m pip install gymnasium.`,
    )
  })

  test('a command that ends at once, and one that writes something else', async () => {
    await expectRefusal({ interpreter: command('ends', 'exit 3') }, /^python:CartPole-v1: its Python process has ended/)
    const chatty = command('chatty', 'echo a line that is no answer >&4; cat <&3 >/dev/null')
    await expectRefusal({ interpreter: chatty }, /^python:CartPole-v1: its Python process wrote something else/)
  })

  test('options that do not exist or are not allowed', async () => {
    await expectRefusal({ process: 2 } as PythonOptions, 'python has no option "process"; the nearest is processes.')
    await expectRefusal({ processes: 0 }, 'processes must be a whole number from 1 to 1024, got 0.')
    await expectRefusal({ maxEpisodeSteps: 0 }, 'maxEpisodeSteps must be')
  })
})

withGymnasium('what Python says is passed on in one sentence', () => {
  test.each<[string, PythonOptions, string | RegExp]>([
    ['python:CartPoll-v1', {}, /^python:CartPoll-v1: Python says NameNotFound: [^\n]+$/],
    ['python:no_such_package/A-v0', {}, /^python:no_such_package\/A-v0: Python says NamespaceNotFound: [^\n]+$/],
    ['python:CartPole-v1', { constants: { gravity: 1 } }, /Python says TypeError: [^\n]+'gravity'/],
    [
      'python:bridge_tasks/Growing-v0',
      {},
      'observations hold the space Sequence, which has no vector of fixed length.',
    ],
    ['python:bridge_tasks/Linked-v0', {}, 'observations hold the space Graph, which'],
    [
      'python:bridge_tasks/Worded-v0',
      {},
      'its actions are Text; Discrete, MultiDiscrete, MultiBinary and Box of real numbers are allowed.',
    ],
    ['python:bridge_tasks/Endless-v0', {}, 'has no time limit: give it maxEpisodeSteps'],
  ])('%s %j', async (id, options, sentence) => {
    await expect(python(id, options)).rejects.toThrow(sentence)
  })

  const thirdStep = async (fault: string) => {
    const env = await make(await task('Walk', { constants: { fault } }))
    try {
      env.reset({ seed: 0 })
      for (let t = 0; t < 3; t++) env.step([0, 0])
      return env.step([0, 0]).obs.length
    } finally {
      env.close()
    }
  }

  test('a task that raises, dies, or writes into the pipe', async () => {
    await expect(thirdStep('raises')).rejects.toThrow(
      'python:bridge_tasks/Walk-v0 raised ValueError: the third step is too much',
    )
    await expect(thirdStep('dies')).rejects.toThrow(/Walk-v0: its Python process has ended in the middle of a request/)
    await expect(thirdStep('writes')).rejects.toThrow(/Walk-v0: its Python process wrote something else into the pipe/)
  })

  test('a task that hangs is ended by its limit', async () => {
    const slow = { constants: { fault: 'hangs' }, limit: 0.5 }
    const env = await make(await task('Walk', slow))
    try {
      env.reset({ seed: 0 })
      env.step([0, 0])
      env.step([0, 0])
      const started = performance.now()
      expect(() => env.step([0, 0])).toThrow(
        'python:bridge_tasks/Walk-v0: its Python process took more than 0.5 s for a request and was ended; where it was stands above. python(id, { limit }) or the variable PYTHON_LIMIT gives it more.',
      )
      expect(performance.now() - started).toBeLessThan(20_000)
      expect(() => env.step([0, 0])).toThrow('the request that this was a part of has failed')
    } finally {
      env.close()
    }
    await expect(task('Walk', { limit: 0 })).rejects.toThrow('limit must be a finite number above 0, got 0.')
    process.env.PYTHON_LIMIT = 'soon'
    try {
      await expect(task('Walk')).rejects.toThrow('The variable PYTHON_LIMIT must be a finite number above 0, got NaN.')
    } finally {
      delete process.env.PYTHON_LIMIT
    }
  }, 60_000)

  test('a wrapper that gives another action than the one that was begun', async () => {
    const other = wrapper('other', () => ({ around: (env) => ({ ...env, step: () => env.step([1, 1]) }) }))
    const envs = await makeVector(await wrap(await task('Walk'), other), { num: 2 })
    try {
      envs.reset({ seed: 0 })
      expect(() => envs.step(new Float32Array(4))).toThrow('a step was begun with another action')
    } finally {
      envs.close()
    }
  })

  test('on the command line: trains, goes on, evaluates and exports; prints of a task are no results', async () => {
    const walk = ['train', 'svpg', 'python:bridge_tasks/Walk-v0', ...SMALL, '--checkpoint-every', '0', '--json']
    const trained = await run(directory, ...walk, '--constants', 'fault=prints', '--iterations', '1')
    expect(trained).toMatchObject({ code: 0 })
    expect(trained.stderr).toContain('printed by a task')
    expect(trained.stdout).not.toContain('printed by a task')
    const path = 'runs/svpg-python-bridge_tasks-Walk-v0-0'
    const whole = ['--constants', 'fault=prints', '--iterations', '3', '--out', 'whole']
    await run(directory, ...walk, ...whole)
    expect(await run(directory, 'train', '--resume', path, '--iterations', '3')).toMatchObject({ code: 0 })
    const [once, twice] = ['whole', path].map((run) => readFileSync(join(directory, run, 'particles.safetensors')))
    expect(twice).toEqual(once)
    expect(await run(directory, 'eval', path, '--episodes', '2')).toMatchObject({ code: 0 })
    const exported = await run(directory, 'export', path, '--out', 'policy')
    expect({ ...exported, stdout: '' }).toMatchObject({ code: 0 })
  }, 120_000)

  test('a process that dies ends the run with its last checkpoint', async () => {
    const args = ['train', 'svpg', 'python:bridge_tasks/Mortal-v0', ...SMALL, '--steps', '32', '--iterations', '3']
    const ended = await run(directory, ...args, '--checkpoint-every', '0', '--out', 'mortal')
    expect(ended.stderr).toMatch(
      /^steinrl: Iteration 3: Particle 0: python:bridge_tasks\/Mortal-v0: its Python process has ended in the middle of/m,
    )
    expect(ended.code).not.toBe(0)
    expect(readFileSync(join(directory, 'mortal/metrics.jsonl'), 'utf8').trim().split('\n')).toHaveLength(2)
    expect(await run(directory, 'train', '--resume', 'mortal', '--eval-episodes', '2')).toMatchObject({ code: 0 })
  }, 60_000)
})
