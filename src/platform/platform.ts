/** What differs between Node and browsers, in one place. */
export interface Platform {
  readonly name: 'node' | 'browser'
  /** Monotonic clock in milliseconds. Only for showing and for deciding when to save, never for training. */
  now(): number
  /** Tells whoever runs this what is not an error: a warning of the process, or on the page's console. */
  warn(message: string): void
  /** Lets timers, signals and messages run. */
  breathe(): Promise<void>
  /**
   * Runs what starts a library, and takes away the listeners for errors that it adds to the process and that do nothing
   * but throw the error again: they end a process that handles its errors, and print the line of the library with them.
   */
  keepingErrorListeners<T>(start: () => Promise<T>): Promise<T>
  /** The value of a variable of the process; undefined where it is not set, and in a page. */
  variable(name: string): string | undefined
  /** Loads what starts other programs; null where none can be started. */
  loadChildren(): Promise<StartChild | null>
  readonly files: Files
  readonly threads: Threads
  /** In a worker: what is done with a message, and how it is answered. */
  readonly inbox: {
    onMessage(handle: (message: unknown) => void): void
    post(message: unknown): void
  }
}

/**
 * Workers that get messages and share nothing. Apart from the platform, as StartThread is, because a worker uses the
 * platform too, and bundlers refuse a worker that could start itself or hang on it.
 */
export interface Workers {
  /** Starts algorithms/workers/worker.ts. */
  start(listener: WorkerListener): WorkerHandle
  /** Starts sweeps/trial-thread.ts, whose answers have `more` while others follow; throws in a page. */
  startTrials(listener: WorkerListener): WorkerHandle
}

interface WorkerListener {
  onMessage(message: unknown): void
  /** The worker is no more, by itself or by an error; not called after stop(). */
  onEnd(reason: string): void
}

interface WorkerHandle {
  /** Sends a message; the process stays alive until the answer. */
  post(message: unknown): void
  stop(): void
}

/** Threads that share memory with this one. */
interface Threads {
  /** Whether they can be started here: a page must be cross-origin isolated. */
  available(): boolean
  /** How many run at once on this machine. */
  count(): number
  /** Called by the thread itself: prepares, tells that it is ready, and then works. */
  onStart<R>(prepare: (start: R) => Promise<() => void>): void
}

/** Runs a script by a command; null where there is no such command. */
export type StartChild = (command: string, script: URL) => Child | null

/**
 * Another program that is asked and answers without the event loop, over its file descriptors 3 (requests) and 4
 * (answers). What it prints goes to the standard error of this program.
 */
export interface Child {
  /** Sends all of it; false where the program has ended. */
  write(bytes: Uint8Array): boolean
  /** Waits for some bytes of what is to come, from `from` on; how many came, 0 where the program has ended. */
  read(into: Uint8Array, from: number): number
  /** Ends its requests. */
  stop(): void
}

/** Starts core/thread.ts on its own thread and resolves when it is ready. */
export type StartThread = (start: unknown) => Promise<{ stop(): void }>

interface PreparedFile {
  place(): Promise<void>
  drop(): Promise<void>
}

interface Files {
  /** The bytes at an address, which may be relative: to the working directory in Node, to the page in a browser. */
  fetch(address: URL | string): Promise<Uint8Array<ArrayBuffer>>
  exists(path: string): Promise<boolean>
  /** Whether it is not there, which nobody knows of what may not be looked at. */
  isMissing(path: string): Promise<boolean>
  makeDirectory(path: string): Promise<void>
  /** Removes a file if it is there. */
  remove(path: string): Promise<void>
  read(path: string): Promise<Uint8Array>
  /**
   * Writes the whole file or leaves the old one, on the disk too: neither a reader nor a loss of power finds half of
   * it.
   */
  write(path: string, data: string | Uint8Array): Promise<void>
  /** Writes it beside its place, on the disk too; `place` then puts it there, `drop` takes it away. */
  prepare(path: string, data: string | Uint8Array): Promise<PreparedFile>
  append(path: string, data: string | Uint8Array): Promise<void>
  /** What was appended to a file is on the disk. */
  sync(path: string): Promise<void>
  /** Of a file or a directory; what is there already stays an error. */
  rename(from: string, to: string): Promise<void>
  removeDirectory(path: string): Promise<void>
  /** Names of what is in a directory. */
  list(path: string): Promise<string[]>
  /** The name of a directory beside which others can be: without a slash at its end, no link, and neither . nor .. */
  place(path: string): Promise<string>
  /** Whether another disk begins there, so that it cannot be renamed. */
  isMount(path: string): Promise<boolean>
  /**
   * Takes a lock that ends with this process, however it ends; null while another one has it. Who takes it again in
   * this process has it too: it ends when all have given it back.
   *
   * @returns what gives it back
   */
  lock(path: string): Promise<(() => Promise<void>) | null>
}
