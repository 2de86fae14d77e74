import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { presetNamed } from '../src/experiments/presets.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const cli = join(root, 'dist/cli/main.js')
const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
/** In the package, so that 'steinrl' is found by its name, as it is in a user's project. */
const place = mkdtempSync(join(root, '.docs-'))
const minutes = (count: number) => count * 60_000

interface Block {
  readonly page: string
  readonly name: string
  readonly code: string
}

const pages = readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.md') && !name.includes('node_modules'))
  .map((name) => `docs/${name.replaceAll('\\', '/')}`)
  .sort()

function blocks(language: string): Block[] {
  return pages.flatMap((page) => {
    const text = readFileSync(join(root, page), 'utf8')
    const found = [...text.matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\``, 'gm'))]
    return found.map(([, code], k) => ({ page, name: `${page}, block ${k + 1}`, code }))
  })
}

function run(program: string, args: readonly string[]): string {
  // Jest's own variables must not reach what a user would type in a plain shell.
  const { NODE_ENV, JEST_WORKER_ID, NODE_OPTIONS, ...env } = process.env
  const { status, stdout, stderr } = spawnSync(program, args, { cwd: place, env, encoding: 'utf8' })
  if (status !== 0)
    throw new Error(`${args.join(' ')} ended with ${status}:\n${stdout.slice(-2000)}\n${stderr.slice(-2000)}`)
  return stdout
}

const steinrl = (args: readonly string[]) => run(process.execPath, [cli, ...args])

/** What pages take for granted: the examples, a policy of stable-baselines3 and a run whose policies are exported. */
beforeAll(() => {
  cpSync(join(root, 'test/golden/stable-baselines3/ppo.zip'), join(place, 'model.zip'))
  cpSync(join(root, 'examples/posteriors'), join(place, 'examples/posteriors'), { recursive: true })
  steinrl([...'train svpg CartPole-v1 --particles 4 --iterations 2 --eval-episodes 2 --out runs/x'.split(' ')])
  steinrl([...'export runs/x --out runs/x/policy'.split(' ')])
}, minutes(2))
afterAll(() => rmSync(place, { recursive: true, force: true }))

describe('code shown in the guides runs as it stands', () => {
  test.each(blocks('ts'))(
    '$name',
    ({ code }) => {
      writeFileSync(join(place, 'shown.ts'), code)
      expect(run(process.execPath, ['--import', import.meta.resolve('tsx'), 'shown.ts']).length).toBeGreaterThan(0)
    },
    minutes(3),
  )

  test('the worker of docs/edge.md is examples/edge/worker.js', () => {
    const workers = blocks('js')
    expect(workers.map(({ page }) => page)).toEqual(['docs/edge.md'])
    expect(workers[0].code).toBe(readFileSync(join(root, 'examples/edge/worker.js'), 'utf8'))
  })
})

describe('commands shown in the guides exist', () => {
  const commands = [...new Set(blocks('sh').flatMap(({ code }) => code.trim().split('\n')))]
  const suites = readFileSync(join(root, 'bench/run.ts'), 'utf8')

  // The code of docs/runs.md has gone on with it.
  beforeAll(() => void steinrl(['eval', 'runs/x', '--episodes', '2']), minutes(1))

  /** Trains one iteration, and looks up the settings of an experiment without running it. */
  const check: Record<string, (args: string[]) => void> = {
    train: (args) => {
      // Where no server is named by that name, the command says so.
      if (args.includes('redis://host')) return expect(steinrl(['train', args[0], '--help'])).toContain('--workers')
      const short = ['--iterations', '1', '--eval-episodes', '1', '--out', `runs/shown-${args[1]}`, '--overwrite']
      expect(steinrl(['train', ...args, ...short])).toMatch(/Finished all 1 iterations/)
    },
    experiment: ([name, ...options]) => {
      if (name === undefined) return void expect(steinrl(['experiment'])).toContain('svpg-cartpole')
      const { variants } = presetNamed(name)
      const wanted = options[options.indexOf('--variants') + 1]?.split(',') ?? []
      if (options.includes('--variants'))
        expect(variants.map(({ label }) => label)).toEqual(expect.arrayContaining(wanted))
      const help = steinrl(['experiment', '--help'])
      for (const option of options.filter((word) => word.startsWith('--'))) expect(help).toContain(option)
    },
    sweep: ([space, ...options]) => {
      const given = readFileSync(join(root, 'docs/sweeps.md'), 'utf8').match(/^```json\n([\s\S]*?)^```/m)?.[1]
      writeFileSync(join(place, space), given as string)
      const words = options.includes('optuna') ? ['--help'] : ['--trials', '1', '--overwrite']
      expect(
        steinrl(['sweep', space, ...options.filter((word) => word !== 'optuna' || words[0] !== '--help'), ...words]),
      ).toMatch(/Report|--sampler/)
    },
    fit: (args) => void expect(steinrl(['fit', ...args])).toContain('report'),
    eval: (args) => void expect(steinrl(['eval', ...args])).toMatch(/median/),
    worker: ([, ...options]) => {
      const help = steinrl(['worker', '--help'])
      for (const option of options.filter((word) => word.startsWith('--'))) expect(help).toContain(option)
    },
    cluster: ([name]) => void expect(steinrl(['cluster', name, '--help'])).toContain('jobs at a server'),
    play: (args) => void expect(steinrl(['play', ...args])).toMatch(/^Wrote /m),
    export: (args) => void steinrl(['export', ...args, '--overwrite']),
  }

  test.each(commands)(
    '%s',
    (command) => {
      const [program, name, ...args] = command.split(/\s+/)
      if (program === 'npx' && name === 'steinrl') return check[args[0]](args.slice(1))
      expect(program).toBe('npm')
      if (name === 'install') return
      expect(name).toBe('run')
      expect(Object.keys(scripts)).toContain(args[0])
      if (args[0] === 'bench') expect(suites).toContain(`${args[2].includes('-') ? `'${args[2]}'` : args[2]}: () =>`)
    },
    minutes(3),
  )
})

test('every file that the guides and CONTRIBUTING.md name is there', () => {
  const named = [...pages, 'CONTRIBUTING.md', 'README.md'].flatMap((page) => {
    const text = readFileSync(join(root, page), 'utf8')
    return [...text.matchAll(/`((?:src|assembly|test|bench|examples|tools|docs)\/[\w./-]*)`/g)].map(([, path]) => ({
      page,
      path,
    }))
  })
  expect(named.length).toBeGreaterThan(30)
  expect(named.filter(({ path }) => !path.includes('NAME') && !existsSync(join(root, path)))).toEqual([])
})
