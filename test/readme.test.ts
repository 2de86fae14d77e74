import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { stripVTControlCharacters } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { nestedFolder } from './nested.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const clone = mkdtempSync(join(tmpdir(), 'steinrl-clone-'))
const minutes = (count: number) => count * 60_000

function blocks(file: string, language: string): string[] {
  const text = readFileSync(join(root, file), 'utf8')
  return [...text.matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\``, 'gm'))].map(([, block]) => block)
}

const commands = blocks('README.md', 'sh').flatMap((block) => block.trim().split('\n'))

/** What takes minutes to make and is the same: npm and the build find it complete, or make it anew. */
function takeOver() {
  // The nested package that `npm run test:install` fetches (0.8 GB), as hard links.
  if (existsSync(nestedFolder)) spawnSync('cp', ['-al', nestedFolder, join(clone, 'test/browser')])
  // Builds of the core with their stamps, which are of the sources: other ones are compiled.
  const binaries = readdirSync(join(root, 'dist')).filter((name) => name.endsWith('.wasm'))
  const stamps = 'node_modules/.cache/steinrl/wasm.json'
  for (const file of [...binaries.map((name) => `dist/${name}`), stamps].filter((name) => existsSync(join(root, name))))
    cpSync(join(root, file), join(clone, file))
}

/** What a clone holds: tracked files and new ones that git does not ignore. */
beforeAll(() => {
  const files = execFileSync('git', ['ls-files', '-co', '--exclude-standard', '-z'], { cwd: root, encoding: 'utf8' })
  for (const file of files.split('\0').filter((name) => name && existsSync(join(root, name)))) {
    cpSync(join(root, file), join(clone, file))
  }
  takeOver()
})
afterAll(() => rmSync(clone, { recursive: true, force: true }))

function run(command: string): string {
  // Jest's own variables must not reach what a user would type in a plain shell.
  const { NODE_ENV, JEST_WORKER_ID, NODE_OPTIONS, ...inherited } = process.env
  // Of packages that were fetched a moment ago npm asks nobody.
  const env = { ...inherited, npm_config_prefer_offline: 'true' }
  const { status, stdout, stderr } = spawnSync('sh', ['-c', command], { cwd: clone, env, encoding: 'utf8' })
  if (status !== 0) throw new Error(`${command} ended with ${status}:\n${stdout}\n${stderr}`)
  return stdout
}

