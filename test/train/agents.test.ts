import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { decodeTensors, encodeTensors } from '../../src/core/safetensors.ts'
import type { EnvironmentSpec } from '../../src/envs/contract.ts'
import { box, discrete } from '../../src/envs/spaces.ts'
import { createRun, finishRun, record } from '../../src/train/record.ts'
import { loadAgents, readRun } from '../../src/train/run-directory.ts'
import { type AnyTrainOptions, type AnyTrainStep, evaluate, runConfig, train } from '../../src/train/train.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'steinrl-agents-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

const small = { iterations: 2, hidden: [8], steps: 60, environments: 4, seed: 3, particles: 4 }

async function runOf(name: string, options: AnyTrainOptions) {
  const path = join(folder, name)
  const run = await createRun(path, runConfig(options), { overwrite: true })
  let last: AnyTrainStep | undefined
  for await (const step of record(run, train(options))) last = step as AnyTrainStep
  return { run, path, step: last as AnyTrainStep }
}

const observation = [0.02, -0.3, 0.1, 0.4]
const drawn = (agents: Awaited<ReturnType<typeof loadAgents>>, particle?: number) =>
  agents.actRows(Array.from({ length: 60 }, () => observation).flat(), { greedy: false, seed: 1, particle })

test('agents of a run act as those of its last step did; the best of training acts, or of the evaluation when there is one', async () => {
  const { run, path, step } = await runOf('cartpole', { env: 'CartPole-v1', ...small })
  const agents = step.agents()
  const loaded = await loadAgents(path)
  expect(loaded.best).toBe(agents.best)
  expect(drawn(loaded)).toEqual(drawn(agents))
  expect(drawn(loaded, 1)).toEqual(drawn(agents, 1))
  const evaluation = await evaluate({ agents, episodes: 3 })
  const other = ((agents.best ?? 0) + 1) % 4
  // Another particle than in training is the best.
  const greedy = evaluation.greedy.map((_, i) => (i === other ? 500 : 1))
  await finishRun(run, 'Finished.', { ...evaluation, greedy })
  const evaluated = await loadAgents(path)
  expect(evaluated.best).toBe(other)
  expect(drawn(evaluated)).toEqual(drawn(agents, other))
  expect(drawn(evaluated)).not.toEqual(drawn(agents))
  expect(await evaluate({ agents: evaluated, episodes: 3 })).toEqual(evaluation)
  const { config, env, ...again } = await readRun(path)
  expect([config.env, env]).toEqual(['CartPole-v1', 'CartPole-v1'])
  expect(await evaluate({ agents: again, episodes: 3 })).toEqual(evaluation)
  await writeFile(join(path, 'evaluation.json'), '{"episodes":5,"greedy":[1],"sampled":[1]}')
  await expect(loadAgents(path)).rejects.toThrow('is damaged: it has no mean return of each of 4 particles.')
})

test('policies whose saved head is not one of the task are refused', async () => {
  const { path } = await runOf('squashed', { ...small, env: 'MultiGoal-v0', head: 'squashed-gaussian' })
  const file = join(path, 'particles.safetensors')
  const { tensors, metadata } = decodeTensors(await readFile(file))
  const shape = JSON.parse(metadata.policy)
  // As many outputs: μ and log σ of two numbers, or four logits.
  const policy = JSON.stringify({ ...shape, head: { name: 'categorical', actions: 4 } })
  await writeFile(file, encodeTensors({ tensors, metadata: { ...metadata, policy } }))
  await expect(loadAgents(path)).rejects.toThrow(
    'The policies have 2 observations and 4 discrete actions, but MultiGoal-v0 has 2 observations and 2 continuous actions.',
  )
})

const own: EnvironmentSpec = {
  ...{ id: 'Own-v0', observationSpace: box([-1], [1]), actionSpace: discrete(2), maxEpisodeSteps: 5 },
  create: () => {
    const plain = { obs: [0], info: {}, reward: 1, terminated: false, truncated: false }
    return { reset: () => plain, step: () => plain }
  },
}

test('a run of a task of one’s own finds it in its module again; one without a module is refused before it begins', async () => {
  const spec: EnvironmentSpec = (await import('../rl/fixtures/walk.js' as string)).default
  const walk = { ...spec, module: new URL('../rl/fixtures/walk.js', import.meta.url).href }
  const { path, step } = await runOf('walk', { env: walk, ...small })
  const agents = await loadAgents(path)
  expect(agents.act([0.5, 1])).toEqual(step.agents().act([0.5, 1]))
  const played = await evaluate({ env: walk, agents: await readRun(path), episodes: 2 })
  expect(played.greedy).toEqual((await evaluate({ env: walk, agents, episodes: 2 })).greedy)
  await expect(runOf('own', { env: own, ...small })).rejects.toThrow('Own-v0 cannot be made again elsewhere')
})

test.each([
  [undefined, 'loadAgents takes the path of a run directory or bytes, got undefined.'],
  ['/nowhere', '"/nowhere" is not a run: it has no config.json.'],
  [new Uint8Array(3), ''],
])('refuses %j', async (source, message) => {
  await expect(loadAgents(source as string)).rejects.toThrow(
    expect.objectContaining({ name: 'UsageError', message: expect.stringContaining(message) }),
  )
})
