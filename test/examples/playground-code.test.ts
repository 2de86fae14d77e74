// The programs that the playground shows, run in Node, against what the page does.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, expect, test } from '@jest/globals'
import { type AlgorithmName, type AnyTrainOptions, compileCore, environments, train } from 'steinrl'
import { particlesCode } from '../../examples/playground/particles/code.ts'
import { createFlow, type Point, pointsOf, startPoints } from '../../examples/playground/particles/flow.ts'
import { fields, type Settings } from '../../examples/playground/particles/settings.ts'
import { type TargetName, targets } from '../../examples/playground/particles/targets.ts'
import { optionsOf, table } from '../../examples/playground/policies/algorithms.ts'
import { policiesCode } from '../../examples/playground/policies/code.ts'
import { defaults, type Fields } from '../../examples/playground/shared/fields.ts'
import { literal } from '../../examples/playground/shared/source.ts'

/** In the package, so that 'steinrl' is found by its name, as it is in a user's project. */
const place = mkdtempSync(join(fileURLToPath(new URL('../..', import.meta.url)), '.playground-'))
afterAll(() => rmSync(place, { recursive: true, force: true }))

/** What a program prints. */
function run(code: string): string {
  const { NODE_ENV, JEST_WORKER_ID, NODE_OPTIONS, ...env } = process.env
  writeFileSync(join(place, 'run.mjs'), code)
  const { status, stdout, stderr } = spawnSync(process.execPath, ['run.mjs'], { cwd: place, env, encoding: 'utf8' })
  if (status !== 0) throw new Error(`${stderr.slice(-2000)}\n${code}`)
  return stdout
}

/** Where the particles of the page are after some steps. */
async function flowed(settings: Settings, points: readonly Point[], steps: number) {
  const flow = createFlow(await compileCore(), settings)
  await flow.restart(points)
  // A change is under way until the turn in which it was made is over.
  await new Promise((resolve) => setTimeout(resolve, 0))
  for (let k = 0; k < steps; k++) flow.step()
  return pointsOf(flow.moment)
}

/** Each density, and among them each kernel, bandwidth and step rule. */
const changes: Readonly<Record<TargetName, Partial<Settings>>> = {
  mixture: {},
  banana: { temperature: 2.5, kernel: 'matern32' },
  ring: { optimizer: 'adagrad', stepSize: 0.2, repulsion: 1.5 },
  circle: { kernel: 'imq', h: 0.5 },
  moons: { bandwidth: 'fixed', h: 0.7, start: 'corner' },
  wave: { bandwidth: 'per-dimension', start: 'grid' },
  funnel: { kernel: 'matern32', bandwidth: 'fixed', h: 2, start: 'line' },
  gaussian: { kernel: 'linear', optimizer: 'sgd', stepSize: 0.01 },
}

test.each(Object.keys(targets) as TargetName[])(
  '%s: the program of particles moves them as the page does',
  async (target) => {
    const settings: Settings = { ...defaults(fields), count: 13, seed: 3, target, ...changes[target] }
    const points: Point[] = [...startPoints(settings), [1.23, -0.7]]
    const printed = run(particlesCode(settings, points, 40))
      .trim()
      .split('\n')
    const expected = await flowed(settings, points, 40)
    expect(printed).toEqual(expected.map(([x, y]) => `${x} ${y}`))
  },
)

test.each(Object.entries(table))('%s: the program of policies trains as the page does', async (name, entry) => {
  const fieldsOf: Fields = Object.assign({}, ...Object.values(entry.groups))
  const [spec] = Object.values(environments).filter((one) => entry.takes(one) && one.render)
  const values = {
    ...defaults(fieldsOf),
    steps: 32,
    iterations: name === 'sql-compose' ? 21 : 2,
    particles: 4,
    environments: 4,
    svgdSteps: 1,
    seed: 5,
  }
  const chosen = Object.fromEntries(Object.keys(fieldsOf).map((key) => [key, values[key as keyof typeof values]]))
  const options = { env: spec.id, algorithm: name as AlgorithmName, workers: 'auto', ...optionsOf(entry, chosen) }
  const lines = run(policiesCode(options)).trim().split('\n')
  const expected: string[] = []
  for await (const { iteration, iterations, metrics } of train({
    ...options,
    workers: 0,
  } as unknown as AnyTrainOptions))
    expected.push(`${iteration} of ${iterations}: best return ${metrics.best}, median ${metrics.median}`)
  expect(lines.slice(0, -1)).toEqual(expected)
  expect(lines.at(-1)).toMatch(/^mean return of each policy, acting greedily:( -?[\d.e+-]+)+$/)
})

test('a value is typed as a program reads it', () => {
  const value = { text: `it's a \\ and "`, list: [1, [0.5, -2]], truth: true, nothing: null, range: { low: 1e-7 } }
  // biome-ignore lint/security/noGlobalEval: what is evaluated is what the test has written
  expect(eval(`(${literal(value)})`)).toEqual(value)
})
