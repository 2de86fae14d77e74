import type { WorkerEnd } from '../rl/pool-worker.ts'

/** What occupies a slot: a thread that does one job at a time. */
export interface SlotThread {
  /** Why it is no more; null while it is alive. */
  end(): WorkerEnd | null
  stop(): void
}

interface Slot {
  readonly thread: number
  run: string | null
  worker: SlotThread | null
  isBusy: boolean
}

/** The threads of one worker process: each does one job at a time, and keeps the rows of its last ones. */
export interface Slots {
  running(): number
  /**
   * Does a job of a run on the thread that is asked for, or on any; `start` makes a thread into one of that run. Throws
   * what `use` throws.
   */
  on<T extends SlotThread, R>(
    run: string,
    wanted: number | null,
    start: () => Promise<T>,
    use: (worker: T, thread: number) => Promise<R>,
  ): Promise<R>
  /** Ends threads of runs that are over. */
  keepOnly(runs: ReadonlySet<string>): void
  close(): void
}

export function createSlots(threads: number): Slots {
  const slots = Array.from(
    { length: threads },
    (_, thread): Slot => ({ thread, run: null, worker: null, isBusy: false }),
  )
  const waiting: (() => void)[] = []

  /** One that has been at this run before, one that is new, or another run's. */
  function free(run: string, wanted: number | null): Slot | undefined {
    const bound = wanted === null ? undefined : slots[wanted]
    if (bound?.run === run) return bound.isBusy ? undefined : bound
    const idle = slots.filter(({ isBusy }) => !isBusy)
    return idle.find((slot) => slot.run === run) ?? idle.find((slot) => slot.run === null) ?? idle[0]
  }

  async function take(run: string, wanted: number | null): Promise<Slot> {
    let slot = free(run, wanted)
    while (!slot) {
      await new Promise<void>((resolve) => waiting.push(resolve))
      slot = free(run, wanted)
    }
    slot.isBusy = true
    return slot
  }

  function empty(slot: Slot): void {
    slot.worker?.stop()
    Object.assign(slot, { run: null, worker: null })
  }

  return {
    running: () => slots.filter(({ isBusy }) => isBusy).length,
    async on<T extends SlotThread, R>(
      run: string,
      wanted: number | null,
      start: () => Promise<T>,
      use: (worker: T, thread: number) => Promise<R>,
    ) {
      const slot = await take(run, wanted)
      try {
        if (slot.run !== run || slot.worker?.end()) empty(slot)
        slot.worker ??= await start()
        slot.run = run
        return await use(slot.worker as T, slot.thread)
      } finally {
        if (slot.worker?.end()) empty(slot)
        slot.isBusy = false
        for (const wake of waiting.splice(0)) wake()
      }
    },
    keepOnly(runs) {
      for (const slot of slots) if (!slot.isBusy && slot.run !== null && !runs.has(slot.run)) empty(slot)
    },
    close() {
      for (const slot of slots) empty(slot)
    },
  }
}
