import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { hostname, platform as system, tmpdir } from 'node:os'
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

test('of a machine that shares the disk a lock counts while it gives signs of life', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'steinrl-test-'))
  const path = join(directory, 'run.lock')
  const agedBy = (seconds: number) => {
    const then = new Date(Date.now() - 1000 * seconds)
    return utimes(path, then, then)
  }
  try {
    // There may well be a process of that number here, or none.
    for (const pid of [process.pid, process.ppid, 999_999_999]) {
      await writeFile(path, `${pid} 1 another-machine`)
      expect(await files?.lock(path)).toBeNull()
      await agedBy(50)
      expect(await files?.lock(path)).toBeNull()
    }
    await agedBy(70)
    const release = await files?.lock(path)
    const text = await readFile(path, 'utf8')
    expect(text.split(' ')).toEqual([String(process.pid), expect.any(String), hostname()])
    await agedBy(1000)
    await until('a sign of life', async () => Date.now() - (await stat(path)).mtimeMs < 10_000, 20_000)
    expect(await readFile(path, 'utf8')).toBe(text)
    await release?.()
    await expect(stat(path)).rejects.toThrow('ENOENT')
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}, 30_000)
