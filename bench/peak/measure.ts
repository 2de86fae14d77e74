import { readFile } from 'node:fs/promises'
import { setTimeout } from 'node:timers/promises'
import asc from 'assemblyscript/asc'

const ACCUMULATORS = [8, 10, 12] as const
const FLOPS = 16 // of one accumulator in one round: 4 lanes, multiplied and added, twice
// Shorter than the slices that a busy system deals out, so that some calls are not interrupted.
const CALL_MS = 0.5
const SAMPLES = 60
const ATTEMPTS = 5

type Kernel = (rounds: number, factor: number, term: number) => number

export interface Peak {
  /** GFLOP/s of f32x4 multiplications and additions, the best of the kernels. */
  readonly gflops: number
  readonly accumulators: number
}

/** Compiles peak.ts and lets V8 optimise it. The function returned measures for about 0.1 s. */
export async function compilePeak(): Promise<() => Peak> {
  const { instance } = await WebAssembly.instantiate(await compile())
  const kernels = ACCUMULATORS.map((accumulators) => ({
    accumulators,
    kernel: instance.exports[`peak${accumulators}`] as Kernel,
  }))
  for (const { kernel, accumulators } of kernels) await warmUp(kernel, accumulators)
  return () => {
    const peaks = kernels.map(({ kernel, accumulators }) => ({ accumulators, gflops: speed(kernel, accumulators) }))
    return peaks.reduce((best, peak) => (peak.gflops > best.gflops ? peak : best))
  }
}

async function compile(): Promise<Uint8Array<ArrayBuffer>> {
  const source = await readFile(new URL('peak.ts', import.meta.url), 'utf8')
  let binary = new Uint8Array()
  const options = [
    '--runtime',
    'stub',
    '--enable',
    'simd',
    '-O3',
    '--noAssert',
    '--use',
    'abort=',
    '--outFile',
    'peak.wasm',
  ]
  const { error, stderr } = await asc.main(['peak.ts', ...options], {
    readFile: (name) => (name === 'peak.ts' ? source : null),
    writeFile: (_, contents) => {
      binary = contents as typeof binary
    },
    listFiles: () => [],
  })
  if (error) throw new Error(`peak.ts does not compile: ${stderr}`)
  return binary
}

/**
 * Short calls until TurboFan's code has taken over from the baseline compiler's (they change place between calls, not in a
 * loop), then the proof that the work is done: twice the rounds take twice the time.
 */
async function warmUp(kernel: Kernel, accumulators: number): Promise<void> {
  for (let pause = 0; pause < 3; pause++) {
    for (let k = 0; k < 300; k++) kernel(3000, 1, 0)
    await setTimeout(20)
  }
  let ratio = 0
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const rounds = roundsOf(kernel, accumulators)
    ratio = fastest(kernel, 2 * rounds) / fastest(kernel, rounds)
    if (ratio > 1.9 && ratio < 2.1) return
  }
  throw new Error(`peak${accumulators}: twice the rounds take ${ratio.toFixed(2)} times as long; is the machine busy?`)
}

function speed(kernel: Kernel, accumulators: number): number {
  const rounds = roundsOf(kernel, accumulators)
  return (rounds * accumulators * FLOPS) / (fastest(kernel, rounds) * 1e6)
}

/** Rounds that take about CALL_MS. */
function roundsOf(kernel: Kernel, accumulators: number): number {
  const trial = Math.round(1e6 / accumulators)
  return Math.round((trial * CALL_MS) / fastest(kernel, trial))
}

/** Shortest time of a call in ms. */
function fastest(kernel: Kernel, rounds: number): number {
  let best = Number.POSITIVE_INFINITY
  for (let k = 0; k < SAMPLES; k++) {
    const start = performance.now()
    // Neither growing nor shrinking: no infinite and no subnormal number slows it down.
    const result = kernel(rounds, 0.5, 1)
    best = Math.min(best, performance.now() - start)
    if (!(Math.abs(result) > 1)) throw new Error(`The peak kernel returned ${result}.`)
  }
  return best
}
