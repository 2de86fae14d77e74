import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, test } from '@jest/globals'
import { Command } from 'commander'
import * as v from 'valibot'
import { amortizedSchema } from '../../src/algorithms/amortized-svgd/settings.ts'
import { addSettings } from '../../src/cli/settings.ts'
import { UsageError } from '../../src/core/errors.ts'
import { check, positiveNumber, wholeNumber } from '../../src/core/schemas.ts'
import {
  checkOptions,
  derived,
  describeSettings,
  type Entries,
  flagOf,
  required,
  setting,
  withDefault,
} from '../../src/core/settings.ts'
import { type AlgorithmName, algorithms } from '../../src/train/train.ts'
import { withTables } from '../../tools/docs.js'

const names = Object.keys(algorithms) as AlgorithmName[]
const schemas: Readonly<Record<string, Entries>> = {
  ...Object.fromEntries(names.map((name) => [name, algorithms[name].settings])),
  'amortized-svgd': amortizedSchema.entries,
}

const entries = {
  particles: setting(wholeNumber('particles', 1, 9), 4, 'How many there are.'),
  rate: derived(v.nullable(positiveNumber('rate')), 'that of the others', 'How fast they are.', null),
  task: required(v.string('task must be a text.'), 'What they do.'),
}

test('an entry tells its default, its range and its meaning', () => {
  expect(describeSettings({ ...entries, particles: withDefault(entries.particles, 5) })).toEqual([
    {
      name: 'particles',
      kind: 'whole',
      allowed: 'a whole number from 1 to 9',
      meaning: 'How many there are.',
      fallback: '5',
    },
    {
      ...{ name: 'rate', kind: 'number', allowed: 'a finite number above 0' },
      ...{ meaning: 'How fast they are.', fallback: 'that of the others' },
    },
    { name: 'task', kind: 'other', allowed: '', meaning: 'What they do.', fallback: null },
  ])
})

test('options are checked, filled in, and refused where there is no such name', () => {
  const schema = v.object(entries)
  expect(checkOptions('it', schema, { task: 'a', core: 1 }, ['core'])).toEqual({ particles: 4, rate: null, task: 'a' })
  expect(() => checkOptions('it', schema, { task: 'a', particle: 3 })).toThrow(
    new UsageError('it has no option "particle"; the nearest is particles.'),
  )
  expect(() => checkOptions('it', schema, { task: 'a', particles: 10 })).toThrow('from 1 to 9, got 10')
})

describe.each(Object.keys(schemas))('%s', (name) => {
  test('every setting says what it is and what is allowed, in sentences that end', () => {
    for (const { name: key, meaning, allowed } of describeSettings(schemas[name])) {
      expect(`${key}: ${meaning}`).toMatch(/^\w+: .*\S\.$/)
      if (!['ranges', 'components'].includes(key)) expect(`${key}: ${allowed}`).toMatch(/: \S/)
    }
  })

  test('a value of another kind is refused by the name of its setting', () => {
    const schema = v.object(schemas[name])
    const given = Object.fromEntries(
      describeSettings(schemas[name])
        .filter(({ fallback }) => fallback === null)
        .map(({ name: key }) => [key, key === 'ranges' ? { mass: [1, 2] } : [{}, {}]]),
    )
    for (const key of Object.keys(schemas[name]))
      for (const odd of [{}, 'odd', [Number.NaN], Number.NaN, -1, true, null, 2 ** 53]) {
        const { success, issues } = v.safeParse(schema, { ...given, [key]: odd }, { abortEarly: true })
        if (success) continue
        // A list tells of one of its entries.
        const [{ message }] = issues
        expect(message).toMatch(key.endsWith('idden') ? /hidden/i : new RegExp(`\\b${key}\\b`))
        expect(message).toMatch(/^[^\n]*\.$/)
      }
  })
})