describe('every command of the README works in a fresh clone, in its order', () => {
  const checks: Record<string, (output: string) => void> = {
    'npm start': (output) => {
      const [greedy] = output.match(/best +[\d.]+/) ?? ['']
      const [medians] = output.match(/median +[\d.]+/) ?? ['']
      expect(Number(greedy.split(/ +/)[1])).toBeGreaterThanOrEqual(475)
      expect(Number(medians.split(/ +/)[1])).toBeGreaterThanOrEqual(400)
      expect(readFileSync(join(clone, 'runs/cartpole/report.html'), 'utf8')).toContain('<svg')
    },
    'npx tsx examples/gaussian-mixture.ts': (output) => {
      const [, mean, left] = output.match(/mean ([-\d.]+) .* share left of 0: ([\d.]+)/) ?? []
      expect(Math.abs(Number(mean) - 2 / 3)).toBeLessThan(0.06)
      expect(Math.abs(Number(left) - 0.341)).toBeLessThan(0.03)
    },
    'npx tsx examples/amortized.ts': (output) => {
      for (const target of ['mixture', 'banana']) {
        const [before, after] = ['before', 'after'].map((when) => {
          const found = output.match(
            new RegExp(`${target} ${when}: KSD ([\\d.]+), MMD ([\\d.]+), share left of 0: ([\\d.]+)`),
          )
          return (found ?? []).slice(1).map(Number)
        })
        expect(after[0]).toBeLessThan(before[0] / 3)
        expect(after[1]).toBeLessThan(before[1] / 3)
        expect(Math.abs(after[2] - 0.45)).toBeLessThan(0.15)
      }
      expect(readFileSync(join(clone, 'runs/amortized.svg'), 'utf8')).toContain('<circle')
    },
    'npx tsx examples/gaussian.ts': (output) => {
      const [, first, second] = output.match(/mean ([-\d.]+), ([-\d.]+)/) ?? []
      expect(Math.abs(Number(first) + 0.6871)).toBeLessThan(0.01)
      expect(Math.abs(Number(second) - 0.801)).toBeLessThan(0.01)
    },
    'npx tsx examples/svpg-cartpole.ts': (output) => {
      const last = output.trim().split('\n').at(-1) ?? ''
      const returns = last
        .slice(last.indexOf(':') + 1)
        .trim()
        .split(' ')
        .map(Number)
      expect(returns).toHaveLength(16)
      expect(Math.max(...returns)).toBeGreaterThan(475)
    },
    'npx steinrl eval runs/x --episodes 100': (output) => void expect(output).toMatch(/median +\d/),
    'npm run bench -- stein --sizes 100x2': () => {
      const file = readFileSync(join(clone, 'bench/results/stein.json'), 'utf8')
      const { machine, runtime, date, rows } = JSON.parse(file)
      expect([machine, runtime, date].every(Boolean)).toBe(true)
      for (const name of ['steinrl', 'steinrl, 2 threads', 'tfjs-wasm', 'typed arrays']) {
        const ofName = rows.filter((row: { name: string }) => row.name === name)
        expect(ofName.map(({ params }: { params: object }) => params)).toEqual([{ n: 100, d: 2 }])
        expect(ofName.every(({ ms, gflops }: { ms: number; gflops: number }) => ms > 0 && gflops > 0)).toBe(true)
      }
    },
  }

  test('the README still has the commands that are looked at more closely', () => {
    expect(Object.keys(checks).filter((command) => !commands.includes(command))).toEqual([])
  })

  // `npm test` is this very run; the dev servers do not end by themselves and have tests of their own.
  test.each(commands.filter((command) => !['npm test', 'npm run browser', 'npm run playground'].includes(command)))(
    '%s',
    (command) => {
      // What a bench has measured is looked at in the file that it writes when it is asked to.
      const output = run(command.startsWith('npm run bench -- ') ? `${command} --record` : command)
      checks[command]?.(output)
    },
    minutes(5),
  )

  test(
    'npm run browser serves the page',
    async () => {
      expect(commands).toContain('npm run browser')
      const server = spawn('npm', ['run', 'browser', '--', '--port', '5199', '--strictPort'], {
        cwd: clone,
        detached: true,
      })
      const ended = new Promise<never>((_, reject) => {
        let errors = ''
        server.stderr.on('data', (chunk) => {
          errors += chunk
        })
        server.on('exit', (code) => reject(new Error(`npm run browser ended with ${code}: ${errors}`)))
      })
      const address = new Promise<string>((resolve) => {
        let output = ''
        server.stdout.on('data', (chunk) => {
          output += chunk
          const [url] = stripVTControlCharacters(output).match(/http:\/\/localhost:\d+\//) ?? []
          if (url) resolve(url)
        })
      })
      try {
        const page = await (await fetch(await Promise.race([address, ended]))).text()
        expect(page).toContain('steinrl')
      } finally {
        // The whole group: npm starts a shell that starts vite.
        ended.catch(() => undefined)
        if (server.exitCode === null) process.kill(-(server.pid as number))
      }
    },
    minutes(5),
  )
})

describe('code shown in the README runs as it stands', () => {
  const shown = blocks('README.md', 'ts').map((code, index) => ({ name: `block ${index + 1}`, code }))
  const [quickStart, ...others] = shown

  test.each(others)(
    '$name',
    ({ code }) => {
      writeFileSync(join(clone, 'shown.ts'), code)
      expect(run('npx tsx shown.ts').length).toBeGreaterThan(0)
    },
    minutes(2),
  )

  test('the quick start is examples/svpg-cartpole.ts', () => {
    const example = readFileSync(join(root, 'examples/svpg-cartpole.ts'), 'utf8')
    expect(example.replace(/^\/\/.*\n/, '')).toBe(quickStart.code)
    expect(quickStart.code.trim().split('\n').length).toBeLessThanOrEqual(15)
  })
})
