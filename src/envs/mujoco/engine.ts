import { importUnseen } from '../../../dist/inline/import.js'
import { UsageError } from '../../core/errors.ts'

/** Objects in the memory of MuJoCo's WASM: JavaScript does not collect them. */
interface Handle {
  delete(): void
}

/** What is used of mjModel. */
export interface Model extends Handle {
  readonly nq: number
  readonly nv: number
  readonly nu: number
  readonly nbody: number
  readonly ngeom: number
  /** [ngeom] kinds, sizes [ngeom, 3] and bodies of shapes. */
  readonly geom_type: Int32Array
  readonly geom_size: Float64Array
  readonly geom_bodyid: Int32Array
  /** [nbody] kg */
  readonly body_mass: Float64Array
  /** [nu, 2], zero where an actuator has no bounds. */
  readonly actuator_ctrlrange: Float64Array
  /** A new handle each time. */
  readonly opt: Handle & { readonly timestep: number }
}

/** What is used of mjData. Each read of an array makes a new view, which is empty once the memory has grown. */
export interface Data extends Handle {
  /** [nq] */
  readonly qpos: Float64Array
  /** [nv] */
  readonly qvel: Float64Array
  /** [nu] */
  readonly ctrl: Float64Array
  /** [nbody, 3] */
  readonly xpos: Float64Array
  /** [nbody, 3] */
  readonly xipos: Float64Array
  /** [ngeom, 3] and [ngeom, 9] */
  readonly geom_xpos: Float64Array
  readonly geom_xmat: Float64Array
  /** [nsite, 3] */
  readonly site_xpos: Float64Array
  /** [nbody, 10] */
  readonly cinert: Float64Array
  /** [nbody, 6] */
  readonly cvel: Float64Array
  readonly cfrc_ext: Float64Array
  /** [nv] */
  readonly qfrc_actuator: Float64Array
  readonly qfrc_constraint: Float64Array
  /** [ntendon] */
  readonly ten_length: Float64Array
  readonly ten_velocity: Float64Array
}

/** What is used of the package @mujoco/mujoco, stated here so that the library's types do not need it. */
export interface Engine {
  readonly MjModel: { from_xml_string(xml: string): Model }
  readonly MjData: new (model: Model) => Data
  mj_resetData(model: Model, data: Data): void
  mj_forward(model: Model, data: Data): void
  mj_step(model: Model, data: Data): void
  mj_rnePostConstraint(model: Model, data: Data): void
  mj_name2id(model: Model, type: number, name: string): number
  mj_versionString?(): string
}

/** Imports the package @mujoco/mujoco, or another build with its interface. */
export type EngineImport = () => Promise<{ default(): Promise<unknown> }>

/** Bundlers do not see it: they would stop where the package is not installed, and carry its 10 MB where it is. */
export const importPackage: EngineImport = () => importUnseen('@mujoco/mujoco') as ReturnType<EngineImport>

/** Engines by where they come from: one serves all environments. */
const engines = new Map<EngineImport, Promise<Engine>>()

/**
 * The engine, started at the first call. A failure is not kept: the next call tries again.
 *
 * @throws UsageError when the import fails, or gives another major version than 3
 */
export function startEngine(load: EngineImport): Promise<Engine> {
  const started = engines.get(load) ?? start(load)
  engines.set(load, started)
  started.catch(() => engines.delete(load))
  return started
}

async function start(load: EngineImport): Promise<Engine> {
  let module: Awaited<ReturnType<EngineImport>>
  try {
    module = await load()
  } catch (cause) {
    throw new UsageError(
      'MuJoCo is not installed, or cannot be imported: npm install @mujoco/mujoco; a bundled page passes ' +
        "load: () => import('@mujoco/mujoco').",
      { cause },
    )
  }
  const engine = (await keepingGlobals(() => module.default())) as Engine
  const version = engine.mj_versionString?.() ?? MAJOR
  if (version.split('.')[0] === MAJOR) return engine
  throw new UsageError(
    `MuJoCo ${version} moves robots otherwise than the version 3 that Gymnasium's robots were compared with (Ant-v5 by ` +
      '3e-4 m a step): npm install @mujoco/mujoco@3.14.0.',
  )
}

const MAJOR = '3'

/**
 * Runs what starts a library and takes away the globals that only warn whoever reads them: a checked build by
 * emscripten leaves some hundred and fifty, `buffer` and `allocate` among them. The program may define some of its own
 * meanwhile.
 */
async function keepingGlobals<T>(start: () => Promise<T>): Promise<T> {
  const before = new Set(Object.getOwnPropertyNames(globalThis))
  try {
    return await start()
  } finally {
    for (const name of Object.getOwnPropertyNames(globalThis)) {
      if (before.has(name)) continue
      const { get, set } = Object.getOwnPropertyDescriptor(globalThis, name) ?? {}
      if (get && !set && GIVES_NOTHING.test(String(get))) Reflect.deleteProperty(globalThis, name)
    }
  }
}

/** A getter that calls something and returns undefined. */
const GIVES_NOTHING = /^get\s*\w*\(\)\s*\{\s*\w+\(\);?\s*(return (undefined|void 0);?\s*)?\}$/
