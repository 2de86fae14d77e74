// Every op of the core that can be called on plain arrays, on fixed input. The ops that read records of many fields
// (direction, policies, networks, vectors, rollouts) are run by the other sections, through the library: see
// indirect.ts.

import { environments } from 'steinrl/envs'
import { compileCore } from 'steinrl/svgd'
import { numbers, type Section } from './sections.ts'

type Op = (...args: number[]) => number

const BYTES = 1 << 20
const PAGE = 65536

/** Arrays on the memory of one instance of the core, and the core's ops. */
interface Workbench {
  readonly op: (name: string) => Op
  f32(values: number | readonly number[]): Float32Array
  f64(values: number | readonly number[]): Float64Array
  i32(values: number | readonly number[]): Int32Array
  u32(values: number | readonly number[]): Uint32Array
  u8(values: number | readonly number[]): Uint8Array
}

async function workbench(module: WebAssembly.Module): Promise<Workbench> {
  const memory = new WebAssembly.Memory({ initial: BYTES / PAGE, maximum: BYTES / PAGE })
  const { exports } = await WebAssembly.instantiate(module, { env: { memory } })
  let end = 64
  const place = (bytes: number) => {
    const start = end
    end = Math.ceil((end + bytes + 64) / 16) * 16
    if (end > BYTES) throw new Error('The workbench is full.')
    return start
  }
  const array =
    <A extends { set(values: ArrayLike<number>): void }>(
      Type: { readonly BYTES_PER_ELEMENT: number } & (new (buffer: ArrayBuffer, start: number, length: number) => A),
    ) =>
    (values: number | readonly number[]): A => {
      const length = typeof values === 'number' ? values : values.length
      const view = new Type(memory.buffer, place(length * Type.BYTES_PER_ELEMENT), length)
      if (typeof values !== 'number') view.set(values)
      return view
    }
  return {
    op: (name) => exports[name] as Op,
    f32: array<Float32Array>(Float32Array),
    f64: array<Float64Array>(Float64Array),
    i32: array<Int32Array>(Int32Array),
    u32: array<Uint32Array>(Uint32Array),
    u8: array<Uint8Array>(Uint8Array),
  }
}

type Put = Parameters<Section>[1]
type Family = (bench: Workbench, put: Put) => void

/** The address of an array on the workbench. */
const at = ({ byteOffset }: ArrayBufferView) => byteOffset

/** Beside ordinary values: zeros, the smallest and the largest, and what is not finite. */
const EDGES = [0, -0, 1, -1, 1e-30, -1e-30, 1e-45, 3e38, -3e38, 88.7, -103.9, 1e9, Infinity, -Infinity]

const maths: Family = ({ op, f32, f64 }, put) => {
  const finite = EDGES.filter(Number.isFinite)
  const inputs = {
    exp: [...numbers(1001, 1, -110, 95), ...EDGES],
    log: [...numbers(1001, 2, 0, 1e6), ...numbers(500, 3, 0, 2), 0, 1, 1e-45, 3e38, Infinity],
    tanh: [...numbers(1001, 4, -12, 12), ...EDGES],
    sin: [...numbers(1001, 5, -1000, 1000), ...numbers(500, 6, -4, 4), ...finite.filter((x) => Math.abs(x) < 1e6)],
  }
  const singles: Readonly<Record<string, keyof typeof inputs>> = {
    ...{ expInto: 'exp', expMinus1Into: 'exp', logInto: 'log', log1PlusInto: 'log', tanhInto: 'tanh' },
    ...{ sigmoidInto: 'exp', softplusInto: 'exp', sinInto: 'sin', cosInto: 'sin' },
  }
  for (const [name, kind] of Object.entries(singles)) {
    const x = f32(inputs[kind])
    const out = f32(x.length)
    op(name)(at(out), at(x), x.length)
    put(name, out)
  }
  const doubles = { exp64: 'exp', log64: 'log', tanh64: 'tanh', sin64: 'sin', cos64: 'sin' } as const
  for (const [name, kind] of Object.entries(doubles))
    put(
      name,
      Float64Array.from(inputs[kind], (x) => op(name)(x)),
    )
  const small = { sinSmall64Into: numbers(999, 7, -3, 3), cosSmall64Into: numbers(999, 7, -3, 3) }
  for (const [name, values] of Object.entries({ sin64Into: inputs.sin, cos64Into: inputs.sin, ...small })) {
    const x = f64(values)
    const out = f64(x.length)
    op(name)(at(out), at(x), x.length)
    put(name, out)
  }
}

