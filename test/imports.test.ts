import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, normalize, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from '@jest/globals'

const root = fileURLToPath(new URL('..', import.meta.url))

/** Rooms from left to right; rooms of one rank do not know each other, except the two leftmost. */
const SOURCE_RANKS = {
  platform: 0,
  core: 0,
  optim: 0.5,
  svgd: 1,
  nn: 1,
  compile: 1.5,
  envs: 1,
  rl: 2,
  cluster: 2.5,
  policy: 1.5,
  algorithms: 3,
  report: 3.5,
  bayes: 3.7,
  train: 4,
  experiments: 5,
  sweeps: 5.5,
  play: 3.6,
  export: 5,
  cli: 6,
}
const ASSEMBLY_RANKS = { math: 0, random: 0, optim: 0.5, svgd: 1, nn: 1, plan: 1.5, envs: 1, rl: 2 }
/** They list the exports of a module. */
const ENTRIES = ['index', 'policy-entry', 'render', 'tools']

interface Arrow {
  file: string
  from: string
  to: string
}

function arrows(folder: string): Arrow[] {
  const top = join(root, folder)
  const files = readdirSync(top, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'))
  return files.flatMap((file) => {
    const text = readFileSync(join(top, file), 'utf8')
    const targets = [...text.matchAll(/(?:from|import)\s*\(?\s*'([^']+)'/g)].map(([, target]) => target)
    return (
      targets
        .filter((target) => target.startsWith('.') || target.startsWith('#'))
        // The binaries as modules, written by the build.
        .filter((target) => !/^(?:\.\.\/)+dist\/inline\//.test(target))
        .map((target) => {
          const path = target.startsWith('#') ? 'platform/node.ts' : relative(top, join(top, dirname(file), target))
          return { file: `${folder}/${file}`, from: room(file), to: room(path) }
        })
    )
  })
}

const room = (path: string) => path.split('/')[0].replace(/\.ts$/, '')

function backwards(folder: string, ranks: Record<string, number>): string[] {
  return arrows(folder)
    .filter(({ from }) => !ENTRIES.includes(from))
    .filter(({ from, to }) => !(from === to || ranks[to] < ranks[from] || (ranks[to] === 0 && ranks[from] === 0)))
    .map(({ file, to }) => `${file} uses ${to}`)
}

test('src: every room uses only rooms to its left, and nothing imports index.ts', () => {
  expect(arrows('src').length).toBeGreaterThan(50)
  expect(backwards('src', SOURCE_RANKS)).toEqual([])
})

test('assembly: the same rooms, the same direction', () => {
  expect(arrows('assembly').length).toBeGreaterThan(20)
  expect(backwards('assembly', ASSEMBLY_RANKS)).toEqual([])
})

/** The files that each file of a folder imports, types among them. */
function importsOf(folder: string): Map<string, readonly string[]> {
  const top = join(root, folder)
  const files = readdirSync(top, { recursive: true, encoding: 'utf8' }).filter(
    (file) => file.endsWith('.ts') && !file.includes('node_modules'),
  )
  const named = (target: string) => (target.endsWith('.ts') ? target : `${target}.ts`)
  return new Map(
    files.map((file) => {
      const targets = [...readFileSync(join(top, file), 'utf8').matchAll(/(?:from|import)\s*\(?\s*'(\.[^']+)'/g)]
      const paths = targets.map(([, target]) => named(normalize(join(dirname(file), target))))
      return [file, paths.filter((path) => files.includes(path))]
    }),
  )
}

/** Every way that leads from a file back to itself, found once. */
function circles(imports: ReadonlyMap<string, readonly string[]>): string[] {
  const found: string[] = []
  const done = new Set<string>()
  const follow = (file: string, way: readonly string[]) => {
    if (way.includes(file)) found.push([...way.slice(way.indexOf(file)), file].join(' > '))
    else if (!done.has(file)) {
      for (const next of imports.get(file) ?? []) follow(next, [...way, file])
      done.add(file)
    }
  }
  for (const file of imports.keys()) follow(file, [])
  return found
}

test.each(['src', 'assembly', 'bench', 'test', 'examples'])('%s: no file imports itself over others', (folder) => {
  const imports = importsOf(folder)
  expect([...imports.values()].flat().length).toBeGreaterThan(40)
  expect(circles(imports)).toEqual([])
})

test('a circle of imports is found', () => {
  const imports = new Map([
    ['a', ['b']],
    ['b', ['c', 'd']],
    ['c', []],
    ['d', ['b']],
  ])
  expect(circles(imports)).toEqual(['b > d > b'])
})

test('only the entries of the package re-export, and nothing imports them', () => {
  const files = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' }).filter((file) =>
    file.endsWith('.ts'),
  )
  const texts = files.map((file) => [file, readFileSync(join(root, 'src', file), 'utf8')] as const)
  const entries = [
    'algorithms.ts',
    'bayes.ts',
    'cluster.ts',
    'envs.ts',
    'index.ts',
    'policy/index.ts',
    'render.ts',
    'svgd.ts',
    'sweeps.ts',
    'tools.ts',
  ]
  const reexporting = texts
    .filter(([, text]) => /^export (?:type )?(?:\*|\{[^}]*\}) from /m.test(text))
    .map(([file]) => file)
  expect(reexporting.sort()).toEqual(entries)
  const importing = texts.filter(([file, text]) => {
    const targets = [...text.matchAll(/from '(\.[^']+)'/g)].map(([, target]) => join(dirname(file), target))
    return targets.some((target) => entries.includes(target))
  })
  expect(importing.map(([file]) => file)).toEqual([])
})

test('only the command line and the platform touch console and process', () => {
  const offenders = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts') && !file.startsWith('cli/') && !file.startsWith('platform/'))
    .filter((file) => /\b(console|process)\./.test(readFileSync(join(root, 'src', file), 'utf8')))
  expect(offenders).toEqual([])
})

/** Every module that a file of src/ loads, directly or not. */
function loadedBy(file: string, found = new Set<string>()): Set<string> {
  if (found.has(file)) return found
  found.add(file)
  const text = readFileSync(join(root, 'src', file), 'utf8')
  // Types leave nothing behind.
  for (const [, target] of text.matchAll(/^(?:import|export)(?! type)[^;]*? from '([^']+)'/gm)) {
    if (target.startsWith('.')) loadedBy(join(dirname(file), target), found)
    else found.add(target)
  }
  for (const [, target] of text.matchAll(/\bimport\(?\s*'([^']+)'/g)) found.add(target)
  return found
}

test('steinrl/policy loads neither tfjs nor Node nor the platform, and evaluates no text', () => {
  const loaded = [...loadedBy('policy/index.ts')]
  expect(loaded).toEqual(expect.arrayContaining(['policy/policy.ts', 'nn/policy.ts', 'core/safetensors.ts']))
  const rooms = new Set(loaded.filter((path) => path.endsWith('.ts')).map(room))
  expect([...rooms].sort()).toEqual(['core', 'nn', 'policy'])
  expect(loaded.filter((path) => !path.endsWith('.ts'))).toEqual(['valibot'])
  for (const path of loaded.filter((path) => path.endsWith('.ts'))) {
    const text = readFileSync(join(root, 'src', path), 'utf8')
    expect(text).not.toMatch(/\beval\(|new Function\b|\bimport\.meta\b|\bBuffer\.|\brequire\(|\bprocess\./)
  }
  // The search sees what it should: this one does load all of that.
  expect([...loadedBy('train/run-directory.ts')]).toEqual(expect.arrayContaining(['#platform']))
})

test('what a worker or a thread loads cannot start one: bundlers hang on a worker that could start itself', () => {
  for (const file of ['algorithms/workers/worker.ts', 'core/thread.ts']) {
    const loaded = [...loadedBy(file)]
    expect(loaded).toEqual(expect.arrayContaining(['core/module.ts', '#platform']))
    expect(loaded.filter((name) => name === '#workers' || name === '#threads')).toEqual([])
  }
  // The search sees what it should: this one does start some.
  expect([...loadedBy('index.ts')]).toEqual(expect.arrayContaining(['#workers', '#threads']))
})

const textOf = (file: string) => readFileSync(join(root, file), 'utf8')

/** Who imports from src, itself included. */
const USERS = ['src', 'test', 'bench', 'examples', 'tools', 'docs']

/** What #platform and its like stand for: a file for Node and one for browsers each. */
const { imports } = JSON.parse(textOf('package.json')) as { imports: Record<string, Record<string, string>> }
const filesBehind = (name: string) =>
  Object.values(imports[name]).map((path) => path.replace('./dist/', 'src/').replace(/\.js$/, '.ts'))

function filesOf(folder: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => /\.(ts|js|mjs)$/.test(file) && !/(^|\/)(node_modules|dist)\//.test(file))
    .map((file) => `${folder}/${file}`)
}

const DECLARED = /^export (?:async )?(?:abstract )?(?:function\*?|const|let|class|interface|type|enum) (\w+)/gm
const LISTED = /(?:import|export)(?: type)?\s*\{([^}]*)\}\s*from\s*'([^']+)'/g
/** import * as x from, and import(): all that the file exports. */
const WHOLE = /(?:\* as \w+ from|import\()\s*'([^']+)'/g

