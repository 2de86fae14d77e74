import { platform } from '#platform'
import { show, UsageError } from '../core/errors.ts'
import { exchange, newOf, recover, takeOver } from './run.ts'
import { FILES, fileOf, writing } from './run-files.ts'

// A run directory as files by name, which goes to another machine and comes back.

const { files } = platform

/** The files of a run by their names, those of its checkpoints as checkpoint/NAME. */
export type RunContent = Readonly<Record<string, Uint8Array>>

const { checkpoint, ...SINGLE } = FILES

const CHECKPOINT_FILE = new RegExp(`^${checkpoint}/[^\\\\/.][^\\\\/]*\\.safetensors$`)

/** What a run directory holds; nothing where there is none. */
export async function readContent(path: string): Promise<RunContent> {
  const names: string[] = Object.values(SINGLE)
  if (await files.exists(fileOf(path, 'checkpoint')))
    names.push(...(await files.list(fileOf(path, 'checkpoint'))).map((name) => `${checkpoint}/${name}`))
  const found: Record<string, Uint8Array> = {}
  for (const name of names.filter(isKnown)) {
    if (!(await files.exists(`${path}/${name}`))) continue
    const { buffer, byteOffset, byteLength } = await files.read(`${path}/${name}`)
    found[name] = new Uint8Array(buffer, byteOffset, byteLength)
  }
  return found
}

const isKnown = (name: string) =>
  CHECKPOINT_FILE.test(name) || (Object.values(SINGLE) as readonly string[]).includes(name)

/**
 * Files of a run from what was sent.
 *
 * @throws UsageError, as the end of a sentence, for a name that no run has
 */
export function checkedContent(given: unknown): RunContent {
  const entries = typeof given === 'object' && given !== null ? Object.entries(given) : null
  const wrong = entries?.find(([name, bytes]) => !isKnown(name) || !(bytes instanceof Uint8Array))
  if (entries && !wrong) return given as RunContent
  throw new UsageError(wrong ? `it has the file ${show(wrong[0])}, which no run has.` : 'it has no files.')
}

/** Makes a directory of the files. */
export async function unpackContent(path: string, content: RunContent): Promise<void> {
  await writing(path, async () => {
    await files.removeDirectory(path)
    await files.makeDirectory(path)
    if (Object.keys(content).some((name) => CHECKPOINT_FILE.test(name)))
      await files.makeDirectory(fileOf(path, 'checkpoint'))
    for (const [name, bytes] of Object.entries(content)) await files.write(`${path}/${name}`, bytes)
  })
}

/**
 * Puts a run that was done elsewhere in the place of what is there: whenever the process ends, one of the two is there
 * as a whole. The caller has the lock of the run.
 */
export async function storeContent(path: string, content: RunContent): Promise<void> {
  const place = newOf(path)
  await unpackContent(place, content)
  await writing(path, async () => {
    await recover(path)
    const old = await exchange(place, path)
    if (old) await takeOver(old, path)
  })
}
