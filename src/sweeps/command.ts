import { flagOf } from '../core/settings.ts'
import type { SweepDescription } from './plan.ts'

/** What trains with the settings of a trial again, as it is typed into a shell. */
export function commandOf(
  { algorithm, env, settings, task }: SweepDescription,
  trial: { readonly settings: Readonly<Record<string, unknown>>; readonly iterations: number | null },
): string {
  const iterations = trial.iterations === null ? {} : { iterations: trial.iterations }
  const all = { ...settings, ...trial.settings, ...iterations }
  const options = Object.entries(all).flatMap(([name, value]) => [flagOf(name), worded(value)])
  const where = (task as { readonly module?: string }).module
  return ['npx steinrl train', algorithm, where === undefined ? env : quoted(where), ...options].join(' ')
}

const isList = (value: unknown): value is unknown[] =>
  Array.isArray(value) && value.every((entry) => typeof entry !== 'object')

const worded = (value: unknown): string =>
  quoted(isList(value) ? value.join(',') : typeof value === 'string' ? value : JSON.stringify(value))

const quoted = (text: string) => (/^[\w.,:/@+-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`)
