import { describeSettings, flagOf, type SettingDescription } from '../core/settings.ts'
import { describeTask, type TaskDescription } from '../envs/description.ts'
import { environments } from '../envs/registry.ts'
import { asTyped } from '../train/single-policies.ts'
import { algorithms } from '../train/train.ts'
import type { SweepDescription } from './plan.ts'

/** What trains with the settings of a trial again, as it is typed into a shell. */
export function commandOf(
  { algorithm, settings: shared, task }: SweepDescription,
  trial: { readonly settings: Readonly<Record<string, unknown>>; readonly iterations: number | null },
): string {
  const iterations = trial.iterations === null ? {} : { iterations: trial.iterations }
  const { algorithm: name, settings } = asTyped({ ...shared, ...trial.settings, algorithm })
  const all = { ...settings, ...iterations }
  const kinds = new Map(describeSettings(algorithms[algorithm].settings).map(({ name, kind }) => [name, kind]))
  const options = Object.entries(all).flatMap(([name, value]) => [flagOf(name), worded(name, value, kinds.get(name))])
  return `npx steinrl train ${[name, ...taskWords(task), ...options].map(quoted).join(' ')}`
}

/** The task and, where it is not as its id says, what is different. */
function taskWords({ id, module, export: name = 'default', ...task }: TaskDescription): string[] {
  const known = module === undefined && Object.hasOwn(environments, id) ? describeTask(environments[id]) : null
  const constants = Object.entries(task.constants ?? {}).filter(
    ([constant, value]) => JSON.stringify(value) !== JSON.stringify(known?.constants?.[constant]),
  )
  const { wrappers = [], maxEpisodeSteps } = task
  return [
    module === undefined ? id : name === 'default' ? module : `${module}#${name}`,
    ...(constants.length > 0 ? ['--constants', byName(Object.fromEntries(constants))] : []),
    ...(maxEpisodeSteps === known?.maxEpisodeSteps ? [] : ['--max-episode-steps', String(maxEpisodeSteps)]),
    ...wrappers.flatMap(({ name, options }) => [
      '--wrap',
      Object.keys(options).length > 0 ? `${name}:${byName(options)}` : name,
    ]),
  ]
}

function worded(name: string, value: unknown, kind: SettingDescription['kind'] | undefined): string {
  if (name === 'ranges') return byName(value as Readonly<Record<string, unknown>>)
  if (kind === 'widths') return (value as readonly number[]).join(',')
  return typeof value === 'string' ? value : JSON.stringify(value)
}

/** gravity=9.8,range=0.7:1; as JSON where that has no such words. */
function byName(values: Readonly<Record<string, unknown>>): string {
  const words = Object.entries(values).map(([name, value]) => {
    const parts = Array.isArray(value) ? value : [value]
    return Array.isArray(value) && (parts.length < 2 || !parts.every(isNumber)) ? null : plain(name, parts)
  })
  return words.includes(null) ? JSON.stringify(values) : words.join(',')
}

const plain = (name: string, parts: readonly unknown[]) =>
  parts.every((part) => isNumber(part) || typeof part === 'boolean' || isWord(part))
    ? `${name}=${parts.join(':')}`
    : null

/** A number, and what stands for an infinite one in a description. */
const isNumber = (value: unknown) => typeof value === 'number' || value === 'Infinity' || value === '-Infinity'

/** What nobody takes for a number, a truth value or a list. */
const isWord = (value: unknown) =>
  typeof value === 'string' && /^[a-zA-Z][\w-]*$/.test(value) && value !== 'true' && value !== 'false'

const quoted = (text: string) => (/^[\w.,:/@+=-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`)
