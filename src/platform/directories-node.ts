import { mkdir, rmdir, stat } from 'node:fs/promises'
import { dirname, join, relative, sep } from 'node:path'

/**
 * Makes a directory and those above it: the topmost one that was not there. Node's own tries for ever where a directory
 * takes none, as /proc does.
 */
export async function makeDirectories(path: string): Promise<string | undefined> {
  const made = await madeDirectory(path)
  if (made !== 'no parent') return made ? path : undefined
  const top = dirname(path) === path ? undefined : await makeDirectories(dirname(path))
  if ((await madeDirectory(path)) !== 'no parent') return top ?? path
  throw Object.assign(new Error(`ENOENT: no such file or directory, mkdir '${path}'`), { code: 'ENOENT' })
}

/** Whether it was made, and is not there already. */
const madeDirectory = (path: string): Promise<boolean | 'no parent'> =>
  mkdir(path).then(
    () => true,
    async (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return 'no parent'
      const isThere = await stat(path)
        .then((found) => found.isDirectory())
        .catch(() => false)
      if (isThere) return false
      throw error
    },
  )

/** Removes a directory, and those above it up to `top`, that nothing was put into. */
export async function removeEmpty(path: string, top: string): Promise<void> {
  const parents = relative(top, path).split(sep).filter(Boolean)
  try {
    for (let depth = parents.length; depth >= 0; depth--) await rmdir(join(top, ...parents.slice(0, depth)))
  } catch {
    // Something is in it.
  }
}
