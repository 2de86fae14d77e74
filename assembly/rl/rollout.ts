import { observeEnvironment, resetEnvironment, stateSize, stepEnvironment } from '../envs/environments'
import { countEpisode, countStep, Episodes, observeRow, startEpisode } from '../envs/episodes'
import { boundRows } from '../nn/bounds'
import { act, actKeeping, Policy } from '../nn/policy'
import { episodeSeed, PURPOSE_ACTION, PURPOSE_EVALUATE } from '../random'

/** The E environments of one particle. Addresses and sizes; src/rl/rollout-layout.ts writes the same fields. */
@unmanaged
export class Environments extends Episodes {
  /** E */
  count: i32
  /** f32 [E, O] what each environment shows now */
  current: usize
  /** i32, f64: episodes ended, and the sum of their returns; added to */
  finished: usize
  finishedReturn: usize
  /** kind of the head, on which it depends what becomes of an action on its way to the environment */
  head: i32
  /** f32 [A] */
  low: usize
  high: usize
  /** f32 [E, A] the action as the environment gets it */
  bounded: usize
}

/** The rows that a rollout writes, time-major. src/rl/rollout-layout.ts writes the same fields. */
@unmanaged
export class Batch {
  /** T */
  steps: i32
  /** f32 [T, E, O] */
  observation: usize
  /** f32 [T, E, O] what followed, before any reset */
  nextObservation: usize
  /** f32 [T, E, A] */
  action: usize
  /** f64 [T, E] */
  reward: usize
  /** u8 [T, E] */
  terminated: usize
  truncated: usize
  /** i32 [T, E] steps into the episode, before the action */
  time: usize
  /** i32: whether the last step of an episode gets the rewards of all, and the others none */
  episodicReward: i32
  /** f32 | [T, E, S(w₁)] | [T, E, S(w₂)] | … | outputs of the policy's layers for its gradient, or 0 */
  outputs: usize
}

function resetRow(envs: Environments, particle: i32, e: i32, seedLo: u32, seedHi: u32): void {
  startEpisode(envs, e, particle, seedLo, seedHi)
  observeRow(envs, e, envs.current)
}

/** Starts the first episode of every environment of a particle. */
export function resetEnvironments(envs: Environments, particle: i32, seedLo: u32, seedHi: u32): void {
  for (let e = 0; e < envs.count; e++) resetRow(envs, particle, e, seedLo, seedHi)
}

/** What the environments are given for the actions of a policy. Returns the address of the result. */
export function boundActions(envs: Environments, action: usize, rows: i32): usize {
  return boundRows(envs.bounded, action, rows, envs.actionSize, envs.low, envs.high, envs.head)
}

/**
 * T steps of every environment of a particle: policy forward, sample, step, write the rows, and reset where an episode
 * ended (the same step; the final observation stays in nextObservation). The policy is the only one in its population.
 * `step` is the number of steps taken before this call, so that no random number is drawn twice.
 */
export function rollout(
  batch: Batch, envs: Environments, policy: Policy, particle: i32, step: u32, seedLo: u32, seedHi: u32,
): void {
  const E = envs.count
  const observationBytes = (E * envs.observationSize) << 2
  for (let t = 0; t < batch.steps; t++) {
    const row = t * E
    const action = batch.action + ((row * envs.actionSize) << 2)
    const next = batch.nextObservation + t * observationBytes
    memory.copy(batch.observation + t * observationBytes, envs.current, observationBytes)
    if (batch.outputs) {
      actKeeping(
        policy, 0, envs.current, E, action, batch.outputs, batch.steps * E, row, PURPOSE_ACTION, particle, step + t,
        seedLo, seedHi,
      )
    } else {
      act(policy, 0, envs.current, E, action, 0, false, PURPOSE_ACTION, particle, step + t, seedLo, seedHi)
    }
    const given = boundActions(envs, action, E)
    stepEnvironment(
      envs.kind, envs.state, envs.constants, given, batch.reward + (row << 3), batch.terminated + row, E,
    )
    observeEnvironment(envs.kind, next, envs.state, envs.constants, E)
    memory.copy(envs.current, next, observationBytes)
    memory.copy(batch.time + (row << 2), envs.elapsed, E << 2)
    for (let e = 0; e < E; e++) endStep(batch, envs, particle, e, row + e, seedLo, seedHi)
  }
}

/** Episode bookkeeping of one row: time limit, statistics, rewards that wait for the end, automatic reset. */
function endStep(batch: Batch, envs: Environments, particle: i32, e: i32, row: i32, seedLo: u32, seedHi: u32): void {
  const truncated = countStep(envs, e, load<f64>(batch.reward + (row << 3)))
  store<u8>(batch.truncated + row, truncated ? 1 : 0)
  const episodeReturn = load<f64>(envs.episodeReturn + (e << 3))
  const over = truncated || load<u8>(batch.terminated + row) != 0
  if (batch.episodicReward) store<f64>(batch.reward + (row << 3), over ? episodeReturn : 0)
  if (!over) return
  store<i32>(envs.finished, load<i32>(envs.finished) + 1)
  store<f64>(envs.finishedReturn, load<f64>(envs.finishedReturn) + episodeReturn)
  countEpisode(envs, e)
  resetRow(envs, particle, e, seedLo, seedHi)
}

/** What running one episode in each of M environments takes. src/rl/evaluate.ts writes the same fields. */
@unmanaged
export class Evaluation {
  /** M environments; only their states and what they show are used */
  environments: usize
  /** f32 [M, A] */
  action: usize
  /** f64 [M] */
  reward: usize
  /** u8 [M] */
  terminated: usize
  /** i32 [M] which episode a row runs */
  running: usize
  /** f64 [M] the return of each episode */
  returns: usize
}

/**
 * The returns of episodes first ... first + M - 1 of one particle, one episode a row; rows whose episode is over are
 * dropped. Every particle gets the same initial states.
 */
export function evaluate(
  task: Evaluation, policy: Policy, particle: i32, greedy: bool, first: i32, seedLo: u32, seedHi: u32,
): void {
  const envs = changetype<Environments>(task.environments)
  const kind = envs.kind
  const stateBytes = stateSize(kind) << 3
  let rows = envs.count
  for (let m = 0; m < rows; m++) {
    const seed = episodeSeed(seedLo, seedHi, PURPOSE_EVALUATE, 0, first + m, 0)
    resetEnvironment(kind, envs.state + m * stateBytes, envs.constants, <u32>seed, <u32>(seed >> 32))
    store<i32>(task.running + (m << 2), first + m)
    store<f64>(task.returns + (m << 3), 0)
  }
  for (let step = 0; step < envs.maxSteps && rows > 0; step++) {
    observeEnvironment(kind, envs.current, envs.state, envs.constants, rows)
    act(
      policy, particle, envs.current, rows, task.action, task.running, greedy, PURPOSE_EVALUATE, particle, step, seedLo,
      seedHi,
    )
    const given = boundActions(envs, task.action, rows)
    stepEnvironment(kind, envs.state, envs.constants, given, task.reward, task.terminated, rows)
    let kept = 0
    for (let r = 0; r < rows; r++) {
      const episode = load<i32>(task.running + (r << 2))
      const sum = task.returns + ((episode - first) << 3)
      store<f64>(sum, load<f64>(sum) + load<f64>(task.reward + (r << 3)))
      if (load<u8>(task.terminated + r)) continue
      store<i32>(task.running + (kept << 2), episode)
      memory.copy(envs.state + kept * stateBytes, envs.state + r * stateBytes, stateBytes)
      kept++
    }
    rows = kept
  }
}
