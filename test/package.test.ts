// What npm would publish, installed and used as by a stranger. The tests of the parts run on the sources; only this one
// sees the package.
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, readFile, realpath, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { binaryOf, hasNested, nestedFolder } from './nested.ts'

const repository = fileURLToPath(new URL('..', import.meta.url)).replace(/\/$/, '')
const MINUTES = 60_000

let directory: string
let consumer: string
/** Paths in the tarball, below package/. */
let packed: string[]

interface Ended {
  code: number
  stdout: string
  stderr: string
}

/** Runs a program; an exit code other than 0 is a result, not an error. */
function run(cwd: string, command: string, ...args: string[]): Promise<Ended> {
  // Jest's own flags, colours and npm's settings of the surrounding `npm test` are not the stranger's.
  const env = Object.fromEntries(
    Object.entries(process.env).filter(
      ([name]) => !/^(npm_(?!config_)|NODE_OPTIONS$|NODE_ENV$|JEST|FORCE_COLOR$)/.test(name),
    ),
  )
  return new Promise((resolve) => {
    execFile(command, args, { cwd, env: { ...env, NO_COLOR: '1' } }, (error, stdout, stderr) =>
      resolve({ code: error ? Number(error.code ?? 1) : 0, stdout, stderr }),
    )
  })
}

async function succeed(cwd: string, command: string, ...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await run(cwd, command, ...args)
  if (code !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${code}:\n${stdout}${stderr}`)
  return stdout
}

beforeAll(async () => {
  directory = await realpath(await mkdtemp(join(tmpdir(), 'steinrl-package-')))
  consumer = join(directory, 'consumer')
  await mkdir(consumer)
  // Without scripts: prepack would build into dist/ under the feet of other tests. `npm test` has built already.
  await succeed(repository, 'npm', 'pack', '--ignore-scripts', '--silent', '--pack-destination', directory)
  const [tarball] = (await readdir(directory)).filter((name) => name.endsWith('.tgz'))
  await succeed(directory, 'tar', '-xzf', tarball)
  packed = (await succeed(directory, 'tar', '-tzf', tarball))
    .split('\n')
    .filter((path) => path !== '' && !path.endsWith('/'))
    .map((path) => path.replace(/^package\//, ''))
  await writeFile(join(consumer, 'package.json'), '{ "name": "consumer", "private": true }\n')
  const install = ['--no-audit', '--no-fund', '--prefer-offline', '--loglevel=error']
  await succeed(consumer, 'npm', 'install', join('..', tarball), ...install)
}, 5 * MINUTES)

afterAll(() => rm(directory, { recursive: true, force: true }))

test('the tarball holds the build and its papers, nothing else', () => {
  const top = new Set(packed.map((path) => path.split('/')[0]))
  const papers = ['README.md', 'LICENSE', 'CHANGELOG.md', 'package.json']
  for (const name of top) expect(['dist', 'python', ...papers]).toContain(name)
  expect(packed.filter((path) => path.startsWith('python/'))).toEqual(['python/bridge.py'])
  expect(packed).toEqual(expect.arrayContaining(['package.json', 'LICENSE', 'dist/index.js', 'dist/index.d.ts']))
  expect(packed).toEqual(expect.arrayContaining(['dist/steinrl.wasm', 'dist/cli/main.js', 'dist/platform/browser.js']))
  // Neither tests, nor TypeScript sources, nor the debug build of the core, nor runs.
  const known =
    /^dist\/(?:[\w-]+\/)*[\w-]+\.(?:js|js\.map|d\.ts|d\.ts\.map)$|^dist\/steinrl(?:-threads|-relaxed|-policy)?\.wasm$|^dist\/inline\/LICENSE-(?:APACHE-2\.0|CHARTS)\.txt$/
  expect(packed.filter((path) => path.startsWith('dist/') && !known.test(path))).toEqual([])
  expect(packed.filter((path) => /test|bench|example/i.test(path))).toEqual([])
})

test('no file of the tarball knows where it was built', async () => {
  expect(packed.length).toBeGreaterThan(50)
  for (const path of packed) {
    const bytes = await readFile(join(directory, 'package', path))
    if (bytes.includes(repository)) throw new Error(`${path} contains ${repository}.`)
  }
})

test('everything that package.json points to is packed', async () => {
  const { bin, exports, imports } = JSON.parse(await readFile(join(directory, 'package', 'package.json'), 'utf8'))
  const targets = (value: unknown): string[] =>
    typeof value === 'string' ? [value] : Object.values(value as object).flatMap(targets)
  const wanted = targets([bin, exports, imports]).map((path) => path.replace(/^\.\//, ''))
  expect(wanted.length).toBeGreaterThanOrEqual(6)
  expect(packed).toEqual(expect.arrayContaining(wanted))
})

test(
  'publint and attw have nothing to say about it',
  async () => {
    const [tarball] = (await readdir(directory)).filter((name) => name.endsWith('.tgz'))
    // publint asks npm what would be packed, so it gets the tarball; attw reads it as well.
    await succeed(directory, join(repository, 'node_modules/.bin/publint'), 'run', tarball, '--strict')
    // An ESM package: CommonJS reaches it by import() only, and node10 resolves no exports.
    if (hasNested('@arethetypeswrong/cli')) await succeed(directory, binaryOf('attw'), tarball, '--profile', 'esm-only')
  },
  2 * MINUTES,
)

test(
  'the quick start of the README runs as it stands',
  async () => {
    const readme = await readFile(join(repository, 'README.md'), 'utf8')
    const [, code] = readme.match(/<!-- quick-start -->\s*\n```(?:js|javascript|ts|typescript)\n([\s\S]*?)\n```/) ?? []
    if (!code) throw new Error('README.md has no ```js block directly after <!-- quick-start -->.')
    expect(code).toContain("'steinrl'")
    await writeFile(join(consumer, 'quick-start.mjs'), `${code}\n`)
    await succeed(consumer, process.execPath, 'quick-start.mjs')
  },
  5 * MINUTES,
)

