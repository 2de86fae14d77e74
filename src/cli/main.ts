#!/usr/bin/env node
import { Command } from 'commander'
import pc from 'picocolors'
import { isExpected } from '../core/errors.ts'
import { evalCommand } from './eval.ts'
import { trainCommand } from './train.ts'

const program = new Command('steinrl')
  .description('Stein variational reinforcement learning: populations of policies that learn and stay apart.')
  .addCommand(trainCommand())
  .addCommand(evalCommand())

try {
  await program.parseAsync()
} catch (error) {
  // An unexpected error is a bug: show where it came from.
  if (!isExpected(error)) throw error
  console.error(`${pc.red('steinrl:')} ${error.message}`)
  process.exitCode = 1
}