const random: Family = ({ op, f32, u32 }, put) => {
  const words = u32(4)
  op('philox')(at(words), 1, 2, 3, 4, 5, 6)
  put('philox', words)
  for (const name of ['fillUniform', 'fillNormal']) {
    const out = f32(4097)
    op(name)(at(out), out.length, 7, 8, 6, 1, 2, 3)
    put(name, out)
  }
  const seed = u32(2)
  op('deriveSeed')(at(seed), 7, 8, 1, 2, 3, 4)
  put('deriveSeed', seed)
}

/** 19 particles of 45 coordinates, and of 5, which take another way through the distances. */
const distances: Family = ({ op, f32, f64, u32 }, put) => {
  for (const d of [45, 5]) {
    const n = 19
    const N = 20
    const D = Math.ceil(d / 4) * 4
    const x = f32(numbers(n * D, 11).map((value, k) => (k % D < d ? value : 0)))
    const [centre, matrix, squares] = [f32(D), f32(N * N), f32(N)]
    const [panels, tile, scratch] = [f32(N * D), f32(4 * N), f32(1024)]
    op('centreOf')(at(centre), at(x), n, D)
    put(`centreOf ${d}`, centre)
    op('gram')(at(matrix), at(x), at(centre), n, d, 256, at(panels), at(tile), 0, N / 4)
    put(`gram ${d}`, matrix)
    op('diagonalInto')(at(squares), at(matrix), n)
    put(`diagonalInto ${d}`, squares)
    op('finishDistances')(at(matrix), at(x), at(squares), n, d, 0, N / 4)
    put(`finishDistances ${d}`, matrix)
    const ranked = f32(2)
    op('rankedPairs')(at(ranked), at(matrix), n, 85, at(scratch), scratch.length)
    put(`rankedPairs ${d}`, ranked)
    put(`meanPair ${d}`, Float64Array.of(op('meanPair')(at(matrix), n)))
    const column = f32(N * N)
    op('columnDistances')(at(column), at(x), n, D, 3)
    put(`columnDistances ${d}`, column)
    op('rowSquares')(at(squares), at(x), n, D)
    put(`rowSquares ${d}`, squares)
    // Kinds 0 to 3 with a weight and two numbers each, as in assembly/svgd/kernels.ts.
    const terms = u32(16)
    const floats = new Float32Array(terms.buffer, at(terms), 16)
    for (let kind = 0; kind < 4; kind++) {
      terms[4 * kind] = kind
      floats.set([0.5 + kind, 2, kind === 1 ? -0.5 : 1], 4 * kind + 1)
    }
    const [slopes, sums, reach, trust] = [f32(N * N), f64(N), f32(2 * N), f32(N)]
    op('kernelRows')(at(matrix), at(slopes), at(squares), at(x), D, at(sums), at(reach), at(terms), 4, n, 0, n)
    // Beyond n in a row of these nothing is meant.
    const rows = (view: Float32Array) => Array.from({ length: n }, (_, i) => view.subarray(i * N, i * N + n))
    put(`kernelRows ${d}`, ...rows(matrix), ...rows(slopes), sums.subarray(0, n))
    put(`meanDistance ${d}`, Float64Array.of(op('meanDistance')(at(sums), n)))
    op('trustInto')(at(trust), at(reach), 0, at(x), at(centre), n, D, 20)
    put(`trustInto ${d}`, trust.subarray(0, n))
  }
}

const rows: Family = ({ op, f32, f64 }, put) => {
  const [n, D] = [9, 12]
  const x = f32(numbers(n * D, 21))
  const y = f32(numbers(n * D, 22))
  const matrix = f32(numbers(D * D, 23))
  const out = f32(n * D)
  op('scaleColumns')(at(out), at(x), at(matrix), n, D)
  put('scaleColumns', out)
  op('multiplyRows')(at(out), at(x), at(matrix), n, D)
  put('multiplyRows', out)
  op('copyColumns')(at(out), D, at(y), D, n, 7)
  put('copyColumns', out)
  op('combineInto')(at(out), 0.3, at(x), -1.7, at(y), n * D)
  put('combineInto', out)
  const norms = f64(numbers(3 * n * 3, 24, 0, 1))
  const means = f64(3)
  op('meanNorms')(at(means), at(norms), 3, n)
  put('meanNorms', means)
  const bad = [f32([...numbers(30, 25), NaN]), f64([...numbers(20, 25), Infinity, 1])] as const
  put('firstNonFinite', Int32Array.of(op('firstNonFinite')(at(bad[0]), 31), op('firstNonFinite')(at(x), n * D)))
  put('firstNonFinite64', Int32Array.of(op('firstNonFinite64')(at(bad[1]), 22), op('firstNonFinite64')(at(norms), 81)))
}

