#!/usr/bin/env node
import { Command } from 'commander'
import pc from 'picocolors'
import { isExpected } from '../core/errors.ts'
import { version } from '../core/version.ts'
import { clusterCommand, workerCommand } from './cluster.ts'
import { evalCommand } from './eval.ts'
import { exitCodeOf, READER_LEFT } from './exit-codes.ts'
import { experimentCommand } from './experiment.ts'
import { exportCommand } from './export.ts'
import { fitCommand } from './fit.ts'
import { playCommand } from './play.ts'
import { sweepCommand } from './sweep.ts'
import { trainCommand } from './train.ts'

const program = new Command('steinrl')
  .version(version)
  .description('Stein variational reinforcement learning: populations of policies that learn and stay apart.')
  // So that --resume before an algorithm is that of train, and behind one its own.
  .enablePositionalOptions()
  .configureOutput({
    // One line that begins like those for wrong values.
    outputError: (text) =>
      fail(
        text
          .replace(/^error: /, '')
          .trim()
          .replaceAll('\n', ' '),
      ),
  })
const commands = [
  trainCommand(),
  evalCommand(),
  experimentCommand(),
  sweepCommand(),
  exportCommand(),
  fitCommand(),
  playCommand(),
]
for (const command of [...commands, workerCommand(), clusterCommand()]) {
  for (const each of [command, ...command.commands]) each.copyInheritedSettings(program)
  program.addCommand(command)
}

// A reader that left early, as head does, is no bug: a shell is told of it as of the signal that Node ignores.
for (const stream of [process.stdout, process.stderr])
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error
    process.exitCode ??= READER_LEFT
  })

try {
  await program.parseAsync()
} catch (error) {
  // An unexpected error is a bug: show where it came from.
  if (!isExpected(error)) throw error
  fail(error.message)
  process.exitCode = exitCodeOf(error)
}

function fail(message: string): void {
  console.error(`${pc.red('steinrl:')} ${message}`)
}
