import { execFile } from 'node:child_process'
import { mkdir, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const repository = fileURLToPath(new URL('..', import.meta.url))
const run = promisify(execFile)

/**
 * A folder in which `import 'steinrl'` finds what npm would publish, unpacked, with its dependencies linked from this
 * repository instead of installed. dist/ must be built.
 */
export async function unpackInto(folder: string): Promise<{ packageFolder: string }> {
  const modules = join(folder, 'node_modules')
  await mkdir(modules, { recursive: true })
  await run('npm', ['pack', '--ignore-scripts', '--silent', '--pack-destination', folder], { cwd: repository })
  const tarball = (await readdir(folder)).find((name) => name.endsWith('.tgz')) as string
  await run('tar', ['-xzf', tarball, '--directory', modules], { cwd: folder })
  await rm(join(folder, tarball))
  const packageFolder = join(modules, 'steinrl')
  await run('mv', [join(modules, 'package'), packageFolder])
  const { dependencies } = JSON.parse(await readFile(join(packageFolder, 'package.json'), 'utf8'))
  for (const name of Object.keys(dependencies)) {
    await mkdir(dirname(join(modules, name)), { recursive: true })
    await symlink(join(repository, 'node_modules', name), join(modules, name))
  }
  await writeFile(join(folder, 'package.json'), '{ "name": "consumer", "private": true, "type": "module" }\n')
  return { packageFolder }
}