test(
  'npx steinrl trains and evaluates',
  async () => {
    const small = '--particles 2 --iterations 2 --steps 16 --environments 2 --hidden 8 --eval-episodes 2'.split(' ')
    const output = await succeed(consumer, 'npx', '--no-install', 'steinrl', 'train', 'svpg', 'CartPole-v1', ...small)
    expect(output).toContain('Finished all 2 iterations.')
    const run = join('runs', 'svpg-CartPole-v1-0')
    expect((await readdir(join(consumer, run))).sort()).toEqual(
      ['checkpoint', 'config.json', 'evaluation.json', 'metrics.jsonl', 'particles.safetensors', 'report.html'].sort(),
    )
    const evaluation = await succeed(
      consumer,
      'npx',
      '--no-install',
      'steinrl',
      'eval',
      run,
      '--episodes',
      '2',
      '--json',
    )
    expect(JSON.parse(evaluation)).toEqual(JSON.parse(await readFile(join(consumer, run, 'evaluation.json'), 'utf8')))
  },
  2 * MINUTES,
)

test('the bytes of the core are reached by their export', async () => {
  const script = `
    import { readFile } from 'node:fs/promises'
    import { compileCore } from 'steinrl'
    const path = new URL(import.meta.resolve('steinrl/steinrl.wasm'))
    const core = await compileCore(await readFile(path))
    if (!(core instanceof WebAssembly.Module)) throw new Error('no module')
  `
  await succeed(consumer, process.execPath, '--input-type=module', '--eval', script)
})

