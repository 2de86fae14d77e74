import { StorageError, show, UsageError } from '../core/errors.ts'

/** Files by name in the storage of a page, which closed tabs and restarts do not lose. */
export interface CheckpointStore {
  /**
   * Keeps files in the place of those of the same names: all of them, or, where the page is closed or the room is short
   * in between, none.
   *
   * @throws StorageError when the browser refuses, for want of room perhaps; what was kept stays then
   */
  put(files: Readonly<Record<string, Uint8Array>>): Promise<void>
  /** The bytes of a file; null where there is none of this name. */
  get(name: string): Promise<Uint8Array | null>
  /** Removes files; a name that there is none of is no error. */
  remove(...names: string[]): Promise<void>
  /** All names, sorted. */
  names(): Promise<string[]>
  /** Gives the database back: another page may then delete it. */
  close(): void
}

const FILES = 'files'

/**
 * A place for checkpoints in a page or its workers, an IndexedDB database of the page's origin:
 *
 *     const store = await openCheckpointStore()
 *     for await (const step of train({ env: 'CartPole-v1' }))
 *       if (step.iteration % 10 === 0) await store.put({ mine: await step.checkpoint() })
 *
 * and after the tab was closed: `train({ resume: await store.get('mine') })`. What is put is on the disk when the
 * promise resolves. A browser may clear the storage of an origin when its disk is short, unless
 * `navigator.storage.persist()` was granted.
 *
 * @param name of the database. Default 'steinrl'
 * @throws UsageError for a name that is no text, and where there is no IndexedDB, as in Node; StorageError where the
 *   browser does not open it, as in some private windows
 */
export async function openCheckpointStore(name = 'steinrl'): Promise<CheckpointStore> {
  if (typeof name !== 'string' || name === '')
    throw new UsageError(`The name of a checkpoint store must be a text, got ${show(name)}.`)
  if (typeof indexedDB === 'undefined')
    throw new UsageError(
      'There is no IndexedDB here to keep checkpoints in: in Node and the like, use a run directory.',
    )
  const opening = indexedDB.open(name, 1)
  opening.onupgradeneeded = () => opening.result.createObjectStore(FILES)
  const database = await done(opening, `open the checkpoint store ${show(name)}`)
  // Whoever deletes it must not wait for this page.
  database.onversionchange = () => database.close()
  const read = <T>(what: string, ask: (files: IDBObjectStore) => IDBRequest<T>): Promise<T> =>
    done(ask(database.transaction(FILES).objectStore(FILES)), what)
  const change = (what: string, make: (files: IDBObjectStore) => void): Promise<void> =>
    new Promise((resolve, reject) => {
      const transaction = database.transaction(FILES, 'readwrite', { durability: 'strict' })
      transaction.oncomplete = () => resolve()
      transaction.onabort = () => reject(refused(what, transaction.error))
      make(transaction.objectStore(FILES))
    })
  return {
    async put(files) {
      for (const [file, bytes] of Object.entries(files))
        if (!(bytes instanceof Uint8Array)) throw new UsageError(`${show(file)} must be bytes, got ${show(bytes)}.`)
      const names = Object.keys(files).map(show).join(' and ')
      await change(`keep ${names}`, (store) => {
        for (const [file, bytes] of Object.entries(files)) store.put(bytes, file)
      })
    },
    async get(file) {
      const found: unknown = await read(`read ${show(file)}`, (files) => files.get(file))
      return found instanceof Uint8Array ? found : null
    },
    remove: (...names) =>
      change(`remove ${names.map(show).join(' and ')}`, (files) => {
        for (const file of names) files.delete(file)
      }),
    names: async () => (await read('list the files', (files) => files.getAllKeys())).map(String),
    close: () => database.close(),
  }
}

const refused = (what: string, error: DOMException | null) =>
  new StorageError(
    `The browser could not ${what}: ${error?.name ?? 'AbortError'}, ${error?.message.replace(/\.$/, '') || 'no reason given'}.`,
  )

function done<T>(request: IDBRequest<T>, what: string): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result)
    request.onerror = () => reject(refused(what, request.error))
  })
}
