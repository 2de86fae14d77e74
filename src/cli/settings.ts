import { type Command, Option } from 'commander'
import { RENAMED } from '../core/elsewhere.ts'
import { UsageError } from '../core/errors.ts'
import { describeSettings, flagOf, type SettingDescription } from '../core/settings.ts'
import { isSinglePolicy, POPULATION_SETTINGS, type SinglePolicyName } from '../train/single-policies.ts'
import { type AlgorithmName, algorithms } from '../train/train.ts'
import { flag, json, list, number, ranges } from './values.ts'

/** What can be trained by name: an algorithm, or one policy by an estimator of svpg. */
export type CommandName = AlgorithmName | SinglePolicyName

/** What each algorithm is, in a line. */
const ABOUT: Readonly<Record<CommandName, string>> = {
  svpg: 'Stein variational policy gradient: policies that learn and stay apart.',
  ppo: 'Proximal policy optimization: one policy, clipped steps.',
  a2c: 'Advantage actor-critic: one policy.',
  reinforce: 'REINFORCE with a baseline: one policy.',
  sac: 'Soft actor-critic: one Gaussian policy and two Q networks, off policy.',
  sql: 'Soft Q-learning: a sampler of actions that keeps all good ones, off policy.',
  s2ac: 'Stein soft actor-critic: actions are particles of SVGD with a known density, off policy.',
  'sql-compose': 'Learns several tasks and, without another step, the policy that is good at all of them.',
  adr: 'Active domain randomisation: an agent learns where particles find environments that differ.',
}

/** How the value of an option is shown in help and read from the command line. */
const KINDS = {
  whole: { shown: '<n>', read: number },
  number: { shown: '<x>', read: number },
  share: { shown: '<share>', read: number },
  word: { shown: '<word>', read: (text: string) => text },
  widths: { shown: '<widths>', read: list },
  flag: { shown: '<true|false>', read: flag },
  other: { shown: '<json>', read: json },
} as const satisfies Record<SettingDescription['kind'], { shown: string; read: (text: string) => unknown }>

/** Settings that the command line writes in a way of their own. */
const OWN: Readonly<Record<string, { shown: string; read: (text: string) => unknown; example: string }>> = {
  ranges: { shown: '<list>', read: ranges, example: 'as mass=0.5:2,length=0.5:1.5' },
  components: { shown: '<json>', read: json, example: 'as [{"goal1X":0},{"goal1Y":0}]' },
}

/** On the command line particles are shared out to workers: the bits are the same. */
const COMMAND_DEFAULTS: Readonly<Record<string, string>> = { workers: 'auto' }

/** Adds each setting of an algorithm as an option of its command. */
export function addSettings(command: Command, name: CommandName): Command {
  const all = describeSettings(algorithms[isSinglePolicy(name) ? 'svpg' : name].settings)
  const left: readonly string[] = isSinglePolicy(name) ? POPULATION_SETTINGS : []
  const described = all.filter((setting) => !left.includes(setting.name))
  for (const setting of described) command.addOption(optionOf(setting))
  const names = new Set(described.map((setting) => setting.name))
  for (const [old, now] of Object.entries(RENAMED))
    if (names.has(now) && !names.has(old)) command.addOption(renamed(old, now))
  return command.description(ABOUT[name])
}

function optionOf({ name, kind, allowed, meaning, fallback }: SettingDescription): Option {
  const { shown, read } = OWN[name] ?? KINDS[kind]
  const must = OWN[name]?.example ?? allowed
  const standard = COMMAND_DEFAULTS[name] ?? fallback
  const notes = [must, standard === null ? '' : `default ${standard}`].filter((note) => note !== '')
  const option = new Option(
    `${flagOf(name)} ${shown}`,
    `${meaning.replace(/\.$/, '')} (${notes.join('; ')})`,
  ).argParser(read)
  // What is left out takes the default of the schema.
  if (COMMAND_DEFAULTS[name]) option.default(COMMAND_DEFAULTS[name])
  return option.makeOptionMandatory(fallback === null).helpGroup('Settings:')
}

/** An option that had another name is refused with the one it has. */
const renamed = (old: string, now: string) =>
  new Option(`${flagOf(old)} <value>`).hideHelp().argParser(() => {
    throw new UsageError(`${flagOf(old)} is called ${flagOf(now)} now.`)
  })
