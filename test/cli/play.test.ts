import { spawnSync } from 'node:child_process'
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { make } from '../../src/envs/make.ts'
import { drawSvg } from '../../src/envs/render.ts'
import type { EpisodesFile } from '../../src/export/play-run.ts'
import { loadAgents } from '../../src/train/run-directory.ts'
import { evaluate } from '../../src/train/train.ts'
import { decodeGif } from '../play/decode-gif.ts'
import { inTemporaryDirectory, run, SMALL } from './steinrl.ts'

const runs = join(tmpdir(), `steinrl-play-${process.pid}`)
const CARTPOLE = join(runs, 'cartpole')
const PLAIN = join(runs, 'plain')
const EVALUATION = '{"episodes":2,"greedy":[10,30,20,40],"sampled":[9,9,9,9]}\n'

/** A task of one's own without a picture. */
const PLAIN_TASK = `
const observationSpace = { kind: 'box', low: [-1], high: [1] }
export default {
  id: 'Plain-v0', observationSpace, actionSpace: { kind: 'discrete', n: 2 }, maxEpisodeSteps: 3, module: import.meta.url,
  create: () => ({
    reset: () => ({ obs: [0], info: {} }),
    step: () => ({ obs: [0.5], reward: 1, terminated: false, truncated: false, info: {} }),
  }),
}`

beforeAll(async () => {
  await mkdir(runs)
  await writeFile(join(runs, 'plain.mjs'), PLAIN_TASK)
  const train = async (env: string, ...options: string[]) =>
    expect(await run(runs, 'train', 'svpg', env, ...SMALL, ...options)).toMatchObject({ code: 0 })
  await train('CartPole-v1', '--particles', '4', '--out', 'cartpole')
  await train('./plain.mjs', '--out', 'plain', '--eval-episodes', '0')
  await writeFile(join(CARTPOLE, 'evaluation.json'), EVALUATION)
}, 120_000)
afterAll(() => rm(runs, { recursive: true, force: true }))

const episodesOf = async (file: string): Promise<EpisodesFile> => JSON.parse(await readFile(file, 'utf8'))

test('an episode as data: the first of an evaluation with that seed, which its actions play again', () =>
  inTemporaryDirectory(async (directory) => {
    const { code, stdout, stderr } = await run(directory, 'play', CARTPOLE, '--seed', '7', '--out', 'e.json')
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    const { episodes, ...rest } = await episodesOf(join(directory, 'e.json'))
    expect(rest).toEqual({ format: 'steinrl-episodes', version: 1, task: 'CartPole-v1' })
    const [{ observations, actions, rewards, terminated, truncated, ...played }] = episodes
    const { greedy } = await evaluate({ agents: await loadAgents(CARTPOLE), episodes: 1, seed: 7 })
    expect(played).toEqual({ particle: 3, seed: 7, greedy: true, return: greedy[3] })
    expect(stdout).toBe(`Particle 3: return ${greedy[3].toFixed(1)} in ${rewards.length} steps\nWrote e.json.\n`)
    expect(observations).toHaveLength(rewards.length + 1)
    for (const each of [actions, terminated, truncated]) expect(each).toHaveLength(rewards.length)
    expect([...terminated].indexOf(true)).toBe(rewards.length - 1)
    expect(truncated).not.toContain(true)
    const env = await make('CartPole-v1')
    env.reset({ seed: 0 })
    env.state.set(observations[0])
    actions.forEach((action, k) => {
      const { obs, reward } = env.step(action as number)
      expect(reward).toBe(rewards[k])
      for (let i = 0; i < 4; i++) expect(obs[i]).toBeCloseTo(observations[k + 1][i], 3)
    })
    env.close()
  }))

test('an animated SVG and a GIF: the first scene is that of the reset, a scene for every step, the same bytes twice', () =>
  inTemporaryDirectory(async (directory) => {
    const names = ['a.svg', 'b.svg', 'e.json', 'a.gif', 'b.gif']
    for (const out of names)
      expect(await run(directory, 'play', CARTPOLE, '--particle', '1', '--out', out)).toMatchObject({ code: 0 })
    const [a, b] = await Promise.all(names.map((name) => readFile(join(directory, name), 'utf8')))
    expect(b).toBe(a)
    const [{ observations, rewards }] = (await episodesOf(join(directory, 'e.json'))).episodes
    const env = await make('CartPole-v1')
    env.reset({ seed: 0 })
    env.state.set(observations[0])
    const first = a.replace(/<animate [^>]*\/>/g, '').replace(/><\/\w+>/g, '/>')
    expect(first).toBe(drawSvg(env.render()))
    env.close()
    const poles = /<polyline points="[^"]*" fill="none" stroke="#e08a3c".*?values="([^"]*)"/.exec(a)?.[1].split(';')
    expect(poles).toHaveLength(rewards.length + 1)
    expect(a).toContain(`dur="${Math.round((1000 * observations.length) / 30)}ms"`)
    expect(a).not.toContain('<script')
    const [gif, again] = await Promise.all(['a.gif', 'b.gif'].map((name) => readFile(join(directory, name))))
    expect(again.equals(gif)).toBe(true)
    expect(decodeGif(gif).frames).toHaveLength(rewards.length + 1)
  }))

