// What a worker thread of a thread pool runs: it waits for a round, does its part of it, and waits again.
import { platform } from '#platform'
import { instantiateCore } from './module.ts'
import { Board, call, opNames, type ThreadStart } from './thread-pool.ts'

// How often it looks before it sleeps: the stages of one direction follow each other within some 100 µs.
const GLANCES = 20_000

platform.threads.onStart(async ({ module, memory, board, member }: ThreadStart) => {
  const ops = await instantiateCore(module, memory)
  const names = opNames(ops)
  const control = new Int32Array(board, 0, 4)
  const slot = new Float64Array(board, Board.header).subarray(member * Board.slots, (member + 1) * Board.slots)
  let round = Atomics.load(control, Board.round)
  return () => {
    for (;;) {
      for (let k = 0; k < GLANCES && Atomics.load(control, Board.round) === round; k++);
      Atomics.wait(control, Board.round, round)
      if (Atomics.load(control, Board.round) === round) continue
      round = Atomics.load(control, Board.round)
      try {
        if (slot[0] >= 0) call(ops, names[slot[0]], Array.from(slot.subarray(2, 2 + slot[1])))
      } catch {
        Atomics.add(control, Board.failed, 1)
      }
      // Whatever has happened: the others wait for it.
      Atomics.add(control, Board.done, 1)
    }
  }
})
