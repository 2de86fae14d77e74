import { show, UsageError } from '../src/core/errors.ts'
import { taskNamed } from '../src/envs/named.ts'
import { wrapperNamed } from '../src/envs/wrappers/named.ts'
import { wrap } from '../src/envs/wrappers/wrap.ts'
import { type Preset, presets } from '../src/train/presets.ts'
import { type AnyTrainOptions, evaluate, train } from '../src/train/train.ts'
import { optionsIn, type Report } from './harness.ts'

const EPISODES = 100
/** Not the episodes of the sweeps that chose the settings. */
const EVALUATION_SEED = 1000

/**
 * What the presets come to on seeds that they were not chosen on: the mean return of the best policy in 100 greedy
 * episodes, and the seconds of the processor that training took. `--seeds 1,2` are which; `--only a2c` or
 * `--only 'sac Pendulum-v1'` of which presets.
 */
export default async function bench(args: readonly string[]): Promise<Report> {
  const { seeds, only } = optionsIn(args, {
    seeds: { type: 'string', default: '1,2,3,4,5' },
    only: { type: 'string', default: '' },
  })
  const rows = []
  for (const [algorithm, tasks] of Object.entries(presets))
    for (const [env, preset] of Object.entries(tasks)) {
      if (only && only !== algorithm && only !== `${algorithm} ${env}`) continue
      const runs = []
      for (const seed of String(seeds).split(',').map(Number)) runs.push(await trained(algorithm, env, preset, seed))
      rows.push({ preset: `${algorithm} ${env}`, runs })
      console.log(JSON.stringify(rows.at(-1)))
    }
  if (rows.length === 0)
    throw new UsageError(`There is no preset ${show(only)}; --only takes an algorithm, or one with a task.`)
  const table = rows.map(({ preset, runs }) => ({
    preset,
    returns: runs.map(({ best }) => best.toFixed(0)).join(', '),
    seconds: runs.map(({ seconds }) => seconds.toFixed(1)).join(', '),
  }))
  return { rows, table }
}

async function trained(
  algorithm: string,
  id: string,
  { constants, wrap: wrappers = [], ...preset }: Preset,
  seed: number,
) {
  const task = await taskNamed(id, { constants })
  const around = wrappers.map(({ name, options }) => wrapperNamed(name, options))
  // A wrapped task is stepped outside the core.
  const env = around.length === 0 ? task : await wrap(task, ...around)
  const before = process.cpuUsage()
  for await (const { iteration, iterations, agents } of train({ algorithm, env, ...preset, seed } as AnyTrainOptions)) {
    if (iteration < iterations) continue
    const { user, system } = process.cpuUsage(before)
    const { greedy } = await evaluate({ env, agents: agents(), episodes: EPISODES, seed: EVALUATION_SEED })
    return { seed, best: Math.max(...greedy), seconds: (user + system) / 1e6 }
  }
  throw new Error('A preset has no iterations.')
}
