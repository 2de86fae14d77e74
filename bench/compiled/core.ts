import { createArena } from '../../src/core/arena.ts'
import { f32, i32, padded } from '../../src/core/layout.ts'
import { compileCore } from '../../src/core/module.ts'
import { Purpose } from '../../src/core/random.ts'
import { mlpScratch, mlpStruct, outputFloats } from '../../src/nn/fused.ts'
import { ActivationKind, mlp, type Network } from '../../src/nn/network.ts'
import { steinDirection } from '../../src/svgd/direction.ts'
import { steinFields } from '../../src/svgd/fields.ts'
import { rbf } from '../../src/svgd/kernels.ts'
import { compilePeak } from '../peak/measure.ts'

// How much of the peak of WASM's f32x4 multiplications and additions the core reaches in this process.

export interface PeakRow {
  readonly name: string
  readonly ms: number
  readonly min: number
  readonly gflops: number
  readonly peak: number
  readonly percent: number
  readonly goal: number
}

interface Work {
  readonly name: string
  readonly flops: number
  readonly goal: number
  start(): Promise<() => unknown>
}

const SAMPLES = 15
const SAMPLE_MS = 4

/** % of peak that are asked at n × d. */
const DIRECTIONS = [
  [16, 5000, 55],
  [64, 5000, 80],
  [1024, 256, 80],
  [2048, 10000, 80],
] as const

/** Dense kernels and the Stein direction, one thread. */
export async function peakRows(): Promise<PeakRow[]> {
  const peak = await compilePeak()
  const works = [
    passes('17-256-256-6, relu, batch 256', mlp([17, 256, 256, 6], { hidden: 'relu' }), 256, 85),
    passes('4-100-50-25-1, tanh, batch 1000', mlp([4, 100, 50, 25, 1]), 1000, 75),
    ...DIRECTIONS.map(([n, d, goal]) => direction(n, d, goal)),
  ]
  const rows: PeakRow[] = []
  for (const { name, flops, goal, start } of works) {
    const run = await start()
    const count = Math.max(1, Math.round(SAMPLE_MS / fastestOf(run)))
    const times: number[] = []
    const peaks: number[] = []
    // In turn, so that both meet the same machine; for long calls a few are enough.
    for (let k = 0; k < (count === 1 ? 2 : SAMPLES); k++) {
      peaks.push(peak().gflops)
      const started = performance.now()
      for (let t = 0; t < count; t++) run()
      times.push((performance.now() - started) / count)
    }
    times.sort((a, b) => a - b)
    const [ms, min, reached] = [times[times.length >> 1], times[0], Math.max(...peaks)]
    const gflops = flops / (min * 1e6)
    rows.push({ name, ms, min, gflops, peak: reached, percent: (100 * gflops) / reached, goal })
  }
  return rows
}

/** The fastest of some calls, which also warm the engine. */
function fastestOf(run: () => unknown): number {
  let least = Number.POSITIVE_INFINITY
  for (const until = performance.now() + 300; performance.now() < until || least === Number.POSITIVE_INFINITY; ) {
    const started = performance.now()
    run()
    least = Math.min(least, performance.now() - started)
  }
  return least
}

/** A pass forth and one back by the weights: the first layer has no gradient by its inputs. */
function passes(name: string, net: Network, rows: number, goal: number): Work {
  const products = net.layers.map(({ inputs, outputs }) => inputs * outputs)
  const flops = 2 * rows * (3 * products.reduce((a, b) => a + b) - products[0])
  const start = async () => {
    const last = net.widths[net.widths.length - 1]
    const { strips, tile, terms } = mlpScratch(net)
    const { ops, at, view } = await createArena(await compileCore(), {
      ...{ net: mlpStruct.field, widths: i32(net.widths.length), kinds: i32(net.layers.length) },
      ...{ theta: f32(net.size + 4), gradient: f32(net.size + 4), x: f32(rows * net.widths[0] + 4), dx: f32(4) },
      ...{ outputs: f32(rows, outputFloats(net)), y: f32(rows * last + 4), dy: f32(rows * last + 4) },
      ...{ strips: f32(strips), tile: f32(tile), terms: f32(terms) },
    })
    view.widths.set(net.widths)
    view.kinds.set(net.layers.map(({ activation }) => ActivationKind[activation]))
    fill(view.theta, 0.1)
    fill(view.x, 1)
    mlpStruct.write(view.net, { ...at, networks: 1, rows, layers: net.layers.length, known: 0 })
    return () => {
      ops.trainingForward(at.net)
      fill(view.dy.subarray(0, last), 1)
      ops.trainingBackward(at.net)
    }
  }
  return { name: `networks ${name}`, flops, goal, start }
}

/** 3 n² d flops: half of the symmetric Gram matrix, and one product. Particles and scores are independent N(0, I). */
function direction(n: number, d: number, goal: number): Work {
  const start = async () => {
    const kernel = rbf()
    const arena = await createArena(await compileCore(), steinFields(n, d, { kernel, norms: false, threads: 1 }))
    const { ops, at } = arena
    for (const [use, to] of [at.theta, at.score].entries()) {
      for (let i = 0; i < n; i++) ops.fillNormal(to + i * padded(d) * 4, d, 1, 2, Purpose.noise, i, use, 0)
    }
    return () => steinDirection(arena, { particles: n, dimension: d }, kernel)
  }
  return { name: `direction ${n} × ${d}`, flops: 3 * n * n * d, goal, start }
}

function fill(values: Float32Array, size: number): void {
  for (let k = 0; k < values.length; k++) values[k] = size * Math.sin(12.9898 * (k + 1))
}
