import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { platform as system, tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from '@jest/globals'
import { platform } from '#platform'
import { until } from '../cli/steinrl.ts'

const { files } = platform

// As in a container, whose first process often asks for no other one's end.
const onLinux = system() === 'linux' ? test : test.skip

onLinux('a process that was killed has no lock, also where nobody has asked how it ended', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'steinrl-test-'))
  const parent = spawn('sh', ['-c', 'sleep 1000 & echo $!; exec sleep 1000'])
  try {
    const [text] = await once(parent.stdout, 'data')
    const child = Number(text)
    const path = join(directory, 'run.lock')
    await writeFile(path, `${child} `)
    expect(await files?.lock(path)).toBeNull()
    // The shell is another program by then, which waits for no child.
    process.kill(child, 'SIGKILL')
    let release: (() => Promise<void>) | null | undefined
    await until('the lock', async () => {
      release = await files?.lock(path)
      return release !== null
    })
    expect(() => process.kill(child, 0)).not.toThrow()
    await release?.()
  } finally {
    parent.kill()
    await rm(directory, { recursive: true, force: true })
  }
})
