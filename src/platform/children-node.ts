import type { ChildProcess } from 'node:child_process'
import { closeSync, mkdtempSync, openSync, readSync, rmSync, statSync, writeSync } from 'node:fs'
import { platform as system, tmpdir } from 'node:os'
import { join } from 'node:path'
import nodeProcess from 'node:process'
import { fileURLToPath } from 'node:url'
import type { Child, StartChild } from './platform.ts'

// Processes that answer while this thread waits. The pipes that Node makes do not block; named ones of the system do.

/** Loads what starts processes; null on a system without named pipes. */
export async function loadChildren(): Promise<StartChild | null> {
  if (system() === 'win32') return null
  const { spawn, execFileSync } = await import('node:child_process')
  return (command, script) => {
    let directory = ''
    try {
      directory = mkdtempSync(join(tmpdir(), 'steinrl-pipe-'))
      const paths = ['requests', 'answers'].map((name) => join(directory, name))
      execFileSync('mkfifo', paths)
      const [requests, answers] = paths.map(openPipe)
      const child = spawn(command, [fileURLToPath(script)], {
        stdio: ['ignore', 2, 2, requests.read, answers.write],
        env: { ...nodeProcess.env, PYTHONUNBUFFERED: '1' },
      })
      // Where there is no such command, it has no number.
      child.on('error', () => {})
      closeSync(requests.read)
      closeSync(answers.write)
      const open = childOf(child, requests.write, answers.read)
      if (child.pid !== undefined) return open
      open.stop()
      return null
    } finally {
      if (directory) rmSync(directory, { recursive: true })
      // Node's search for modules takes the last file that was looked at for its own: behind a pipe it stops at links,
      // so that a package which is linked, as pnpm does, is loaded a second time.
      statSync(tmpdir())
    }
  }
}

/** Both ends of a named pipe. An end alone waits for the other one, which a third that has both prevents. */
function openPipe(path: string): { readonly read: number; readonly write: number } {
  const both = openSync(path, 'r+')
  const ends = { read: openSync(path, 'r'), write: openSync(path, 'w') }
  closeSync(both)
  return ends
}

function childOf(child: ChildProcess, requests: number, answers: number): Child {
  let open = true
  // It ends when its requests do, so nobody has to wait for it.
  child.unref()
  return {
    write: (bytes) => whole(bytes, (from) => pipeGone(() => writeSync(requests, bytes, from))),
    read: (into, from) => pipeGone(() => readSync(answers, into, from, into.length - from, null)),
    stop() {
      if (!open) return
      open = false
      closeSync(requests)
      closeSync(answers)
    },
  }
}

/** Moves all bytes; false where the pipe has no other end. */
function whole({ length }: Uint8Array, move: (from: number) => number): boolean {
  for (let from = 0; from < length; ) {
    const moved = move(from)
    if (moved === 0) return false
    from += moved
  }
  return true
}

function pipeGone(move: () => number): number {
  try {
    return move()
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EPIPE') return 0
    throw error
  }
}
