import { observeEnvironment, resetEnvironment, stateSize, stepEnvironment } from '../envs/environments'
import { act, Policy } from '../nn/policy'
import { episodeSeed, PURPOSE_ACTION, PURPOSE_EPISODE, PURPOSE_EVALUATE } from '../random'

/** E environments for each of n particles. Addresses and sizes; src/rl/environments.ts writes the same fields. */
@unmanaged
export class Environments {
  kind: i32
  constants: usize
  maxSteps: i32
  observationSize: i32
  actionSize: i32
  /** E */
  count: i32
  /** f64 [n, E, stateSize] */
  state: usize
  /** f32 [n, E, O] what each environment shows now */
  current: usize
  /** i32 [n, E] steps since the last reset */
  elapsed: usize
  /** u32 [n, E] number of the running episode */
  episode: usize
  /** f64 [n, E] rewards of the running episode */
  episodeReturn: usize
  /** i32 [n] episodes ended, f64 [n] the sum of their returns: added to */
  finished: usize
  finishedReturn: usize
}

/** The rows that a rollout writes, time-major for each particle. src/rl/batch.ts writes the same fields. */
@unmanaged
export class Batch {
  /** T */
  steps: i32
  /** f32 [n, T, E, O] */
  observation: usize
  /** f32 [n, T, E, O] what followed, before any reset */
  nextObservation: usize
  /** f32 [n, T, E, A] */
  action: usize
  /** f64 [n, T, E] */
  reward: usize
  /** u8 [n, T, E] */
  terminated: usize
  truncated: usize
  /** i32 [n, T, E] steps into the episode, before the action */
  time: usize
}

/** Starts the running episode of row `row`, which is environment e of particle i. */
function resetRow(envs: Environments, i: i32, e: i32, seedLo: u32, seedHi: u32): void {
  const row = i * envs.count + e
  const seed = episodeSeed(seedLo, seedHi, PURPOSE_EPISODE, i, e, load<u32>(envs.episode + (row << 2)))
  const state = envs.state + ((row * stateSize(envs.kind)) << 3)
  resetEnvironment(envs.kind, state, envs.constants, <u32>seed, <u32>(seed >> 32))
  observeEnvironment(envs.kind, envs.current + ((row * envs.observationSize) << 2), state, 1)
  store<i32>(envs.elapsed + (row << 2), 0)
  store<f64>(envs.episodeReturn + (row << 3), 0)
}

/** Starts the first episode of every environment of the particles first … end − 1. */
export function resetEnvironments(envs: Environments, first: i32, end: i32, seedLo: u32, seedHi: u32): void {
  for (let i = first; i < end; i++) {
    for (let e = 0; e < envs.count; e++) resetRow(envs, i, e, seedLo, seedHi)
  }
}

/**
 * T steps of every environment of the particles first … end − 1: policy forward, sample, step, write the rows,
 * and reset where an episode ended (the same step; the final observation stays in nextObservation).
 * `step` is the number of steps taken before this call, so that no random number is drawn twice.
 */
export function rollout(
  batch: Batch, envs: Environments, policy: Policy, first: i32, end: i32, step: u32, seedLo: u32, seedHi: u32,
): void {
  const E = envs.count
  const observationBytes = (E * envs.observationSize) << 2
  const stateBytes = (E * stateSize(envs.kind)) << 3
  for (let i = first; i < end; i++) {
    const current = envs.current + i * observationBytes
    const state = envs.state + i * stateBytes
    for (let t = 0; t < batch.steps; t++) {
      const row = (i * batch.steps + t) * E
      const action = batch.action + ((row * envs.actionSize) << 2)
      const reward = batch.reward + (row << 3)
      const terminated = batch.terminated + row
      const block = (i * batch.steps + t) * observationBytes
      const next = batch.nextObservation + block
      memory.copy(batch.observation + block, current, observationBytes)
      act(policy, i, current, E, action, 0, false, PURPOSE_ACTION, step + t, seedLo, seedHi)
      stepEnvironment(envs.kind, state, envs.constants, action, reward, terminated, E)
      observeEnvironment(envs.kind, next, state, E)
      memory.copy(current, next, observationBytes)
      memory.copy(batch.time + (row << 2), envs.elapsed + ((i * E) << 2), E << 2)
      for (let e = 0; e < E; e++) endStep(batch, envs, i, e, row + e, seedLo, seedHi)
    }
  }
}

