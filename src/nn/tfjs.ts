// The one place where tfjs is started. Before it stands what it needs in a bundle.
import { lend, takeBack } from '#commonjs'
import { platform } from '#platform'
import { setWasmPaths, tf } from '#tfjs'
import { show, UsageError } from '../core/errors.ts'
import { type CoreModule, type CoreSource, compileCore, fromBase64, requireSimd } from '../core/module.ts'
import { refuseUnknown } from '../core/options.ts'
import { check, trueOrFalse, wholeNumber } from '../core/schemas.ts'
import type { Team } from '../core/team.ts'
import { decodeText, encodeText } from '../core/text.ts'
import { mendGradients } from './gradients/mend.ts'

takeBack()

/** How tfjs is started. */
export interface TfjsOptions {
  /**
   * Where tfjs's own WASM files are: a folder address ending in '/', or an address for each file name.
   * Default: the one that this package carries.
   */
  wasmPaths?: Parameters<typeof setWasmPaths>[0]
  /** The WASM core whose kernels run below tfjs; default: this package's steinrl.wasm. */
  core?: CoreSource
  /** Whether whole networks run in the core, forward and backward, instead of in tfjs op by op. Default true. */
  fused?: boolean
  /**
   * Whether losses and log densities that are differentiated again and again become plans that run in the core. Default
   * as startTfjs() set it before, true at first.
   */
  compiled?: boolean
  /**
   * How many threads share the work of large networks in algorithms that learn from a replay, with the same bits for
   * any number; where threads cannot be started, one. 'auto', which is the default, takes one a core, at most 8, and
   * one where the networks are small.
   */
  threads?: number | 'auto'
}

/**
 * Starts tfjs on its WASM backend; does nothing when it is running already. Compiles the core as well, whose kernels
 * run below tfjs where they are faster.
 *
 * @throws UsageError where the runtime has no WebAssembly SIMD, or where tfjs runs already in a way whose bits differ
 */
export async function startTfjs(options: TfjsOptions = {}): Promise<void> {
  await beginTfjs(options)
  Object.assign(standing, await kernelSettingsOf(options))
  refresh()
}

/** The same, but how other work of the process is computed stays as it was. */
export async function beginTfjs(options: TfjsOptions = {}): Promise<void> {
  refuseUnknown('startTfjs', options, ['wasmPaths', 'core', 'fused', 'compiled', 'threads'])
  const { wasmPaths, fused = true, compiled = true, threads = 'auto' } = options
  if (threads !== 'auto') check(wholeNumber('threads', 1, 64), threads)
  check(trueOrFalse('fused'), fused)
  check(trueOrFalse('compiled'), compiled)
  // Without SIMD tfjs would start another build of itself, whose bits differ.
  requireSimd()
  if (tf.getBackend()) await refuseOtherBits(tf.getBackend())
  const current = now()
  if (current.fused) current.core ??= await compileCore()
  for (const each of [current, ...holders]) each.begun = true
  refresh()
  if (starting === null && tf.getBackend()) return mendGradients()
  starting ??= startBackend(wasmPaths).finally(() => {
    starting = null
  })
  await starting
}

/** Calls at the same time start one backend. */
let starting: Promise<void> | null = null

async function startBackend(wasmPaths: TfjsOptions['wasmPaths']): Promise<void> {
  if (!tf.env().platform) tf.setPlatform('steinrl', ownPlatform)
  // Its threads would be one more thing that differs between Node (which has none) and browsers.
  tf.env().set('WASM_HAS_MULTITHREAD_SUPPORT', false)
  const own = wasmPaths ? null : await ownBinary()
  if (own) setWasmPaths(own, true)
  else if (wasmPaths) setWasmPaths(wasmPaths)
  const takeBackAgain = lend()
  const started = await platform.keepingErrorListeners(() => tf.setBackend('wasm')).finally(takeBackAgain)
  if (own) URL.revokeObjectURL(own[SIMD_BINARY])
  if (!started) throw new Error('tfjs could not start its WASM backend in this runtime.')
  mendGradients()
}

/** For bundles of Bun, which leave out what tfjs's package.json keeps by a pattern, its own platforms among them. */
const ownPlatform: Parameters<typeof tf.setPlatform>[1] = {
  fetch: (path, options) => fetch(path, options),
  now: () => platform.now(),
  encode: encodeText,
  decode: decodeText,
  isTypedArray: (value): value is Float32Array =>
    [Float32Array, Int32Array, Uint8Array, Uint8ClampedArray].some((type) => value instanceof type),
}

/** A tfjs that others have started: on another backend, or on wasm's build without SIMD, its bits would be others. */
async function refuseOtherBits(backend: string): Promise<void> {
  if (backend === 'wasm' && (await tf.env().getAsync('WASM_HAS_SIMD_SUPPORT'))) return
  throw otherBackend(backend === 'wasm' ? 'wasm without SIMD' : backend)
}

const otherBackend = (found: string) =>
  new UsageError(
    `tfjs runs on the backend ${show(found)} already, whose numbers differ: steinrl needs "wasm"; start it first by startTfjs(), ` +
      "or switch by tf.setBackend('wasm').",
  )

