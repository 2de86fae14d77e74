#!/usr/bin/env node
import { Command } from 'commander'
import pc from 'picocolors'
import { isExpected, printable } from '../core/errors.ts'
import { version } from '../core/version.ts'
import { exitCodeOf, READER_LEFT } from './exit-codes.ts'
import { complaint } from './unknown-option.ts'

const program = new Command('steinrl')
  .version(version)
  .description('Stein variational reinforcement learning: populations of policies that learn and stay apart.')
  // So that --resume before an algorithm is that of train, and behind one its own.
  .enablePositionalOptions()
program.configureOutput(complainingOf(program))

/** Each is loaded when it is asked for: all of them take half a second. */
const commands: Record<string, () => Promise<Command>> = {
  train: async () => (await import('./train.ts')).trainCommand(),
  eval: async () => (await import('./eval.ts')).evalCommand(),
  experiment: async () => (await import('./experiment.ts')).experimentCommand(),
  sweep: async () => (await import('./sweep.ts')).sweepCommand(),
  export: async () => (await import('./export.ts')).exportCommand(),
  distil: async () => (await import('./distil.ts')).distilCommand(),
  fit: async () => (await import('./fit.ts')).fitCommand(),
  play: async () => (await import('./play.ts')).playCommand(),
  worker: async () => (await import('./cluster.ts')).workerCommand(),
  cluster: async () => (await import('./cluster.ts')).clusterCommand(),
}

// A reader that left early, as head does, is no bug: a shell is told of it as of the signal that Node ignores.
for (const stream of [process.stdout, process.stderr])
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error
    process.exitCode ??= READER_LEFT
  })

const [first] = process.argv.slice(2)
const asked = Object.hasOwn(commands, first ?? '') ? [first] : first === '--version' ? [] : Object.keys(commands)

try {
  for (const name of asked) {
    const command = await commands[name]()
    for (const each of [command, ...command.commands])
      each.copyInheritedSettings(program).configureOutput(complainingOf(each))
    program.addCommand(command)
  }
  await program.parseAsync()
} catch (error) {
  const { code, permission, message } = Object(error) as Error & { code?: string; permission?: string }
  if (code === 'ERR_ACCESS_DENIED') fail(`${message}: node --permission does not allow ${permission}.`)
  // An unexpected error is a bug: show where it came from.
  else if (!isExpected(error)) throw error
  else fail(message)
  process.exitCode = exitCodeOf(error)
}

function complainingOf(command: Command) {
  return { outputError: (text: string) => fail(complaint(text, command)) }
}

function fail(message: string): void {
  // Names from files of others must not write over the terminal.
  console.error(`${pc.red('steinrl:')} ${message.split('\n').map(printable).join('\n')}`)
}