test('steinrl/policy acts on an exported run, and its types serve a strict consumer', async () => {
  const script = `
      import { readFile } from 'node:fs/promises'
      import { readRun, encodePolicy } from 'steinrl'
      import { type LoadedPolicy, loadPolicy, UsageError } from 'steinrl/policy'

      const { policy, particles, theta } = (await readRun('runs/svpg-CartPole-v1-0')) as Parameters<typeof encodePolicy>[0]
      const exported = encodePolicy({ env: 'CartPole-v1', policy, particles, theta, best: 1 })
      const core = await readFile(new URL(import.meta.resolve('steinrl/policy.wasm')))
      const loaded: LoadedPolicy = await loadPolicy({ ...exported, core })
      const action: number | Float32Array | Int32Array = loaded.act([0, 0, 0, 0], { particle: 'mean' })
      const error = await loadPolicy({ ...exported, description: '{}', core }).catch((thrown: unknown) => thrown)
      console.log(action, error instanceof UsageError)
    `
  await writeFile(join(consumer, 'policy.mts'), script)
  const options = ['--strict', '--module', 'nodenext', '--target', 'es2022', '--skipLibCheck', '--types', 'node']
  const roots = ['--typeRoots', join(repository, 'node_modules/@types')]
  await succeed(consumer, join(repository, 'node_modules', '.bin', 'tsc'), ...options, ...roots, 'policy.mts')
  expect(await succeed(consumer, process.execPath, 'policy.mjs')).toMatch(/^[01] true\n$/)
})

/** TypeScript of the project, and the oldest and the last one written in JavaScript where they are installed. */
const COMPILERS = [
  { name: 'typescript', bin: join(repository, 'node_modules/typescript/bin/tsc') },
  ...['typescript-5.4', 'typescript-6.0'].map((name) => ({ name, bin: join(nestedFolder, name, 'bin/tsc') })),
]

/** Entries without tfjs. What is marked must be an error, so that the types are those of the package and not any. */
const WITHOUT_TFJS = `
  import { checkEnvironment, type EnvironmentSpec, make, makeVector, type StatePart, UsageError } from 'steinrl/envs'
  import { loadPolicy, type PolicyCore } from 'steinrl/policy'
  import { adam, compileCore, rbf, svgd, svgdNewton } from 'steinrl/svgd'

  const score = (theta: Float32Array, out: Float32Array) => out.set(theta.map((x) => -x))
  const stop = { aborted: false }
  const particles = await svgd({ particles: 4, dimension: 2, iterations: 3, score, kernel: rbf(), signal: stop })
  const first: number = particles[0]
  // @ts-expect-error
  await svgd({ particles: 'four', dimension: 2, iterations: 3, score, optimizer: adam() })
  // @ts-expect-error
  await svgd({ particles: 4, dimension: 2, iterations: 3, score, signal: 'now' })
  // @ts-expect-error
  await make(7)
  // @ts-expect-error
  await loadPolicy(7)
  export const used = [first, checkEnvironment, compileCore, loadPolicy, makeVector, svgdNewton, UsageError]
  export type Used = [EnvironmentSpec, PolicyCore, StatePart]
`

/** Its tensors are tfjs's, whose own declarations need those of the DOM and more. */
const BAYES = `
  import { fitPosterior, logp, model, positive, real, type SummaryRow, summary } from 'steinrl/bayes'

  const normal = model({
    parameters: { mu: real(), sigma: positive() },
    logDensity: ({ mu, sigma }) => [logp.normal(mu, 0, 10), logp.exponential(sigma, 1)],
  })
  const fit = await fitPosterior(normal, { particles: 20 })
  const rows: SummaryRow[] = summary(fit)
  export const mean: number = rows[0].mean
  // @ts-expect-error
  model({ parameters: { mu: 'real' }, logDensity: () => [] })
  // @ts-expect-error
  await fitPosterior(normal, { particles: 'many' })
  // @ts-expect-error
  model({ parameters: { mu: real() }, logDensity: ({ nu }) => [nu] })
`