/** Episode bookkeeping of one row: time limit, statistics, automatic reset. */
function endStep(batch: Batch, envs: Environments, i: i32, e: i32, row: i32, seedLo: u32, seedHi: u32): void {
  const at = i * envs.count + e
  const elapsed = load<i32>(envs.elapsed + (at << 2)) + 1
  const episodeReturn = load<f64>(envs.episodeReturn + (at << 3)) + load<f64>(batch.reward + (row << 3))
  const truncated = elapsed >= envs.maxSteps
  store<u8>(batch.truncated + row, truncated ? 1 : 0)
  store<i32>(envs.elapsed + (at << 2), elapsed)
  store<f64>(envs.episodeReturn + (at << 3), episodeReturn)
  if (!truncated && !load<u8>(batch.terminated + row)) return
  const finished = envs.finished + (i << 2)
  const sum = envs.finishedReturn + (i << 3)
  store<i32>(finished, load<i32>(finished) + 1)
  store<f64>(sum, load<f64>(sum) + episodeReturn)
  const episode = envs.episode + (at << 2)
  store<u32>(episode, load<u32>(episode) + 1)
  resetRow(envs, i, e, seedLo, seedHi)
}

/** Room to run a number of episodes at once. src/rl/evaluate.ts writes the same fields. */
@unmanaged
export class Evaluation {
  kind: i32
  constants: usize
  maxSteps: i32
  observationSize: i32
  /** M */
  episodes: i32
  /** f64 [M, stateSize], f32 [M, O], f32 [M, A], f64 [M], u8 [M] */
  state: usize
  observation: usize
  action: usize
  reward: usize
  terminated: usize
  /** i32 [M] which episode a row runs */
  running: usize
  /** f64 [M] the return of each episode */
  returns: usize
}

/**
 * The returns of M episodes of one particle, one episode a row; rows whose episode is over are dropped.
 * Every particle gets the same M initial states.
 */
export function evaluate(task: Evaluation, policy: Policy, particle: i32, greedy: bool, seedLo: u32, seedHi: u32): void {
  const stateBytes = stateSize(task.kind) << 3
  const observationBytes = task.observationSize << 2
  let rows = task.episodes
  for (let m = 0; m < rows; m++) {
    const seed = episodeSeed(seedLo, seedHi, PURPOSE_EVALUATE, 0, m, 0)
    resetEnvironment(task.kind, task.state + m * stateBytes, task.constants, <u32>seed, <u32>(seed >> 32))
    store<i32>(task.running + (m << 2), m)
    store<f64>(task.returns + (m << 3), 0)
  }
  for (let step = 0; step < task.maxSteps && rows > 0; step++) {
    observeEnvironment(task.kind, task.observation, task.state, rows)
    act(policy, particle, task.observation, rows, task.action, task.running, greedy, PURPOSE_EVALUATE, step, seedLo, seedHi)
    stepEnvironment(task.kind, task.state, task.constants, task.action, task.reward, task.terminated, rows)
    let kept = 0
    for (let r = 0; r < rows; r++) {
      const episode = load<i32>(task.running + (r << 2))
      const sum = task.returns + (episode << 3)
      store<f64>(sum, load<f64>(sum) + load<f64>(task.reward + (r << 3)))
      if (load<u8>(task.terminated + r)) continue
      store<i32>(task.running + (kept << 2), episode)
      memory.copy(task.state + kept * stateBytes, task.state + r * stateBytes, stateBytes)
      kept++
    }
    rows = kept
  }
}
