import { readFile } from 'node:fs/promises'
import { setTimeout } from 'node:timers/promises'
import asc from 'assemblyscript/asc'

const ACCUMULATORS = [8, 10, 12, 13] as const
const FLOPS = 8 // of one accumulator in one round: 4 lanes, multiplied and added
const DATA = 64 // where the kernels find their numbers
// Shorter than the slices that a busy system deals out, so that some calls are not interrupted.
const CALL_MS = 0.5
const SAMPLES = 60
const ATTEMPTS = 5

type Kernel = (rounds: number) => void

export interface Peak {
  /** GFLOP/s of f32x4 multiplications and additions, the best of the kernels. */
  readonly gflops: number
  readonly accumulators: number
}

/** Compiles peak.ts and lets V8 optimise it. The function returned measures for about 0.1 s. */
export async function compilePeak(): Promise<() => Peak> {
  const { instance } = await WebAssembly.instantiate(await compile())
  const kernels = ACCUMULATORS.map((accumulators) => ({ accumulators, kernel: kernelOf(instance, accumulators) }))
  for (const { kernel, accumulators } of kernels) await warmUp(kernel, accumulators)
  return () => {
    const peaks = kernels.map(({ kernel, accumulators }) => ({ accumulators, gflops: speed(kernel, accumulators) }))
    return peaks.reduce((best, peak) => (peak.gflops > best.gflops ? peak : best))
  }
}

/** With the numbers in place: b = 0.5 and c = 1 lead every s to 2, so that nothing becomes infinite or subnormal. */
function kernelOf({ exports }: WebAssembly.Instance, accumulators: number): Kernel {
  const run = exports[`peak${accumulators}`] as (rounds: number, data: number) => void
  const numbers = new Float32Array((exports.memory as WebAssembly.Memory).buffer, DATA, 4 * (2 + accumulators))
  numbers.fill(1).fill(0.5, 0, 4)
  return (rounds) => {
    run(rounds, DATA)
    if (Math.abs(numbers[8] - 2) > 1e-3) throw new Error(`The peak kernel returned ${numbers[8]}.`)
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
    '--initialMemory',
    '1',
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
 * Short calls until TurboFan's code has taken over from the baseline compiler's (they change place between calls, not
 * in a loop), then the proof that the work is done: twice the rounds take twice the time.
 */
async function warmUp(kernel: Kernel, accumulators: number): Promise<void> {
  for (let pause = 0; pause < 3; pause++) {
    for (let k = 0; k < 300; k++) kernel(3000)
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
  // The median, as of what is compared with it.
  return (rounds * accumulators * FLOPS) / (median(timesOf(kernel, rounds)) * 1e6)
}

/** Rounds that take about CALL_MS. */
function roundsOf(kernel: Kernel, accumulators: number): number {
  const trial = Math.round(1e6 / accumulators)
  return Math.round((trial * CALL_MS) / fastest(kernel, trial))
}

/** Times of calls in ms. */
function timesOf(kernel: Kernel, rounds: number): number[] {
  return Array.from({ length: SAMPLES }, () => {
    const start = performance.now()
    kernel(rounds)
    return performance.now() - start
  })
}

const fastest = (kernel: Kernel, rounds: number) => Math.min(...timesOf(kernel, rounds))

function median(times: number[]): number {
  times.sort((a, b) => a - b)
  return times[times.length >> 1]
}
