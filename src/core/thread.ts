// What a worker thread of a thread pool runs: it waits for a round, does its part of it, and waits again.
import { platform } from '#platform'
import { instantiateCore } from './module.ts'
import { attempt, ControlBlock, call, claim, opNames, type ThreadStart } from './thread-pool.ts'

// How often it looks before it sleeps: the stages of one direction follow each other within some 100 µs.
const SPINS = 20_000

platform.threads.onStart(async ({ module, memory, control, thread, size }: ThreadStart) => {
  const ops = await instantiateCore(module, memory)
  const names = opNames(ops)
  const counters = new Int32Array(control, 0, 4)
  const claims = new Int32Array(control, ControlBlock.claims(size), size)
  const slot = new Float64Array(control, ControlBlock.header, size * ControlBlock.slots).subarray(
    thread * ControlBlock.slots,
    (thread + 1) * ControlBlock.slots,
  )
  let round = Atomics.load(claims, thread)
  return () => {
    for (;;) {
      for (let k = 0; k < SPINS && Atomics.load(counters, ControlBlock.round) === round; k++);
      Atomics.wait(counters, ControlBlock.round, round)
      if (Atomics.load(counters, ControlBlock.round) === round) continue
      round = Atomics.load(counters, ControlBlock.round)
      if (!claim(claims, thread, round)) continue
      attempt(counters, () => call(ops, names[slot[0]], Array.from(slot.subarray(2, 2 + slot[1]))))
      // Whatever has happened: the other one waits for it.
      Atomics.add(counters, ControlBlock.done, 1)
    }
  }
})