describe.each(COMPILERS.filter(({ name, bin }) => name === 'typescript' || existsSync(bin)))('$name', ({ bin }) => {
  test.each([
    ['neither DOM nor Node', ['ES2022']],
    ['DOM', ['ES2022', 'DOM']],
  ])('entries without tfjs compile strictly, libraries checked, with types of %s', async (_, lib) => {
    expect(await compiled(bin, WITHOUT_TFJS, { lib, skipLibCheck: false })).toEqual({ code: 0, stdout: '', stderr: '' })
  })

  test('steinrl/bayes compiles strictly without DOM and Node; with libraries checked, the faults are tfjs’s', async () => {
    const lib = ['ES2022']
    expect(await compiled(bin, BAYES, { lib, skipLibCheck: true })).toEqual({ code: 0, stdout: '', stderr: '' })
    const { stdout } = await compiled(bin, BAYES, { lib, skipLibCheck: false })
    const faults = stdout.split('\n').filter((line) => /^\S+\(\d+,\d+\): error/.test(line))
    expect(faults.length).toBeGreaterThan(0)
    expect(faults.filter((line) => !/node_modules\/(@tensorflow|@webgpu)\//.test(line))).toEqual([])
  })
})

/** What a compiler says of a module, without types of packages that it does not import. */
async function compiled(bin: string, text: string, given: { lib: string[]; skipLibCheck: boolean }): Promise<Ended> {
  const folder = await mkdtemp(join(consumer, 'types-'))
  const compilerOptions = { strict: true, noEmit: true, module: 'nodenext', target: 'es2022', types: [], ...given }
  await writeFile(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['entries.mts'] }))
  await writeFile(join(folder, 'entries.mts'), text)
  return run(folder, process.execPath, bin, '--project', folder)
}

test(
  'the installed types serve a strict TypeScript consumer, and catch a wrong setting',
  async () => {
    const tsc = join(repository, 'node_modules', '.bin', 'tsc')
    const options = ['--noEmit', '--strict', '--module', 'nodenext', '--skipLibCheck']
    const check = (file: string) => run(consumer, tsc, ...options, file)

    const right = `
      import { box, createSVGD, discrete, type EnvironmentSpec, type IterationMetrics, make, train } from 'steinrl'

      const walk: EnvironmentSpec = {
        id: 'Walk-v0',
        observationSpace: box([-10], [10]),
        actionSpace: discrete(2),
        maxEpisodeSteps: 50,
        create: () => {
          let x = 0
          return {
            reset: ({ seed }: { seed: number }) => ({ obs: [(x = seed % 2)], info: {} }),
            step: (action: number) => ({
              obs: [(x += action ? 1 : -1)], reward: x, terminated: x > 9, truncated: false, info: {},
            }),
          }
        },
      }
      const last: IterationMetrics[] = []
      for await (const { iteration, metrics, state } of train({ env: walk, particles: 2, iterations: 1 })) {
        const theta: Float32Array = state.arena.view.theta
        last.push(metrics)
        console.log(iteration.toFixed(), theta.length, metrics.returns[0]?.toFixed())
      }
      const env = await make('CartPole-v1', { constants: { gravity: 9.8 } })
      const { obs } = env.reset({ seed: 1 })
      const step: { reward: number; terminated: boolean } = env.step(1)
      console.log(obs[0], step.reward, typeof createSVGD)
    `
    await writeFile(join(consumer, 'right.mts'), right)
    expect(await check('right.mts')).toEqual({ code: 0, stdout: '', stderr: '' })

    await writeFile(join(consumer, 'wrong.mts'), right.replace('particles: 2', "particles: 'two'"))
    const { code, stdout } = await check('wrong.mts')
    expect(code).not.toBe(0)
    expect(stdout).toMatch(/wrong\.mts.*error TS\d+: [^;]*Type 'string' is not assignable to type 'number/)
    // Types that nobody found would be 'any', and the wrong file would pass.
    await writeFile(join(consumer, 'missing.mts'), "import { nothing } from 'steinrl'\nconsole.log(nothing)\n")
    expect((await check('missing.mts')).stdout).toMatch(/missing\.mts.*has no exported member/)
  },
  2 * MINUTES,
)