test('a page calls a policy that is alone no particle', () =>
  inTemporaryDirectory(async (directory) => {
    const settings = [
      '--iterations',
      '1',
      '--steps',
      '8',
      '--environments',
      '1',
      '--hidden',
      '4',
      '--eval-episodes',
      '0',
    ]
    await run(directory, 'train', 'ppo', 'CartPole-v1', ...settings, '--out', 'one')
    expect(await run(directory, 'play', 'one', '--out', 'e.html')).toMatchObject({ code: 0 })
    expect(await readFile(join(directory, 'e.html'), 'utf8')).toMatch(/The policy: return \d+ in \d+ steps/)
    expect(await run(directory, 'play', CARTPOLE, '--particle', '1', '--out', 'e1.html')).toMatchObject({ code: 0 })
    expect(await readFile(join(directory, 'e1.html'), 'utf8')).toMatch(/Particle 1: return \d+ in \d+ steps/)
  }))

test('median, all, sampled', () =>
  inTemporaryDirectory(async (directory) => {
    const play = async (...options: string[]) => {
      const args = ['--out', 'e.json', '--overwrite', ...options]
      expect(await run(directory, 'play', CARTPOLE, ...args)).toMatchObject({ code: 0 })
      return (await episodesOf(join(directory, 'e.json'))).episodes
    }
    expect((await play('--particle', 'median')).map(({ particle }) => particle)).toEqual([2])
    const [third] = await play('--particle', '2')
    const all = await play('--particle', 'all')
    expect(all.map(({ particle }) => particle)).toEqual([0, 1, 2, 3])
    expect(all[2]).toEqual(third)
    const [sampled] = await play('--particle', '2', '--sampled')
    expect(sampled.greedy).toBe(false)
    expect(sampled.observations[0]).toEqual(third.observations[0])
    expect(sampled.actions).not.toEqual(third.actions)
    const out = ['--particle', 'all', '--out', 'all.svg']
    expect(await run(directory, 'play', CARTPOLE, ...out)).toMatchObject({ code: 0 })
    const svg = await readFile(join(directory, 'all.svg'), 'utf8')
    expect(svg.match(/<polyline [^>]*stroke="#e08a3c"/g)).toHaveLength(4)
  }))

