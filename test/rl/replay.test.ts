import { expect, test } from '@jest/globals'
import { decodeTensors, encodeTensors } from '../../src/core/safetensors.ts'
import { createBatch, createReplay, mergeReplays, replayOf, sampleInto, store, tensorsOf } from '../../src/rl/replay.ts'

/** Transition number k tells itself in every part. */
const transition = (k: number) => ({
  observation: Float32Array.of(k, k + 0.5),
  nextObservation: Float32Array.of(k + 1, k + 1.5),
  action: Float32Array.of(-k),
  reward: [10 * k],
  terminated: [k % 2],
})

function filled(capacity: number, count: number) {
  const replay = createReplay({ capacity, observations: 2, actions: 1 })
  for (let k = 0; k < count; k++) store(replay, transition(k), 0)
  return replay
}

test('keeps the last transitions, in one allocation', () => {
  const replay = filled(4, 6)
  expect(replay.count).toBe(4)
  expect([...replay.reward].sort((a, b) => a - b)).toEqual([20, 30, 40, 50])
  expect(new Set([replay.observation, replay.action, replay.terminated].map(({ buffer }) => buffer)).size).toBe(1)
})

test('rows of a batch are whole transitions, and every one is as likely', () => {
  const replay = filled(5, 3)
  const batch = createBatch(replay, 9)
  sampleInto(
    batch,
    replay,
    Float32Array.from({ length: 9 }, (_, k) => k / 9),
  )
  expect([...batch.reward]).toEqual([0, 0, 0, 10, 10, 10, 20, 20, 20])
  for (let row = 0; row < 9; row++) {
    const k = batch.reward[row] / 10
    const { observation, nextObservation, action, terminated } = transition(k)
    expect([...batch.observation.subarray(2 * row, 2 * row + 2)]).toEqual([...observation])
    expect([...batch.nextObservation.subarray(2 * row, 2 * row + 2)]).toEqual([...nextObservation])
    expect([batch.action[row], batch.terminated[row]]).toEqual([action[0], terminated[0]])
  }
})

test('the largest uniform number below 1 draws the last transition', () => {
  const replay = filled(5, 5)
  const batch = createBatch(replay, 1)
  sampleInto(batch, replay, Float32Array.of(1 - 2 ** -24))
  expect(batch.reward[0]).toBe(40)
})

test('saved as a file and read back, the oldest is still the first to go', () => {
  const bytes = encodeTensors({ tensors: tensorsOf(filled(4, 6)), metadata: {} })
  const replay = replayOf(decodeTensors(bytes).tensors, 5)
  expect([...replay.reward]).toEqual([20, 30, 40, 50, 0])
  store(replay, transition(7), 0)
  store(replay, transition(8), 0)
  expect([...replay.reward]).toEqual([80, 30, 40, 50, 70])
})

test('a full one that is read back goes on at its start', () => {
  const replay = replayOf(tensorsOf(filled(3, 7)))
  store(replay, transition(9), 0)
  expect([...replay.reward]).toEqual([90, 50, 60])
})

test('replays of one task are merged', () => {
  const merged = mergeReplays([filled(4, 2), filled(4, 3)])
  expect([...merged.reward]).toEqual([0, 10, 0, 10, 20])
  expect(merged.count).toBe(5)
})

test.each([
  [
    () => mergeReplays([filled(2, 1), createReplay({ capacity: 2, observations: 3, actions: 1 })]),
    '2 and 3 observations',
  ],
  [() => replayOf(tensorsOf(filled(4, 3)), 2), 'does not fit a capacity of 2'],
  [() => replayOf({}), 'observation is missing'],
  [
    () => replayOf({ ...tensorsOf(filled(4, 3)), reward: { shape: [2], data: new Float32Array(2) } }),
    'must have 3 numbers, got 2',
  ],
  [
    () => replayOf({ ...tensorsOf(filled(4, 1)), reward: { shape: [1], data: Float32Array.of(Number.NaN) } }),
    'must be finite',
  ],
])('refuses what is no replay (%#)', (make, message) => {
  expect(make).toThrow(message)
})