/** 'file name' for each name that a file imports or passes on, `*` for all that is there. */
function namesUsedBy(file: string, content: string): string[] {
  const filesAt = (target: string) =>
    target.startsWith('#') ? filesBehind(target) : [normalize(join(dirname(file), target)).replace(/\.js$/, '.ts')]
  const listed = [...content.matchAll(LISTED)].flatMap(([, list, target]) =>
    list
      .split(',')
      .map((item) =>
        item
          .trim()
          .replace(/^type /, '')
          .replace(/ as .*/, ''),
      )
      .flatMap((name) => filesAt(target).map((path) => `${path} ${name}`)),
  )
  const whole = [...content.matchAll(WHOLE)].flatMap(([, target]) => filesAt(target).map((path) => `${path} *`))
  return [...listed, ...whole]
}

/** Exports that no import names: types of declarations that TypeScript infers. */
const NAMED_ELSEWHERE = [
  ...['algorithms/adr/discriminator.ts TransitionDiscriminator', 'algorithms/sql/sampler-learning.ts SamplerLearning'],
  ...['algorithms/svpg/svpg.ts PopulationStart', 'envs/mujoco/ant.ts AntOptions'],
  ...[
    'envs/box2d/bipedal-walker.ts BipedalWalkerOptions',
    'envs/box2d/lunar-lander.ts LunarLanderOptions',
    'envs/mujoco/hopper.ts HopperOptions',
    'envs/mujoco/humanoid.ts HumanoidOptions',
    'envs/mujoco/inverted-double-pendulum.ts DoublePendulumOptions',
    'envs/mujoco/pusher.ts PusherOptions',
    'envs/mujoco/reacher.ts ReacherOptions',
    'envs/mujoco/walker2d.ts Walker2dOptions',
  ],
]

