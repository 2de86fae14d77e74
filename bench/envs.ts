import { createArena } from '../src/core/arena.ts'
import { f32 } from '../src/core/layout.ts'
import { compileCore } from '../src/core/module.ts'
import { Purpose } from '../src/core/random.ts'
import type { EnvironmentSpec } from '../src/envs/contract.ts'
import { make } from '../src/envs/make.ts'
import { environments } from '../src/envs/registry.ts'
import { choicesOf, sizeOf } from '../src/envs/spaces.ts'
import { vectorFields, writeVector } from '../src/envs/vector-fields.ts'
import { measure, type Report, type Row } from './harness.ts'
import { plainJavaScript } from './peers/envs-js.ts'
import { hasPython, runPython } from './peers/python.ts'

const ROWS = 1024
/** Sets of actions, drawn before the clock starts. */
const DRAWN = 64
const OURS = 'steinrl'
/** What a step may differ by from the peer's, whose sines are the engine's. */
const TOLERANCE = 1e-12

/**
 * Steps a second of the environments of the core on one thread under random actions, with observations, time limits,
 * episode returns and automatic resets: 1024 rows at once against the same in plain JavaScript and Gymnasium, and one
 * row through make().
 */
export default async function bench(): Promise<Report> {
  const specs = Object.values(environments).filter(({ core }) => core)
  const rows: Row[] = []
  for (const spec of specs) rows.push(...(await benchTask(spec)))
  const known = specs.filter((spec) => plainJavaScript(spec, 1))
  rows.push(...gymnasium(known.map(({ id }) => id)))
  const timed = rows.map((row) => ({ ...row, fastest: Math.round((Number(row.stepsPerSecond) * row.ms) / row.min) }))
  return { rows: timed, table: specs.map(({ id }) => tableLine(timed.filter(({ params }) => params.env === id))) }
}

async function benchTask(spec: EnvironmentSpec): Promise<Row[]> {
  const own = await vectorOf(spec)
  const peer = plainJavaScript(spec, ROWS)
  if (peer) checkEqual(spec.id, own, peer)
  const { actions } = own
  const params = { env: spec.id, rows: ROWS }
  const derive = (ms: number) => ({ stepsPerSecond: Math.round((ROWS * DRAWN * 1000) / ms) })
  const each = (step: (action: Float32Array) => void) => () => actions.forEach(step)
  const cases = [{ name: OURS, params, run: each(own.step), derive }]
  if (peer) cases.push({ name: 'plain JavaScript', params, run: each(peer.step), derive })
  return [...(await measure(spec.id, cases)), ...(await benchSingle(spec))]
}

/** One row, through the interface of a single environment. */
async function benchSingle(spec: EnvironmentSpec): Promise<Row[]> {
  const env = await make(spec.id)
  const { actionSpace } = spec
  const actions = Array.from({ length: DRAWN }, (_, k) =>
    actionSpace.kind === 'box'
      ? actionSpace.low.map(() => (k % 3) - 1)
      : Math.floor(Math.random() * choicesOf(actionSpace)[0]),
  )
  let seed = 0
  env.reset({ seed })
  const run = () => {
    for (const action of actions) {
      const { terminated, truncated } = env.step(action)
      if (terminated || truncated) env.reset({ seed: ++seed })
    }
  }
  const derive = (ms: number) => ({ stepsPerSecond: Math.round((DRAWN * 1000) / ms) })
  return measure(`${spec.id}, make()`, [{ name: `${OURS}, make()`, params: { env: spec.id, rows: 1 }, run, derive }])
}

async function vectorOf(spec: EnvironmentSpec) {
  const size = ROWS * sizeOf(spec.actionSpace)
  const arena = await createArena(await compileCore(), { ...vectorFields(spec, ROWS), drawn: f32(DRAWN * size) })
  const { ops, at, view } = arena
  writeVector(arena, spec, { rows: ROWS, autoreset: 'next-step', seed: { lo: 1, hi: 0 } })
  ops.fillUniform(at.drawn, DRAWN * size, 0, 0, Purpose.user, 0, 0, 0)
  const scaled = view.drawn.map((u, k) => scale(spec, u, k))
  ops.resetVector(at.vector, 0)
  return {
    view,
    actions: Array.from({ length: DRAWN }, (_, k) => scaled.subarray(k * size, (k + 1) * size)),
    step(action: Float32Array): void {
      view.action.set(action)
      ops.stepVector(at.vector)
    },
  }
}

/** u in [0, 1) as number k of the actions. */
function scale({ actionSpace }: EnvironmentSpec, u: number, k: number): number {
  if (actionSpace.kind !== 'box') return Math.floor(u * choicesOf(actionSpace)[0])
  const { low, high } = actionSpace
  const j = k % low.length
  return low[j] + u * (high[j] - low[j])
}

/** Single steps from the same states must agree, wherever random actions lead within an episode. */
function checkEqual(
  id: string,
  own: Awaited<ReturnType<typeof vectorOf>>,
  peer: NonNullable<ReturnType<typeof plainJavaScript>>,
): void {
  for (const action of own.actions) {
    const fresh = own.view.ended.map((flag) => 1 - flag)
    peer.state.set(own.view.state)
    own.step(action)
    peer.step(action)
    const pairs = [
      [own.view.state, peer.state],
      [own.view.reward, peer.reward],
      [own.view.observation, peer.observation],
    ] as const
    for (const [found, expected] of pairs) {
      const width = found.length / ROWS
      found.forEach((value, k) => {
        // Rows that were reset start elsewhere: the peer draws from another generator.
        const error = fresh[Math.floor(k / width)] ? Math.abs(value - expected[k]) : 0
        if (!(error <= (found instanceof Float32Array ? 1e-6 : TOLERANCE)))
          throw new Error(`${id}: the JavaScript peer gives ${expected[k]} where the core gives ${value}.`)
      })
    }
  }
}

interface GymnasiumLine {
  env: string
  form: 'single' | 'sync' | 'vector'
  rows: number
  stepsPerSecond: number
}

function gymnasium(ids: readonly string[]): Row[] {
  if (!hasPython('gymnasium')) return []
  const lines = runPython<GymnasiumLine[]>('envs_gymnasium.py', ids, { more: [`${ROWS}`] })
  return lines.map(({ env, form, rows, stepsPerSecond }) => {
    const ms = (rows * 1000) / stepsPerSecond
    const params = { env, rows }
    return {
      name: `Gymnasium, ${form}`,
      params,
      ms,
      min: ms,
      max: ms,
      samples: 1,
      stepsPerSecond: Math.round(stepsPerSecond),
    }
  })
}

/**
 * One task: million steps a second of all, by the median call, and in brackets how many times as fast we are with as
 * many rows. The fastest call tells what the code takes where others use the machine as well.
 */
function tableLine(rows: readonly (Row & { fastest: number })[]) {
  const speed = (row: Row) => Number(row.stepsPerSecond) / 1e6
  const [own] = rows
  const single = rows.find(({ name }) => name === `${OURS}, make()`) ?? own
  const columns = rows.map((row) => {
    const ours = row.params.rows === 1 ? single : own
    const ratio = row === ours ? '' : ` (${(speed(ours) / speed(row)).toPrecision(3)}x)`
    return [row.name, `${speed(row).toPrecision(3)}${ratio}`]
  })
  const [[name, median], ...others] = columns
  const fastest = (own.fastest / 1e6).toPrecision(3)
  return { env: own.params.env, [name]: median, 'fastest call': fastest, ...Object.fromEntries(others) }
}
