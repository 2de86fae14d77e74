import { type Arena, createArenaSync } from '../core/arena.ts'
import { closeAll, closeFailed } from '../core/disposable.ts'
import { show, UsageError } from '../core/errors.ts'
import { f32, f64, u8 } from '../core/layout.ts'
import type { CoreModule } from '../core/module.ts'
import { ofUser } from '../core/own-code.ts'
import { splitSeed } from '../core/random.ts'
import { areFinite, isRecord, requireThat } from '../core/require.ts'
import type { Environment, EnvironmentSpec, Info } from './contract.ts'
import { asTask } from './description-problems.ts'
import { problemsOfInstance } from './errors.ts'
import { sizeOf } from './spaces.ts'

/** Instances that share one memory: browsers allow few memories. */
const ROWS = 64
const NO_INFO: Info = {}

/**
 * The same task as one in TypeScript, whose instances step single rows of the core: what wrappers can be put around.
 */
export function inTypeScript(spec: EnvironmentSpec, module: CoreModule): EnvironmentSpec {
  requireThat(isRecord(spec), 'inTypeScript', 'a task', spec)
  asTask(spec)
  const isModule = Object.prototype.toString.call(module) === '[object WebAssembly.Module]'
  requireThat(isModule, 'inTypeScript', 'the module that compileCore() gives', module)
  if (!spec.core) return spec
  const { configure } = spec
  return {
    ...spec,
    core: undefined,
    made: { from: spec, by: { inTypeScript: true } },
    create: instances(spec, module),
    configure: configure && ((constants) => inTypeScript(configure(constants), module)),
  }
}

/**
 * Makes instances of a task, without a time limit and without checks.
 *
 * @param module the compiled core, for a task whose physics is there
 */
export function instances(spec: EnvironmentSpec, module: CoreModule, rows = ROWS): () => Environment {
  if (!spec.core) return creatorOf(spec)
  const pool = { arena: rowArena(spec, module, rows), used: 0 }
  return () => {
    if (pool.used === rows) Object.assign(pool, { arena: rowArena(spec, module, rows), used: 0 })
    return rowOf(spec, pool.arena, pool.used++)
  }
}

/**
 * The task's create().
 *
 * @throws UsageError for a task that has none; what is returned for one whose create() gives no environment, and a
 *   RunError for one whose create() throws
 */
export function creatorOf({ id, create }: EnvironmentSpec): () => Environment {
  if (!create) throw new UsageError(`The environment ${show(id)} has neither physics in the core nor create().`)
  return () => {
    const made = ofUser(`${id}: create`, create)
    const [problem] = ofUser(`${id}: what create gave`, () => problemsOfInstance(made))
    if (problem) throw new UsageError(`${id}: ${problem}.`)
    return made
  }
}

/** `count` instances. Where one of them cannot be made, those before it are closed. */
export function openInstances(create: () => Environment, count: number): Environment[] {
  const all: Environment[] = []
  try {
    for (let k = 0; k < count; k++) all.push(create())
  } catch (error) {
    closeFailed(() => closeAll(all))
    throw error
  }
  return all
}

const rowFields = ({ core, observationSpace, actionSpace }: EnvironmentSpec, rows: number) => ({
  constants: f64(Object.keys(core?.constants ?? {}).length),
  /** [rows, stateSize] */
  state: f64(rows, core?.stateSize ?? 0),
  observation: f32(sizeOf(observationSpace)),
  action: f32(sizeOf(actionSpace)),
  reward: f64(1),
  terminated: u8(1),
})

type RowArena = Arena<ReturnType<typeof rowFields>>

function rowArena(spec: EnvironmentSpec, module: CoreModule, rows: number): RowArena {
  const arena = createArenaSync(module, rowFields(spec, rows))
  arena.view.constants.set(Object.values(spec.core?.constants ?? {}))
  return arena
}

function rowOf({ core }: EnvironmentSpec, { ops, at, view }: RowArena, row: number): Environment {
  const { kind, stateSize } = core as NonNullable<EnvironmentSpec['core']>
  const pointer = at.state + row * stateSize * Float64Array.BYTES_PER_ELEMENT
  const state = view.state.subarray(row * stateSize, (row + 1) * stateSize)
  const observe = () => {
    ops.observeEnvironment(kind, at.observation, pointer, at.constants, 1)
    return new Float32Array(view.observation)
  }
  return {
    state,
    reset({ seed }) {
      const { lo, hi } = splitSeed(seed)
      ops.resetEnvironment(kind, pointer, at.constants, lo, hi)
      return { obs: observe(), info: NO_INFO }
    },
    step(action) {
      if (typeof action === 'number') view.action[0] = action
      else view.action.set(action)
      ops.stepEnvironment(kind, pointer, at.constants, at.action, at.reward, at.terminated, 1)
      const terminated = view.terminated[0] === 1
      return { obs: observe(), reward: view.reward[0], terminated, truncated: false, info: NO_INFO }
    },
    getState: () => Array.from(state),
    setState(values) {
      const isState = areFinite(values) && values.length === stateSize
      requireThat(isState, 'setState', `the ${stateSize} finite numbers that getState() gave`, values)
      state.set(values)
    },
  }
}
