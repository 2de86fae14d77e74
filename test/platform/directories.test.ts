import { mkdtemp, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { platform as system, tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from '@jest/globals'
import { platform } from '#platform'

const { files } = platform
const make = async (path: string) => files?.makeDirectory(path)

test('a directory is made with those above it, once', async () => {
  const root = await mkdtemp(join(tmpdir(), 'steinrl-test-'))
  try {
    const path = join(root, 'a', 'b', 'c d')
    for (let time = 0; time < 2; time++) await make(path)
    await Promise.all([1, 2, 3].map(() => make(join(root, 'x', 'y', 'z'))))
    await make('/')
    await symlink(path, join(root, 'link'))
    await make(join(root, 'link', 'e'))
    for (const each of [path, join(root, 'x', 'y', 'z'), join(path, 'e')])
      expect((await stat(each)).isDirectory()).toBe(true)
    await writeFile(join(root, 'file'), '')
    await expect(make(join(root, 'file'))).rejects.toMatchObject({ code: 'EEXIST' })
    await expect(make(join(root, 'file', 'f'))).rejects.toMatchObject({ code: 'ENOTDIR' })
  } finally {
    await rm(root, { recursive: true })
  }
})

const onLinux = system() === 'linux' ? test : test.skip

onLinux('a place that takes no directories is an error, where Node tries for ever', async () => {
  await expect(make('/proc/none/of/these')).rejects.toMatchObject({ code: 'ENOENT' })
})
