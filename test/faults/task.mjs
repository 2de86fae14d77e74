// A task that goes wrong by the word in FAULT, once its thread has taken FAULT_STEPS steps.
import { isMainThread } from 'node:worker_threads'
import { box, discrete } from 'steinrl'

const { FAULT, FAULT_STEPS = '150' } = process.env
let taken = 0

const faults = {
  hang() {
    for (;;);
  },
  memory() {
    const all = []
    for (;;) all.push(new Array(1e5).fill(taken).map(String))
  },
  exit: () => process.exit(9),
  nan: () => Number.NaN,
  throw() {
    throw new Error('the engine broke')
  },
  /** Keep their thread busy in every step, as a large simulation does. */
  brief: () => busy(10),
  slow: () => busy(30),
}
function busy(milliseconds) {
  const until = performance.now() + milliseconds
  while (performance.now() < until);
}

const onlyInWorkers = ['hang', 'memory', 'exit']

function instance() {
  let at = 0
  return {
    reset: () => {
      at = 0
      return { obs: [0], info: {} }
    },
    step(action) {
      at += action === 1 ? 0.1 : -0.1
      const isHit = FAULT && ++taken > Number(FAULT_STEPS) && !(isMainThread && onlyInWorkers.includes(FAULT))
      const reward = (isHit ? faults[FAULT]() : null) ?? 1 - at * at
      return { obs: [at], reward, terminated: Math.abs(at) > 1, truncated: false, info: {} }
    },
    getState: () => [at],
    setState([x]) {
      at = x
    },
  }
}

export default {
  ...{ id: 'Faulty', module: import.meta.url, maxEpisodeSteps: 50 },
  ...{ observationSpace: box([-2], [2]), actionSpace: discrete(2), create: instance },
}