const optimizers: Family = ({ op, f32 }, put) => {
  const count = 64
  const g = f32(numbers(count, 31))
  const start = () => [f32(numbers(count, 32)), f32(numbers(count, 33)), f32(numbers(count, 34, 0, 1))] as const
  const [x, m, v] = start()
  op('adam')(at(x), at(m), at(v), at(g), count, 0.01, 0.9, 0.999, 1e-8, 0.1, 0.001)
  put('adam', x, m, v)
  const [y, , w] = start()
  op('adagrad')(at(y), at(w), at(g), count, 0.01, 0.9, 1e-6)
  put('adagrad', y, w)
  const [z] = start()
  op('ascend')(at(z), at(g), count, 0.01)
  put('ascend', z)
}

const discrepancy: Family = ({ op, f32, f64 }, put) => {
  const [n, d, D] = [13, 6, 8]
  const tailed = (seed: number) => f32(numbers(n * D, seed).map((value, k) => (k % D < d ? value : 0)))
  const [x, score] = [tailed(41), tailed(42)]
  const pairs = f64((n * (n - 1)) / 2)
  const weights = f64(numbers(n * 4, 43))
  for (const [kind, a, b] of [
    [0, 1.5, 0],
    [1, 1, -0.5],
  ]) {
    const args = [at(x), at(score), n, d, kind, a, b]
    put(`steinDiagonal ${kind}`, Float64Array.of(op('steinDiagonal')(...args)))
    put(`steinPairs ${kind}`, Float64Array.of(op('steinPairs')(...args)))
    op('steinPairsInto')(at(pairs), ...args)
    put(`steinPairsInto ${kind}`, pairs)
    const out = f64(4)
    op('weightPairs4')(at(out), at(pairs), at(weights), n)
    put(`weightPairs4 ${kind}`, out)
  }
}

const softmax: Family = ({ op, f32 }, put) => {
  for (const classes of [2, 5]) {
    const count = 33
    const logits = f32(numbers(count * classes, 51, -6, 6))
    const action = f32(numbers(count, 52, 0, classes).map(Math.floor))
    const d = f32(numbers(count, 53))
    const [out, gradient] = [f32(count), f32(count * classes)]
    op('logProbRows')(at(out), at(logits), at(action), count, classes)
    put(`logProbRows ${classes}`, out)
    op('logProbGradient')(at(gradient), at(d), at(logits), at(action), count, classes)
    put(`logProbGradient ${classes}`, gradient)
    op('entropyRows')(at(out), at(logits), count, classes)
    put(`entropyRows ${classes}`, out)
    op('entropyGradient')(at(gradient), at(d), at(logits), count, classes)
    put(`entropyGradient ${classes}`, gradient)
  }
}

const physics: Family = ({ op, f32, f64, u8 }, put) => {
  for (const { id, core, actionSpace, observationSpace } of Object.values(environments)) {
    if (!core) continue
    const count = 3
    const A = actionSpace.kind === 'box' ? actionSpace.low.length : 1
    const O = observationSpace.low.length
    const size = op('stateSize')(core.kind)
    const constants = f64(Object.values(core.constants))
    const state = f64(count * size)
    for (let row = 0; row < count; row++) {
      op('resetEnvironment')(core.kind, at(state) + row * size * 8, at(constants), 61 + row, 0)
    }
    put(`resetEnvironment ${id}`, state)
    const action = f32(Array(count * A).fill(1))
    const [reward, terminated, observation] = [f64(count), u8(count), f32(count * O)]
    op('stepEnvironment')(core.kind, at(state), at(constants), at(action), at(reward), at(terminated), count)
    put(`stepEnvironment ${id}`, state, reward, terminated)
    op('observeEnvironment')(core.kind, at(observation), at(state), at(constants), count)
    put(`observeEnvironment ${id}`, observation)
    put(`stateSize ${id}`, Int32Array.of(size))
  }
}

