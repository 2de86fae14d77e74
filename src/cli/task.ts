import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Command } from 'commander'
import { UsageError } from '../core/errors.ts'
import { check } from '../core/schemas.ts'
import { configured } from '../envs/configured.ts'
import type { EnvironmentSpec } from '../envs/contract.ts'
import { loadModule, type WrapperDescription } from '../envs/description.ts'
import { taskNamed } from '../envs/named.ts'
import { stepLimit } from '../envs/schemas.ts'
import { wrapperNamed } from '../envs/wrappers/named.ts'
import { wrap } from '../envs/wrappers/wrap.ts'
import { number, valuesByName } from './values.ts'

/** What a command takes of a task beside its id. */
export interface TaskOptions {
  constants?: Readonly<Record<string, number | string>>
  maxEpisodeSteps?: number
  wrap: readonly WrapperDescription[]
}

export const taskOptions = (command: Command): Command =>
  command
    .option('--constants <list>', 'of the task, as gravity=9.8,force=12', valuesByName)
    .option('--max-episode-steps <n>', 'after which an episode is cut (as the task says)', number)
    .option(
      '--wrap <wrapper>',
      'around the task, as repeatAction:times=2; again for more, from inside out',
      wrapping,
      [],
    )

/** repeatAction:times=2 → { name: 'repeatAction', options: { times: 2 } } */
function wrapping(text: string, before: readonly WrapperDescription[]): WrapperDescription[] {
  const colon = text.indexOf(':')
  const [name, options] = colon < 0 ? [text, ''] : [text.slice(0, colon), text.slice(colon + 1)]
  return [...before, { name, options: valuesByName(options) }]
}

/** What is a file rather than an id: ./my-task.js, or ./my-task.js#name for another export than the default one. */
const FILE = /^(?:\.{0,2}[\\/]|[a-zA-Z]:[\\/]|file:)|\.[cm]?[jt]s(?:#.*)?$/

/**
 * The task that a command is given: of the library, MuJoCo's, in Python, of a module of one's own, or a description;
 * with constants, limit and wrappers.
 *
 * @throws UsageError for what does not exist
 */
export async function taskOf(
  env: string | EnvironmentSpec,
  { constants, maxEpisodeSteps, wrap: wrappers }: TaskOptions,
) {
  if (maxEpisodeSteps !== undefined) check(stepLimit, maxEpisodeSteps)
  const changes = { constants, maxEpisodeSteps }
  const isFile = typeof env === 'string' && FILE.test(env)
  const spec = isFile ? configured(await exported(env), changes) : await taskNamed(env, changes)
  return wrappers.length === 0 ? spec : wrap(spec, ...wrappers.map(({ name, options }) => wrapperNamed(name, options)))
}

async function exported(env: string): Promise<EnvironmentSpec> {
  const [file, name = 'default'] = env.split('#')
  const module = file.startsWith('file:') ? file : pathToFileURL(resolve(file)).href
  const loaded = await loadModule(env, module)
  const spec = loaded[name] as EnvironmentSpec | undefined
  if (typeof spec !== 'object' || typeof spec?.id !== 'string')
    throw new UsageError(`The export ${name} of ${JSON.stringify(file)} is no description of a task.`)
  return spec.module === undefined ? { ...spec, module } : spec
}