test('a page that plays: every particle with a caption, and nothing from elsewhere', () =>
  inTemporaryDirectory(async (directory) => {
    const out = ['--particle', 'all', '--out', 'e.html']
    const { stdout } = await run(directory, 'play', CARTPOLE, ...out)
    const html = await readFile(join(directory, 'e.html'), 'utf8')
    const captions = [...html.matchAll(/<figcaption>(.*)<\/figcaption>/g)].map(([, words]) => words)
    expect(captions).toHaveLength(4)
    const said = stdout.split('\n').slice(0, 4)
    captions.forEach((words, k) => void expect(said[k].replace('.0 in', ' in')).toBe(words))
    // As long as the longest, all of them.
    expect(new Set([...html.matchAll(/ dur="(\d+ms)"/g)].map(([, duration]) => duration)).size).toBe(1)
    expect(html.replaceAll('http://www.w3.org/2000/svg', '')).not.toMatch(/https?:|src=|url\(/)
  }))

/** A program of this name on the path, in front of all others. */
const withProgram = async (directory: string, name: string, script: string) => {
  const bin = join(directory, 'bin')
  await mkdir(bin)
  await writeFile(join(bin, name), `#!/bin/sh\n${script}\n`, { mode: 0o755 })
  return `${bin}:${process.env.PATH}`
}

test('a film is made by ffmpeg of the GIF, which is removed; what ffmpeg says is told', () =>
  inTemporaryDirectory(async (directory) => {
    const before = process.env.PATH
    const copies = 'for last; do :; done\n[ "$1" = -version ] || cp "$5" "$last"'
    try {
      process.env.PATH = await withProgram(directory, 'ffmpeg', copies)
      expect(await run(directory, 'play', CARTPOLE, '--out', 'e.mp4')).toMatchObject({ code: 0, stderr: '' })
      expect((await readFile(join(directory, 'e.mp4'))).subarray(0, 6).toString()).toBe('GIF89a')
      expect(await readdir(directory)).toEqual(['bin', 'e.mp4'])
      const again = await run(directory, 'play', CARTPOLE, '--out', 'e.mp4')
      expect(again.stderr).toBe('steinrl: "e.mp4" exists; choose another --out, or --overwrite it.\n')
      const fails = '[ "$1" = -version ] || { echo no such codec >&2; exit 1; }'
      await writeFile(join(directory, 'bin/ffmpeg'), `#!/bin/sh\n${fails}\n`)
      const failed = await run(directory, 'play', CARTPOLE, '--out', 'f.mp4')
      expect(failed).toMatchObject({ code: 4, stderr: 'steinrl: ffmpeg cannot write "f.mp4": no such codec.\n' })
      expect(await readdir(directory)).toEqual(['bin', 'e.mp4'])
      process.env.PATH = dirname(process.execPath)
      if (spawnSync('ffmpeg', ['-version']).error === undefined) return
      const none = await run(directory, 'play', CARTPOLE, '--out', 'f.mp4')
      expect(none.stderr).toMatch(/^steinrl: An \.mp4 is made by ffmpeg, which is not installed here: /)
    } finally {
      process.env.PATH = before
    }
  }))

test('a task without a picture is written as data, and a picture of it refused', () =>
  inTemporaryDirectory(async (directory) => {
    const data = await run(directory, 'play', PLAIN, '--particle', '0', '--out', 'e.json')
    expect(data).toMatchObject({ code: 0 })
    const [{ truncated }] = (await episodesOf(join(directory, 'e.json'))).episodes
    expect(truncated).toEqual([false, false, true])
    const { code, stderr } = await run(directory, 'play', PLAIN, '--particle', '0', '--out', 'e.svg')
    const sentence = 'steinrl: Plain-v0 has no picture, as its description has no render: write a .json.\n'
    expect({ code, stderr }).toEqual({ code: 1, stderr: sentence })
    expect(await readdir(directory)).toEqual(['e.json'])
  }))

test.each([
  [[CARTPOLE, '--out', 'e.avi'], 'What is written must end with .json, .gif, .svg, .html, got "e.avi".'],
  [[CARTPOLE, '--out', 'e'], 'What is written must end with .json, .gif, .svg, .html, got "e".'],
  [
    [CARTPOLE, '--out', 'e.svg', '--particle', '4'],
    'particle must be best, median, all or a number from 0 to 3, got 4.',
  ],
  [
    [CARTPOLE, '--out', 'e.svg', '--particle', 'worst'],
    'particle must be best, median, all or a number from 0 to 3, got "worst".',
  ],
  [[CARTPOLE, '--out', 'e.svg', '--fps', '60'], 'framesPerSecond must be a number from 1 to 50, got 60.'],
  [
    [PLAIN, '--out', 'e.svg', '--particle', 'median'],
    `"${PLAIN}" has no evaluation.json, which tells the median: run steinrl eval first.`,
  ],
  [[CARTPOLE], 'Say what is to be written by --out, or --watch it here.'],
  [[CARTPOLE, '--watch'], '--watch needs a terminal to draw in: write a file by --out.'],
  [['nowhere', '--out', 'e.svg'], '"nowhere" is not a run: it has no config.json.'],
  [[CARTPOLE, '--out', 'missing/e.json'], /^Cannot write the episode to "missing\/e.json": .*\.$/],
])('%j is refused in one sentence', (args, sentence) =>
  inTemporaryDirectory(async (directory) => {
    const { code, stdout, stderr } = await run(directory, 'play', ...args)
    expect({ code, stdout }).toEqual({ code: typeof sentence === 'string' ? 1 : 4, stdout: '' })
    const said = stderr.replace(/^steinrl: /, '').trimEnd()
    if (typeof sentence === 'string') expect(said).toBe(sentence)
    else expect(said).toMatch(sentence)
    expect(await readdir(directory)).toEqual([])
  }),
)

test('a file that exists is kept', () =>
  inTemporaryDirectory(async (directory) => {
    await writeFile(join(directory, 'e.json'), 'mine')
    const { code, stderr } = await run(directory, 'play', CARTPOLE, '--out', 'e.json')
    const sentence = 'steinrl: "e.json" exists; choose another --out, or --overwrite it.\n'
    expect({ code, stderr }).toEqual({ code: 1, stderr: sentence })
    expect(await readFile(join(directory, 'e.json'), 'utf8')).toBe('mine')
  }))
