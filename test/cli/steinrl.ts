// Runs the built command as a user's shell would.
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const main = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url))

/** The smallest population that still learns, interacts and is evaluated. */
export const SMALL = [
  ...['--particles', '2', '--iterations', '2', '--steps', '16'],
  ...['--environments', '2', '--hidden', '8', '--eval-episodes', '2'],
]

export interface Ended {
  code: number | null
  signal: NodeJS.Signals | null
  stdout: string
  stderr: string
}

export interface Running {
  child: ChildProcess
  /** What came so far. */
  output: { stdout: string; stderr: string }
  ended: Promise<Ended>
}

/** What a process gets beside the arguments of the command. */
interface Around {
  /** Arguments of Node. */
  readonly node?: readonly string[]
  readonly env?: Readonly<Record<string, string>>
}

/** Starts the command in `directory`. */
export function start(directory: string, args: readonly string[], { node = [], env = {} }: Around = {}): Running {
  // Jest asks for colours when it runs on a terminal.
  const { FORCE_COLOR, ...inherited } = process.env
  const child = spawn(process.execPath, [...node, main, ...args], {
    cwd: directory,
    env: { ...inherited, NO_COLOR: '1', ...env },
  })
  const output = { stdout: '', stderr: '' }
  child.stdout.setEncoding('utf8').on('data', (text) => {
    output.stdout += text
  })
  child.stderr.setEncoding('utf8').on('data', (text) => {
    output.stderr += text
  })
  const ended = new Promise<Ended>((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code, signal) => resolve({ code, signal, ...output }))
  })
  return { child, output, ended }
}

export const run = (directory: string, ...args: readonly string[]): Promise<Ended> => start(directory, args).ended

/** Calls `use` with a new empty directory and removes it afterwards. */
export async function inTemporaryDirectory(use: (directory: string) => Promise<void>): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'steinrl-test-'))
  try {
    await use(directory)
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}

/** Waits until `condition` holds; gives up with an error that says for what. */
export async function until(what: string, condition: () => boolean | Promise<boolean>, withinMs = 60_000) {
  const started = performance.now()
  while (!(await condition())) {
    if (performance.now() - started > withinMs) throw new Error(`Waited ${withinMs} ms in vain for ${what}.`)
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}

/** Every file below a directory with its bytes in hexadecimal. */
export async function contents(directory: string): Promise<Record<string, string>> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true })
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
  return Object.fromEntries(
    await Promise.all(
      files.sort().map(async (file) => [file.slice(directory.length + 1), (await readFile(file)).toString('hex')]),
    ),
  )
}

export const lines = (text: string) => text.split('\n').filter((line) => line !== '')