test('every name that a file of src exports is imported by another file', () => {
  const used = new Set(USERS.flatMap(filesOf).flatMap((file) => namesUsedBy(file, textOf(file))))
  const exported = filesOf('src').flatMap((file) =>
    [...textOf(file).matchAll(DECLARED)].map(([, name]) => ({ file, name })),
  )
  expect(exported.length).toBeGreaterThan(500)
  const unused = exported
    .filter(({ file, name }) => !used.has(`${file} ${name}`) && !used.has(`${file} *`))
    .map(({ file, name }) => `${file.slice('src/'.length)} ${name}`)
  expect(unused.filter((name) => !NAMED_ELSEWHERE.includes(name))).toEqual([])
})

test('imports by name, of types, of whole files and by # are seen', () => {
  const content = `import { a, type B, c as d } from './near.ts'
    export type { E } from '../far.ts'
    import * as all from './all.ts'
    import { platform } from '#platform'`
  expect(namesUsedBy('src/room/file.ts', content)).toEqual([
    ...['src/room/near.ts a', 'src/room/near.ts B', 'src/room/near.ts c', 'src/far.ts E'],
    ...['src/platform/browser.ts platform', 'src/platform/node.ts platform', 'src/room/all.ts *'],
  ])
})

/**
 * Where files without a test at their own path are tested, by the start of their path, and why there. The longest start
 * that fits counts.
 */
