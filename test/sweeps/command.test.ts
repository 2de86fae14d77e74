import { spawnSync } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { type TaskOptions, taskOf } from '../../src/cli/task.ts'
import { trainCommand } from '../../src/cli/train.ts'
import { configured } from '../../src/envs/configured.ts'
import type { EnvironmentSpec } from '../../src/envs/contract.ts'
import { findTask, loadModule } from '../../src/envs/description.ts'
import { repeatAction } from '../../src/envs/wrappers/actions.ts'
import { normaliseReward, scaleReward } from '../../src/envs/wrappers/rewards.ts'
import { wrap } from '../../src/envs/wrappers/wrap.ts'
import { commandOf } from '../../src/sweeps/command.ts'
import { planOf, type SweepOptions, trialConfig } from '../../src/sweeps/plan.ts'
import { readSweep, runSweep } from '../../src/sweeps/sweep.ts'
import { type AnyTrainOptions, runConfig } from '../../src/train/train.ts'

let top: string
beforeEach(async () => {
  top = await mkdtemp(join(tmpdir(), "steinrl-test's "))
})
afterEach(() => rm(top, { recursive: true, force: true }))

const hidden = { among: [[8]] }

/** What the command line makes of a command that a shell has taken apart: the task and all settings. */
async function understood(line: string) {
  const { stdout } = spawnSync('sh', ['-c', `printf '%s\\0' ${line}`], { encoding: 'utf8' })
  const [npx, steinrl, train, algorithm, ...words] = stdout.split('\0').slice(0, -1)
  expect([npx, steinrl, train]).toEqual(['npx', 'steinrl', 'train'])
  const command = trainCommand().commands.find((each) => each.name() === algorithm)
  if (!command) throw new Error(`no algorithm ${algorithm}`)
  let given: { env: string; options: TaskOptions & Record<string, unknown> } | null = null
  command.action((env, options) => {
    given = { env, options }
  })
  await command.parseAsync(words, { from: 'user' })
  const { env, options } = given as unknown as { env: string; options: TaskOptions & Record<string, unknown> }
  const typed = Object.entries(options).filter(([name]) => command.getOptionValueSource(name) === 'cli')
  const settings = typed.filter(([name]) => !['constants', 'maxEpisodeSteps', 'wrap'].includes(name))
  const spec = await taskOf(env, options)
  return {
    task: await findTask(spec),
    config: runConfig({ algorithm, env: spec, ...Object.fromEntries(settings) } as AnyTrainOptions),
  }
}

async function sameFor(given: Omit<SweepOptions, 'space'>): Promise<string> {
  const plan = await planOf({ space: { hidden }, iterations: 7, ...given })
  const task = await findTask(plan.spec)
  const line = commandOf({ ...plan.description, task }, { settings: { hidden: [8] }, iterations: 7 })
  expect(await understood(line)).toEqual({ task, config: trialConfig(plan, { hidden: [8] }) })
  return line
}

test('the command of a configured task is read by the command line as the task and the settings of the trial', async () => {
  const cartPole = configured('CartPole-v1', { constants: { gravity: 5.5 }, maxEpisodeSteps: 90 })
  const settings = { particles: 2, learningRate: 1e-7, kernel: 'rbf', estimator: 'ppo' }
  const plain = await sameFor({ env: 'CartPole-v1', settings })
  expect(plain).not.toMatch(/--constants|--max-episode-steps|--wrap/)
  const line = await sameFor({ env: cartPole, settings })
  expect(line).toContain('CartPole-v1 --constants gravity=5.5 --max-episode-steps 90 --particles 2')
  const pendulum = await wrap(
    configured('Pendulum-v1', { constants: { gravity: 9 } }),
    repeatAction(2),
    scaleReward(0.1),
  )
  expect(await sameFor({ algorithm: 'sac', env: pendulum })).toContain('--wrap repeatAction:times=2 --wrap scaleReward')
  await sameFor({ algorithm: 'sac', env: await wrap('Pendulum-v1', normaliseReward({ discount: 0.9 })) })
  const ranges = { mass: [0.5, 2], length: [0.5, 1.5] }
  await sameFor({ algorithm: 'adr', env: 'Pendulum-v1', settings: { ranges } })
})

const MODULE = `
const task = (offset) => ({
  id: 'Walk-v0',
  module: import.meta.url,
  observationSpace: { kind: 'box', low: [-50], high: [50] },
  actionSpace: { kind: 'discrete', n: 2 },
  maxEpisodeSteps: 20,
  configure: ({ offset = 0 }) => task(offset),
  create() {
    let x = 0
    return {
      reset: () => ({ obs: [(x = offset)], info: {} }),
      step(action) {
        x += action === 1 ? 1 : -1
        return { obs: [x], reward: x, terminated: false, truncated: false, info: {} }
      },
    }
  },
})
export const far = task(5)
export default { ...task(0), id: 'Other-v0' }
`

test('the command of a sweep over a task of a module names its export', async () => {
  const file = join(top, 'walks.mjs')
  await writeFile(file, MODULE)
  const { far } = (await loadModule('Walk-v0', pathToFileURL(file).href)) as { far: EnvironmentSpec }
  const out = join(top, 'out')
  const sweep = { env: configured(far, { maxEpisodeSteps: 9 }), space: { hidden }, settings: { particles: 1 } } as const
  for await (const _ of runSweep({ ...sweep, out, trials: 1, jobs: 1, iterations: 1 }));
  const { command, description } = await readSweep(out)
  expect(command).toMatch(/walks\.mjs#far'? --max-episode-steps 9 /)
  expect((await understood(command as string)).task).toEqual(description.task)
})

test.each([
  ['"task":', '"tusk":'],
  ['"task":{"id":"CartPole-v1"', '"task":{"id":1'],
  ['"settings":{', '"settings":null,"old":{'],
  ['"direction":"maximise"', '"direction":"up"'],
])('a journal whose description is damaged is refused in a sentence: %s', async (before, after) => {
  const out = join(top, 'damaged')
  const sweep = { env: 'CartPole-v1', space: { hidden }, settings: { particles: 1 } } as const
  for await (const _ of runSweep({ ...sweep, out, trials: 1, jobs: 1, iterations: 1, overwrite: true }));
  const journal = join(out, 'journal.log')
  const text = await readFile(journal, 'utf8')
  expect(text).toContain(before)
  await writeFile(journal, text.replace(before, after))
  await expect(readSweep(out)).rejects.toThrow(/^The description of the sweep in ".*damaged" is damaged: .*\.$/)
})
