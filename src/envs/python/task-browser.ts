import { UsageError } from '../../core/errors.ts'

/** Pages start no other programs, and download nothing that would talk to them. */
export function pythonTask({ id }: { readonly id: string }): never {
  throw new UsageError(`${id}: Python is run from Node on Linux and macOS only.`)
}