/** Three bodies with a joint within its limits, one at its lower limit, a contact of one point and one of two. */
const impulses: Family = ({ op, f64, i32 }, put) => {
  const [bodies, joints, contacts] = [3, 2, 2]
  const links = i32([0, 24, 0, 0, 48, 1, 0, 24, 1, 24, 48, 2])
  // Of bodies without mass nothing moves, and the rounds repeat.
  for (const [name, mass] of [
    ['', 0.3],
    [' at rest', 0],
  ] as const) {
    const now = f64(numbers(3 * bodies + 4 * (joints + contacts), 62, -0.5, 0.5))
    const before = f64(now.length)
    const reads = f64(numbers(25 * joints + 30 * contacts, 63, 0, mass))
    op('solveRounds')(at(now), at(before), at(reads), at(links), bodies, joints, contacts, 40)
    put(`solveRounds${name}`, now)
  }
}

const returns: Family = ({ op, f64, u8 }, put) => {
  const [T, E] = [40, 3]
  const [reward, value, nextValue] = [71, 72, 73].map((seed) => f64(numbers(T * E, seed)))
  const flags = (seed: number) => u8(numbers(T * E, seed, 0, 1).map((u) => (u < 0.07 ? 1 : 0)))
  const [terminated, truncated, valid] = [flags(74), flags(75), u8(T * E)]
  const out = f64(T * E)
  const ends = [at(terminated), at(truncated)]
  op('returnsToGo')(at(out), at(valid), at(reward), ...ends, 0, T, E, 0.97)
  put('returnsToGo', out, valid)
  op('returnsToGo')(at(out), at(valid), at(reward), ...ends, at(nextValue), T, E, 0.97)
  put('returnsToGo with values', out, valid)
  op('lambdaReturns')(at(out), at(reward), at(value), at(nextValue), ...ends, T, E, 0.97, 0.9)
  put('lambdaReturns', out)
  op('stepReturns')(at(out), at(reward), at(nextValue), ...ends, T, E, 0.97, 5)
  put('stepReturns', out)
}

const advantages: Family = ({ op, f32, f64, i32, u8 }, put) => {
  const [count, O] = [60, 4]
  const F = 2 * O + 4
  const [target, value, values] = [f64(numbers(count, 81)), f64(numbers(count, 82)), f64(count)]
  const valid = u8(numbers(count, 83, 0, 1).map((u) => (u < 0.8 ? 1 : 0)))
  const out = f32(count)
  for (const [centre, standardise] of [
    [0, 0],
    [1, 1],
  ]) {
    const kept = op('advantageWeights')(at(out), at(target), at(value), at(valid), count, centre, standardise)
    put(`advantageWeights ${centre} ${standardise}`, out, Int32Array.of(kept))
  }
  const observation = f32(numbers(count * O, 84, -12, 12))
  const time = i32(Array.from({ length: count }, (_, k) => k))
  const [weights, scratch] = [f64(F), f64(F * (F + 2))]
  const inputs = [at(observation), at(time)]
  op('rllabFit')(at(weights), ...inputs, at(target), at(valid), count, O, 1e-5, at(scratch))
  put('rllabFit', weights)
  op('rllabValues')(at(values), at(weights), ...inputs, 1, count, O, at(scratch))
  put('rllabValues', values)
  const model = f64(3 + 2 * O + 2 * O + 2)
  op('linearFit')(at(model), at(observation), at(target), count, O, at(scratch))
  put('linearFit', model)
  op('linearValues')(at(values), at(model), at(observation), count, O, at(scratch))
  put('linearValues', values)
}

const families = {
  maths,
  random,
  distances,
  rows,
  optimizers,
  discrepancy,
  softmax,
  physics,
  impulses,
  returns,
  advantages,
} satisfies Record<string, Family>

/** A section a family, named 'op: family'. */
export const opSections: Readonly<Record<string, Section>> = Object.fromEntries(
  Object.entries(families).map(([name, family]): [string, Section] => [
    `ops: ${name}`,
    async (core, put) => family(await workbench(await compileCore(core)), put),
  ]),
)
