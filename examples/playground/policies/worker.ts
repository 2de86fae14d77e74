import tfjsWasm from '@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm-simd.wasm?url'
import {
  type Agents,
  type AnyTrainOptions,
  type AnyTrainStep,
  encodeParticles,
  environments,
  evaluate,
  type IterationMetrics,
  loadAgents,
  type MadeEnvironment,
  make,
  RunError,
  startTfjs,
  train,
  UsageError,
} from 'steinrl'
import { importStableBaselines } from 'steinrl/tools'
import { keptRun } from './kept.ts'
import { project } from './projection.ts'
import type { Episode, Open, Plane, Question, Reply, Request, Start } from './protocol.ts'

const post = (reply: Reply, transfer: Transferable[] = []) => self.postMessage(reply, { transfer })

// steinrl needs SIMD anyway, and tfjs's plain build would give other bits: all three names lead to the SIMD build.
const wasmPaths = {
  'tfjs-backend-wasm.wasm': tfjsWasm,
  'tfjs-backend-wasm-simd.wasm': tfjsWasm,
  'tfjs-backend-wasm-threaded-simd.wasm': tfjsWasm,
}

/** A plane takes a while to find, and nobody looks at more than a few a second. */
const PLANE_EVERY_MS = 250
/** Of each policy of a file. */
const EPISODES = 20

const run = {
  latest: null as AnyTrainStep | null,
  /** Those of a file, in place of a run. */
  opened: null as Agents | null,
  /** Between two iterations, when what is live may be read. */
  resting: false,
  questions: [] as Question[],
  paused: false,
  /** Lets a paused run go on. */
  proceed: () => {},
  /** Where episodes are played that the page shows, and how many were; each starts in another state. */
  world: null as Promise<MadeEnvironment> | null,
  played: 0,
  plane: null as Plane | null,
  planeAt: Number.NEGATIVE_INFINITY,
}
/** Answers one after the other. */
let answers = Promise.resolve()

self.onmessage = ({ data }: MessageEvent<Request>) => {
  switch (data.kind) {
    case 'start':
      run.paused = data.paused
      follow(data)
      break
    case 'open':
      open(data)
      break
    case 'pause':
      run.paused = true
      break
    case 'resume':
      run.paused = false
      run.proceed()
      break
    case 'step':
      run.proceed()
      break
    default:
      run.questions.push(data)
      if (run.resting) answerAll()
  }
}

async function follow({ options, name, goesOn }: Start): Promise<void> {
  try {
    run.world = make(options.env as string)
    const metrics: IterationMetrics[] = []
    const kept = await keptRun(name, metrics)
    const tfjs = { wasmPaths }
    const older = goesOn ? await kept?.steps({ workers: options.workers, tfjs }) : null
    if (older) {
      metrics.push(...older.before)
      post({ kind: 'before', metrics: older.before, iterations: options.iterations as number })
    }
    for await (const step of older?.steps ?? train({ ...options, tfjs } as AnyTrainOptions)) {
      run.latest = step
      metrics.push(step.metrics)
      tell(step)
      await kept?.keep(step, run.paused)
      run.resting = true
      answerAll()
      if (run.paused && step.iteration < step.iterations) await new Promise<void>((resolve) => (run.proceed = resolve))
      run.proceed = () => {}
      run.resting = false
      await answers
    }
    run.resting = true
    answerAll()
    post({ kind: 'end' })
  } catch (error) {
    post({ kind: 'error', message: describe(error) })
  }
}

/** The agents of a file act, and are evaluated. */
async function open({ file, bytes, env: chosen }: Open): Promise<void> {
  try {
    await startTfjs({ wasmPaths })
    const isZip = /\.zip$/i.test(file)
    const agents = isZip ? await importStableBaselines({ zip: bytes, env: chosen }) : await loadAgents(bytes)
    const env = agents.task?.id ?? chosen
    if (!environments[env]?.render) throw new UsageError(`This page has no picture of ${env}, the task of ${file}.`)
    run.world = make(env)
    const { greedy } = await evaluate({ env, agents, episodes: EPISODES })
    run.opened = agents
    post({ kind: 'opened', env, returns: greedy })
    run.resting = true
    answerAll()
  } catch (error) {
    post({ kind: 'error', message: describe(error) })
  }
}

function tell(step: AnyTrainStep): void {
  const { metrics, iterations } = step
  post({
    kind: 'iteration',
    metrics,
    iterations,
    actors: step.agents().particles,
    kernel: step.kernel(),
    plane: planeOf(step),
  })
}

/** Null as well where the last one is fresh, except after the last iteration. */
function planeOf(step: AnyTrainStep): Plane | null {
  const agents = step.agents()
  const fresh = performance.now() - run.planeAt < PLANE_EVERY_MS && step.iteration < step.iterations && !run.paused
  if (fresh || !('policy' in agents)) return null
  const { theta, particles: n, policy } = agents
  const rows = Array.from({ length: n }, (_, i) =>
    theta.subarray((i * theta.length) / n, (i * theta.length) / n + policy.size),
  )
  run.plane = project(rows, run.plane?.points ?? null)
  run.planeAt = performance.now()
  return run.plane
}

function answerAll(): void {
  for (const question of run.questions.splice(0)) {
    answers = answers.then(() => answer(question)).catch((error) => post({ kind: 'error', message: describe(error) }))
  }
}

async function answer(question: Question): Promise<void> {
  if (question.kind === 'episode') {
    const agents = run.opened ?? run.latest?.agents()
    const episode = play(agents as Agents, question, (await run.world) as MadeEnvironment, run.played++)
    return post(episode, [episode.states.buffer, episode.rewards.buffer])
  }
  if (!run.latest) return
  const step = run.latest
  if (question.kind === 'temperature') step.setTemperature(question.value)
  else {
    // A run ends before a particle is not finite.
    const bytes = encodeParticles(step) as Uint8Array<ArrayBuffer>
    post({ kind: 'file', bytes }, [bytes.buffer])
  }
}

/** An episode of a particle as it is now. */
function play(
  agents: Agents,
  { place, particle, greedy }: Question & { kind: 'episode' },
  env: MadeEnvironment,
  seed: number,
): Episode {
  const states: number[] = []
  const rewards: number[] = []
  let { obs } = env.reset({ seed })
  states.push(...env.state)
  for (let over = false; !over; ) {
    const action = agents.act(obs, { particle, greedy, seed, step: rewards.length })
    const next = env.step(action)
    obs = next.obs
    states.push(...env.state)
    rewards.push(next.reward)
    over = next.terminated || next.truncated
  }
  const iteration = run.latest?.iteration ?? null
  return { kind: 'episode', place, iteration, states: Float64Array.from(states), rewards: Float64Array.from(rewards) }
}

/** The library's own sentences stand as they are; anything else is named as unexpected. */
function describe(error: unknown): string {
  if (error instanceof UsageError || error instanceof RunError) return error.message
  return `${run.latest ? 'Training failed' : 'That failed'}: ${error instanceof Error ? error.message : String(error)}`
}