describe.each(names)('train %s --help', (name) => {
  const command = addSettings(new Command(name), name)
  const help = command.helpInformation().replaceAll(/\s+/g, ' ')

  test('has every setting with its meaning and the default of the schema', () => {
    for (const { name: key, meaning, fallback } of describeSettings(schemas[name])) {
      expect(help).toContain(`${flagOf(key)} <`)
      expect(help).toContain(meaning.replace(/\.$/, '').replaceAll(/\s+/g, ' '))
      const option = command.options.find(({ long }) => long === flagOf(key))
      // The command shares particles out to workers; everything else is left to the schema.
      const expected = key === 'workers' ? 'auto' : fallback
      if (expected !== null) expect(option?.description).toContain(`default ${expected})`)
      expect(option?.defaultValue).toBe(key === 'workers' ? 'auto' : undefined)
      expect(option?.mandatory).toBe(fallback === null)
    }
  })

  test('every option reaches the configuration as what was typed', async () => {
    for (const described of describeSettings(schemas[name])) {
      const { name: key, kind, allowed, fallback } = described
      if (kind === 'other') continue
      const typed = typedFor(kind, allowed, fallback)
      const parsed = addSettings(new Command(name), name)
      for (const option of parsed.options) option.makeOptionMandatory(false)
      parsed.parse([flagOf(key), typed], { from: 'user' })
      const value = parsed.opts()[key]
      expect({ [key]: Array.isArray(value) ? value.join(',') : String(value) }).toEqual({ [key]: typed })
      const { success } = v.safeParse(schemas[name][key] as v.GenericSchema, value)
      expect({ [key]: success }).toEqual({ [key]: true })
    }
  })
})

/** Something that is allowed and is not the default. */
function typedFor(kind: string, allowed: string, fallback: string | null): string {
  if (kind === 'widths') return '7,5'
  if (kind === 'flag') return String(fallback !== 'true')
  if (kind === 'word')
    return allowed
      .replace('one of ', '')
      .split(', ')
      .find((word) => word !== fallback) as string
  if (kind === 'share') return '0.25'
  return kind === 'whole' ? '2' : '1.5'
}

test.each([
  ['sac', '--batch', '--batch-size'],
  ['sql', '--qs', '--critics'],
  ['s2ac', '--origin', '--start'],
  ['sac', '--start', '--warmup'],
  ['sql-compose', '--updates', '--gradient-steps'],
  ['s2ac', '--replay', '--replay-size'],
] as const)('%s %s is refused and %s named', (name, old, now) => {
  const command = addSettings(new Command(name), name)
  for (const option of command.options) option.makeOptionMandatory(false)
  expect(() => command.parse([old, '3'], { from: 'user' })).toThrow(new UsageError(`${old} is called ${now} now.`))
})

test('the tables in docs are those of the schemas: npm run docs:settings writes them', () => {
  const settings = Object.fromEntries(Object.entries(schemas).map(([name, found]) => [name, describeSettings(found)]))
  const folder = new URL('../../docs/', import.meta.url)
  const texts = readdirSync(folder)
    .filter((file) => file.endsWith('.md'))
    .map((file) => readFileSync(new URL(file, folder), 'utf8'))
  const told = texts.flatMap((text) => [...text.matchAll(/<!-- settings ([a-z0-9-]+) -->/g)].map(([, name]) => name))
  expect(told.sort()).toEqual(Object.keys(schemas).sort())
  // Biome pads the cells.
  const bare = (text: string) => text.replaceAll(/ +/g, ' ').replaceAll(/-{3,}/g, '---')
  for (const text of texts) expect(bare(withTables(text, settings))).toBe(bare(text))
})

test('a whole number that is not held exactly is told how large one may be', () => {
  const seed = wholeNumber('seed', 0)
  expect(() => check(seed, 2 ** 53)).toThrow(
    'seed must be a whole number from 0 to 9007199254740991, got 9007199254740992.',
  )
  expect(() => check(seed, -1)).toThrow('seed must be a whole number of at least 0, got -1.')
})