/** @throws UsageError where tfjs was not started, or a program has set it to another backend since */
export function requireTfjs(taker: string): void {
  const backend = tf.getBackend()
  if (!backend) throw new UsageError(`${taker} needs tfjs: await startTfjs() first.`)
  if (backend !== 'wasm') throw otherBackend(backend)
}

const SIMD_BINARY = 'tfjs-backend-wasm-simd.wasm'

/** An address of tfjs's binary that needs no file. tfjs wants one for each of its builds, but takes this one. */
async function ownBinary() {
  const bytes = fromBase64((await import('../../dist/inline/tfjs.js')).default)
  if (typeof URL.createObjectURL !== 'function')
    throw new UsageError(
      'tfjs cannot start: this runtime has no URL.createObjectURL; tests of what trains run in jest-environment-node.',
    )
  const address = URL.createObjectURL(new Blob([bytes], { type: 'application/wasm' }))
  return {
    [SIMD_BINARY]: address,
    'tfjs-backend-wasm.wasm': address,
    'tfjs-backend-wasm-threaded-simd.wasm': address,
  }
}

/** How networks and losses are computed; other settings have other bits. */
export interface KernelSettings {
  readonly fused: boolean
  readonly compiled: boolean
  /** Whose kernels run below tfjs; null until tfjs is begun, and where networks are not fused. */
  core: CoreModule | null
  /** Threads that share the work of large networks, with the same bits. */
  team?: Team | null
  /** Whether this thread's tfjs was started for it; a training with workers may have no use for it. */
  begun?: boolean
}

/**
 * What belongs to the one tfjs of the process, as the work that has it now needs it: the core for its fused kernels, or
 * null where they are switched off, whether functions are compiled, and the threads that share their work; and from how
 * many elements on a pass over memory becomes code of its own, which gives the same bits: smaller ones are not worth
 * the milliseconds that this takes.
 */
export const kernels: {
  core: CoreModule | null
  fused: boolean
  compiled: boolean
  team: Team | null
  codeFrom: number
} = { core: null, fused: true, compiled: true, team: null, codeFrom: 1000 }

/** Of what has no settings of its own. */
const standing: { fused: boolean; compiled: boolean; core: CoreModule | null } = {
  ...{ fused: true, compiled: true, core: null },
}
/** Of work that is not waited for, the innermost last. */
const scopes: KernelSettings[] = []
/** Of work that is waited for, and goes on in turns; all compute in the same way. */
const holders: KernelSettings[] = []
/** Work of other settings, in the order in which it came. */
const waiting: { readonly own: KernelSettings; readonly enter: () => void }[] = []

const now = (): KernelSettings => scopes.at(-1) ?? holders.at(-1) ?? standing

function refresh(): void {
  const { fused, compiled, core, team = null } = now()
  Object.assign(kernels, { core: fused ? core : null, fused, compiled, team })
}

/** The settings of a training with these options. */
export async function kernelSettingsOf(
  { fused = true, compiled = standing.compiled }: TfjsOptions = {},
  core?: CoreSource,
): Promise<KernelSettings> {
  return { fused, compiled, core: fused ? await compileCore(core) : null }
}

/** A function that computes as the work that has tfjs now, whenever it is called. */
export function asNow<Given extends readonly unknown[], T>(f: (...given: Given) => T): (...given: Given) => T {
  const own = { ...now() }
  return (...given) => underKernels(own, () => f(...given))
}

/** From now on the work that has tfjs now shares it with a team. */
export function shareWith(team: Team | null): void {
  now().team = team
  refresh()
}

/** Runs a function that gives no promise with its own settings, whatever other work has. */
export function underKernels<T>(own: KernelSettings = standing, run: () => T): T {
  scopes.push(own)
  refresh()
  try {
    return run()
  } finally {
    scopes.pop()
    refresh()
  }
}

/** Runs what a program calls from outside of any work, also while some of that waits for its turn. */
export const apart = <T>(run: () => T): T => (scopes.length > 0 ? run() : underKernels(standing, run))

/**
 * The same until the promise of a function is kept. Work that computes in the same way goes on beside it; other work
 * waits until it has its turn. It must not wait for itself: what it runs within it runs without this.
 */
export async function holdingKernels<T>(own: KernelSettings, run: () => Promise<T>): Promise<T> {
  if (waiting.length === 0 && holders.every((other) => isSame(other, own))) holders.push(own)
  else await new Promise<void>((enter) => waiting.push({ own, enter }))
  refresh()
  try {
    return await run()
  } finally {
    holders.splice(holders.indexOf(own), 1)
    // They enter here and not when they go on, so that nobody comes between.
    while (waiting.length > 0 && holders.every((other) => isSame(other, waiting[0].own))) {
      const [{ own: next, enter }] = waiting.splice(0, 1)
      holders.push(next)
      enter()
    }
    refresh()
  }
}

const isSame = (a: KernelSettings, b: KernelSettings) =>
  a.fused === b.fused && a.compiled === b.compiled && a.core === b.core

export { tf }
