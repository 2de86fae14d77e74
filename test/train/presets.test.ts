import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from '@jest/globals'
import { UsageError } from '../../src/core/errors.ts'
import { taskNamed } from '../../src/envs/named.ts'
import { wrapperNamed } from '../../src/envs/wrappers/named.ts'
import { presetFor, presets } from '../../src/train/presets.ts'
import { type AnyTrainOptions, runConfig } from '../../src/train/train.ts'
import { inTemporaryDirectory, run } from '../cli/steinrl.ts'

const all = Object.entries(presets).flatMap(([algorithm, tasks]) => Object.keys(tasks).map((id) => [algorithm, id]))

test.each(all)('the settings of %s for %s are allowed, and change its defaults', async (algorithm, env) => {
  const { constants, wrap, ...preset } = presetFor(algorithm, env)
  const task = await taskNamed(env, { constants })
  for (const { name, options } of wrap ?? []) wrapperNamed(name, options)
  const config = runConfig({ algorithm, env: task, ...preset } as AnyTrainOptions)
  expect(config).toMatchObject(preset)
  const required = Object.entries(preset).filter(([name]) => ['ranges', 'components'].includes(name))
  const bare = runConfig({ algorithm, env: task, ...Object.fromEntries(required) } as AnyTrainOptions)
  expect(config).not.toEqual(bare)
  expect(preset.iterations * Number(preset.steps)).toBeGreaterThan(task.maxEpisodeSteps)
})

test('a preset that does not exist is refused with those that do', () => {
  expect(() => presetFor('ppo', 'Acrobot-v2')).toThrow(UsageError)
  expect(() => presetFor('ppo', 'Acrobot-v2')).toThrow(
    /^There is no preset of ppo for "Acrobot-v2"; there are .*, and the nearest is ppo Acrobot-v1\.$/,
  )
  expect(() => presetFor('constructor', 'name')).toThrow(/^There is no preset of constructor for "name"; /)
})

test(
  '--preset takes them where nothing else is typed',
  () =>
    inTemporaryDirectory(async (directory) => {
      const typed = ['--iterations', '1', '--hidden', '4', '--steps', '8', '--eval-episodes', '0', '--out', 'out']
      const { code, stderr } = await run(directory, 'train', 'ppo', 'Acrobot-v1', '--preset', ...typed)
      expect([code, stderr.includes('steinrl:')]).toEqual([0, false])
      const { iterations: _, hidden: __, steps: ___, ...rest } = presetFor('ppo', 'Acrobot-v1')
      expect(JSON.parse(await readFile(join(directory, 'out/config.json'), 'utf8'))).toMatchObject({
        ...{ ...rest, iterations: 1, hidden: [4], steps: 8, particles: 1 },
      })
      const car = ['train', 'sac', 'MountainCarContinuous-v0', '--preset', ...typed, '--overwrite']
      expect((await run(directory, ...car)).code).toBe(0)
      expect(JSON.parse(await readFile(join(directory, 'out/config.json'), 'utf8')).task).toMatchObject({
        wrappers: presetFor('sac', 'MountainCarContinuous-v0').wrap,
      })
      // Settings that have to be given are given by a preset, and so are constants of the task.
      const swept = ['train', 'adr', 'Pendulum-v1', '--preset', ...typed, '--particles', '1', '--overwrite']
      expect(await run(directory, ...swept)).toMatchObject({ code: 0 })
      const { ranges } = presetFor('adr', 'Pendulum-v1')
      expect(JSON.parse(await readFile(join(directory, 'out/config.json'), 'utf8'))).toMatchObject({ ranges })
      const composed = ['train', 'sql-compose', 'MultiGoal-v0', '--preset', ...typed, '--overwrite']
      expect(await run(directory, ...composed, '--component-iterations', '1', '--iterations', '2')).toMatchObject({
        code: 0,
      })
      const { constants, components } = presetFor('sql-compose', 'MultiGoal-v0')
      expect(JSON.parse(await readFile(join(directory, 'out/config.json'), 'utf8'))).toMatchObject({
        ...{ components, task: { constants } },
      })
      const none = await run(directory, 'train', 'sac', 'CliffWalking-v1', '--preset')
      expect(none.stderr).toContain('There is no preset of sac for "CliffWalking-v1"; there are ')
      expect((await run(directory, 'train', '--resume', 'out', '--preset')).stderr).toContain(
        '--preset is for a new run',
      )
    }),
  120_000,
)