const TESTED_ELSEWHERE: Readonly<Record<string, readonly [where: string, why: string]>> = {
  'algorithms/adr/': ['algorithms/adr/adr.test.ts', 'one iteration runs all of them'],
  'algorithms/algorithm.ts': ['train/train.test.ts', 'every algorithm gives these metrics'],
  'algorithms/amortized-svgd/': ['algorithms/amortized-svgd/amortized-svgd.test.ts', 'both rules against exact ones'],
  'algorithms/policy-gradient/': ['algorithms/policy-gradient/policy-gradient.test.ts', 'the state of its evaluator'],
  'algorithms/s2ac/': ['algorithms/s2ac/s2ac.test.ts', 'its sampler and its policy against float64 twins'],
  'algorithms/sac/': ['algorithms/sac/sac.test.ts', 'settings'],
  'algorithms/sql/': ['algorithms/sql/sql.test.ts', 'its sampler and how that learns against float64 twins'],
  'algorithms/sql/compose-settings.ts': ['algorithms/sql/sql-compose.test.ts', 'settings'],
  'algorithms/svpg/': ['algorithms/svpg/svpg.test.ts', 'the interaction and the kernel of its step'],
  'algorithms/workers/': ['rl/worker-pool.test.ts', 'what a worker runs'],
  'bayes/': ['bayes/fit.test.ts', 'the steps of a fit'],
  'cli/': ['cli/train.test.ts', 'the command line is tested as a command'],
  'cluster/': ['cluster/runs.test.ts', 'runs on workers of a real server'],
  'compile/': ['compile/operations.test.ts', 'every op as a plan against tfjs'],
  'core/json.ts': ['core/plain.test.ts', 'plain data from files'],
  'core/layout.ts': ['core/arena.test.ts', 'arenas are laid out by it'],
  'core/power.ts': ['optim/optimizers.test.ts', 'the only power that training takes'],
  'core/rows.ts': ['rl/trainable.test.ts', 'rows of batches'],
  'core/schemas.ts': ['core/settings.test.ts', 'the sentences of every check'],
  'core/shared-arena.ts': ['svgd/threads.test.ts', 'the memory of threads'],
  'core/simd.ts': ['core/module.test.ts', 'asked before the core is loaded'],
  'core/state': ['train/resume.test.ts', 'what checkpoints hold'],
  'core/thread': ['svgd/threads.test.ts', 'threads of one process'],
  'core/version.ts': ['train/run-directory.test.ts', 'a run keeps its version'],
  'envs/': ['envs/all.test.ts', 'what every environment has to do'],
  'envs/box2d/': ['envs/box2d.test.ts', 'every task against recorded episodes of Gymnasium'],
  'envs/mujoco/': ['envs/mujoco.test.ts', 'every robot against recorded steps of Gymnasium'],
  'envs/wrappers/': ['envs/wrappers.test.ts', 'wrappers alone and around each other'],
  'experiments/': ['experiments/experiment.test.ts', 'an experiment from its settings to its summary'],
  'experiments/charts.ts': ['experiments/report.test.ts', 'the charts of the report'],
  'experiments/comparison-': ['experiments/report.test.ts', 'the comparison in the report, and its charts'],
  'export/': ['export/models.test.ts', 'what is exported is loaded again'],
  'nn/': ['nn/core-ops.test.ts', 'ops and losses against tfjs and float64 twins'],
  'nn/gradients/': ['nn/gradients/sweep.test.ts', 'every op of tfjs against finite differences'],
  'platform/': ['conformance/coverage.test.ts', 'run in every runtime by the conformance program'],
  'policy/': ['policy/acting.test.ts', 'what is loaded acts'],
  'report/': ['train/report.test.ts', 'the page of a run'],
  'play/': ['cli/play.test.ts', 'episodes of a run against its evaluation'],
  'play/lzw.ts': ['play/gif.test.ts', 'against a plain reader'],
  'play/raster.ts': ['play/gif.test.ts', 'the pixels of every shape'],
  'play/side-by-side.ts': ['play/animation.test.ts', 'scenes of several episodes'],
  'rl/advantages.ts': ['rl/returns.test.ts', 'returns, values and weights of rows'],
  'rl/evaluate.ts': ['rl/rollout.test.ts', 'evaluation beside rollouts of the same seeds'],
  'rl/normalisation.ts': ['algorithms/policy-gradient/trajectory-imitation.test.ts', 'rows that a discriminator sees'],
  'rl/particle-states.ts': ['train/resume.test.ts', 'what checkpoints hold'],
  'rl/play.ts': ['rl/agents.test.ts', 'agents at play'],
  'rl/pool-worker.ts': ['rl/worker-pool.test.ts', 'one worker of a pool'],
  'rl/random-rows.ts': ['rl/agents.test.ts', 'actions that do not depend on the number of rows'],
  'rl/replay-state.ts': ['train/resume.test.ts', 'what checkpoints hold'],
  'rl/rollout-layout.ts': ['rl/rollout.test.ts', 'the memory of rollouts'],
  'rl/soft-q.ts': ['algorithms/sac/sac.test.ts', 'the critics that three algorithms share'],
  'rl/visitation-density.ts': ['algorithms/svpg/behaviour-kernel.test.ts', 'the densities of its kernel'],
  'svgd/': ['svgd/kernels.test.ts', 'every kernel and its passes against float64 twins'],
  'sweeps/': ['sweeps/sweep.test.ts', 'parts of a sweep, which runs them all'],
  'train/': ['train/run-directory.test.ts', 'the files of a run'],
}

test('a file of src has a test at its path, or is tested where it is said, and why', () => {
  const files = filesOf('src').map((file) => file.slice('src/'.length))
  const tests = filesOf('test').map((file) => file.slice('test/'.length))
  // Types and lists of exports have nothing to test.
  const tested = files.filter((file) => /^(export )?(async )?(function|const|class|let)\b/m.test(textOf(`src/${file}`)))
  const apart = tested.filter((file) => !tests.includes(file.replace(/\.ts$/, '.test.ts')))
  const starts = Object.keys(TESTED_ELSEWHERE).sort((a, b) => b.length - a.length)
  const startOf = (file: string) => starts.find((start) => file.startsWith(start))
  expect(apart.filter((file) => startOf(file) === undefined)).toEqual([])
  expect(starts.filter((start) => !apart.some((file) => startOf(file) === start))).toEqual([])
  expect(Object.values(TESTED_ELSEWHERE).filter(([where]) => !tests.includes(where))).toEqual([])
})
