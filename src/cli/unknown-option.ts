import type { Command } from 'commander'
import { meantBy } from '../core/elsewhere.ts'
import { show } from '../core/errors.ts'
import { flagOf } from '../core/settings.ts'

export const EXAMPLE = 'steinrl train ppo CartPole-v1'

const ARGUMENTS = `algorithm and environment are arguments here, as in ${EXAMPLE}`
const IN_FILE = 'the file of the space says it'

/** Options of other programs that are no settings: what a training does around learning. */
const AROUND = {
  tensorboardlog: 'it is --log tensorboard here',
  track: 'it is --log tensorboard, csv or mlflow here',
  evalfreq: 'it is called --eval-every here',
  nevalepisodes: 'it is called --eval-episodes here',
  savefreq: 'it is called --checkpoint-every here',
  envkwargs: 'it is called --constants here',
  policy: 'policies are networks of --hidden and --activation here',
  policykwargs: 'policies are networks of --hidden and --activation here',
  device: 'all of it runs on processors here',
  verbose: 'progress is always told here, with --json in lines',
}

/** Where to give what other programs take as these options: in a file to sweep, as arguments elsewhere. */
const placesOf = (command: Command) => {
  const place = command.name() === 'sweep' ? IN_FILE : ARGUMENTS
  const trains = command.options.some((option) => option.attributeName() === 'evalEvery')
  return { ...(trains && AROUND), env: place, envid: place, environment: place, algo: place, algorithm: place }
}

/** The sentence about an option that a command does not have, with the one that is meant. */
function unknownOption(flag: string, command: Command): string {
  const [, name, value] = /^(--[^=]+)=(.*)$/.exec(flag) ?? []
  if (isSwitch(command, name)) return `${name} is on or left out and takes no value, got ${show(value)}.`
  const known = command.options.filter(({ hidden }) => !hidden).map((option) => option.attributeName())
  const written = { as: flagOf, places: placesOf(command) }
  return `unknown option '${flag}'${meantBy(flag.replace(/^-+/, ''), known, written)}`
}

/** Whether a flag is an option of the command that stands alone. */
const isSwitch = (command: Command, flag: string | undefined) =>
  command.options.some((option) => option.long === flag && !option.required && !option.optional)

/** The sentence about a word behind all arguments; one behind a switch was meant for it. */
function oneTooMany(command: Command): string {
  const extra = command.args[command.registeredArguments.length]
  const at = process.argv.indexOf(extra)
  const before = process.argv[at - 1]
  const hint = isSwitch(command, before) ? `; ${before} is on or left out and takes no value` : ''
  return `${command.name()} has an argument too many, ${show(extra)}${hint}.`
}

/** The commands that there are. */
const instead = ({ commands }: Command) => `; there are ${commands.map((each) => each.name()).join(', ')}.`

/** What a command complains of, in one line that begins like those for wrong values. */
export function complaint(text: string, command: Command): string {
  const line = text
    .replace(/^error: /, '')
    .trim()
    .replaceAll('\n', ' ')
  if (line.startsWith('too many arguments')) return oneTooMany(command)
  if (line.startsWith('unknown command')) return `${line.replace(/\.$/, '')}${instead(command)}`
  const [, flag] = /^unknown option '([^']+)'/.exec(line) ?? []
  return flag ? unknownOption(flag, command) : line
}
